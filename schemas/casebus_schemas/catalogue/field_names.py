"""Names and aliases of fields through the versions of a type: a name means one field for ever."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .schema_problem import Place, Problem
from .schema_tree import Schema, nodes, normalised


def rename_problems(new: Schema, previous: Schema) -> list[Problem]:
    """Fields that vanished from the previous version while one of the same type stands in their place."""
    return list(_renames(normalised(new), normalised(previous)))


def alias_problems(new: Schema, past: Sequence[Schema]) -> list[Problem]:
    """Names and aliases of fields that the new schema gives to another field than the past versions did.

    `past` from the oldest on. A name or alias means one field for ever; a field that was renamed keeps its
    former names as aliases as long as it exists.
    """
    lineages: dict[str, _Lineage] = {}
    for schema in past:
        for name, record in _records(normalised(schema)):
            lineages.setdefault(name, _Lineage()).learn(record)
    problems: list[Problem] = []
    for node, place, _ in nodes(normalised(new)):
        if node.get("type") == "record":
            problems += lineages.get(node["name"], _Lineage()).judge(node, place)
    return problems


def _records(schema: Schema) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node, _, _ in nodes(schema):
        if node.get("type") == "record":
            yield node["name"], node


def _renames(new: Schema, old: Schema) -> Iterator[Problem]:
    former = dict(_records(old))
    for node, place, _ in nodes(new):
        if node.get("type") != "record" or node["name"] not in former:
            continue
        before = former[node["name"]]["fields"]
        now = {name for f in node["fields"] for name in _claims(f)}
        then = {name: f["name"] for f in before for name in _claims(f)}
        lost = _in_gaps(before, [f["name"] if now & _claims(f) else None for f in before])
        kept_as = [next((then[n] for n in _claims(f) if n in then), None) for f in node["fields"]]
        gained = _in_gaps(node["fields"], kept_as)
        for gap, fields in gained.items():
            for index, field in fields:
                twin = next((f for _, f in lost.get(gap, ()) if _same_type(f, field)), None)
                if twin is not None:
                    yield Problem(
                        "rename-without-alias",
                        place.field(index, field["name"]),
                        f"{field['name']} stands in the place of {twin['name']}",
                        expected=f'"aliases": ["{twin["name"]}"]',
                        remedy="give it that alias if it is the same field, or put a new field elsewhere",
                    )


def _claims(field: Mapping[str, Any]) -> set[str]:
    return {field["name"], *field.get("aliases", ())}


def _in_gaps(
    fields: Sequence[Mapping[str, Any]], kept: Sequence[str | None]
) -> dict[tuple[str | None, str | None], list[tuple[int, Mapping[str, Any]]]]:
    """The fields that are not in both versions, by the kept fields before and after them."""
    found: dict[tuple[str | None, str | None], list[tuple[int, Mapping[str, Any]]]] = {}
    for index, field in enumerate(fields):
        if kept[index] is None:
            before = next((name for name in reversed(kept[:index]) if name is not None), None)
            after = next((name for name in kept[index + 1 :] if name is not None), None)
            found.setdefault((before, after), []).append((index, field))
    return found


def _same_type(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same: bool = _undocumented(one["type"]) == _undocumented(other["type"])
    return same


def _undocumented(schema: Schema) -> Schema:
    if isinstance(schema, list):
        return [_undocumented(branch) for branch in schema]
    if isinstance(schema, dict):
        if "name" in schema:
            return schema["name"]
        return {key: _undocumented(value) for key, value in schema.items() if key not in ("doc", "zh")}
    return schema


class _Lineage:
    """Which field of one record each name and alias has meant so far."""

    def __init__(self) -> None:
        self._meant: dict[str, int] = {}
        self._names: dict[int, set[str]] = {}
        self._count = 0

    def learn(self, record: Mapping[str, Any]) -> None:
        for field in record["fields"]:
            claims = [field["name"], *field.get("aliases", ())]
            known = next((self._meant[name] for name in claims if name in self._meant), None)
            if known is None:
                self._count += 1
                known = self._count
            self._names.setdefault(known, set()).update(claims)
            for name in claims:
                self._meant.setdefault(name, known)

    def judge(self, record: Mapping[str, Any], place: Place) -> Iterator[Problem]:
        claimed: dict[str, str] = {}
        for field in record["fields"]:
            claimed.setdefault(field["name"], field["name"])
        for index, field in enumerate(record["fields"]):
            here = place.field(index, field["name"])
            aliases = field.get("aliases", ())
            for alias in aliases:
                owner = claimed.setdefault(alias, field["name"])
                if owner != field["name"] or alias == field["name"]:
                    yield _re_used(here, alias, f"the field {owner} of this version")
            meant = {self._meant[name] for name in (field["name"], *aliases) if name in self._meant}
            if len(meant) > 1:
                yield _re_used(here, ", ".join(aliases), "two fields of past versions")
            for lineage in meant:
                missing = self._names[lineage] - {field["name"], *aliases}
                if missing and len(meant) == 1:
                    yield self._lost(here, field["name"], lineage, sorted(missing), claimed)

    def _lost(
        self, place: Place, name: str, lineage: int, missing: list[str], claimed: Mapping[str, str]
    ) -> Problem:
        taken = next((former for former in missing if former in claimed), None)
        if taken is not None:
            return _re_used(place, taken, f"both {name} and {claimed[taken]}")
        if name not in self._names[lineage]:
            return _re_used(place, ", ".join(self._names[lineage] - set(missing)), f"the field {missing[-1]}")
        return Problem(
            "rename-without-alias",
            place,
            f"{name} was called otherwise in a past version",
            expected=f'"aliases" with {", ".join(missing)}',
            remedy="keep every former name as an alias",
        )


def _re_used(place: Place, name: str, meant: str) -> Problem:
    return Problem(
        "alias-re-used",
        place.child("aliases"),
        f"the name {name} means {meant}",
        expected="a name that meant no other field in any version",
        remedy="choose another name",
    )
