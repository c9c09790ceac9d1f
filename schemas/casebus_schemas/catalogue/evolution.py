"""What no version of a type may change of another, though Avro would let it pass: the frozen parts.

Logical types (decimal scale and precision, unit of time), sizes and kinds of named types, the record's name.
Names of fields are in field_names.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .schema_problem import Place, Problem
from .schema_tree import Definitions, Schema, definitions, kind_of, nodes, normalised, written_out

_LOGICAL = ("logicalType", "precision", "scale")


def frozen_problems(new: Schema, old: Schema) -> list[Problem]:
    """What the new schema changes of an old one that is frozen. Places are those of the new schema."""
    now, then = normalised(new), normalised(old)
    return list(_Frozen(definitions(now), definitions(then)).problems(now, then))


class _Frozen:
    def __init__(self, new: Definitions, old: Definitions) -> None:
        self._new = new
        self._old = old
        self._met: set[str] = set()

    def problems(self, new: Schema, old: Schema) -> Iterator[Problem]:
        if isinstance(new, dict) and isinstance(old, dict) and new.get("name") != old.get("name"):
            yield Problem(
                "frozen-name",
                Place("/name"),
                "the record of a type keeps its name and namespace",
                found=new.get("name"),
                expected=old.get("name"),
                remedy="restore the name; another name is another event type",
            )
        yield from self._types(new, old, Place())
        # A name may come back at another place: it must still be the same kind of thing.
        for node, place, _ in nodes(new):
            name = node.get("name")  # of a primitive any attribute that somebody wrote
            if isinstance(name, str) and name in self._old and name not in self._met:
                yield from self._types(node, self._old[name], place)

    def _types(self, new: Schema, old: Schema, place: Place) -> Iterator[Problem]:
        if isinstance(new, list) or isinstance(old, list):
            yield from self._branches(new, old, place)
            return
        now, then = written_out(new, self._new), written_out(old, self._old)
        kind, former = kind_of(now, self._new), kind_of(then, self._old)
        if isinstance(now, dict) and isinstance(then, dict) and now.get("name") == then.get("name"):
            name = now.get("name")
            if name in self._met:
                return
            if name is not None:
                self._met.add(name)
                if kind != former:
                    yield Problem(
                        "frozen-kind",
                        place,
                        f"the name {name} stood for another kind of type",
                        found=kind,
                        expected=former,
                        remedy="give the new type a new name",
                    )
                    return
                if kind == "fixed" and now["size"] != then["size"]:
                    yield _size(now, then, place)
        if {kind, former} == {"string", "bytes"}:
            yield Problem(
                "text-and-bytes",
                place,
                "text and bytes are not each other's",
                found=kind,
                expected=former,
                remedy="keep the type and add a new field beside it: bytes need not be text",
            )
        if kind == former or {kind, former} <= {"int", "long", "bytes", "fixed", "string"}:
            yield from _logical(now, then, place)
        if kind != former:
            return
        if kind == "record":
            yield from self._fields(now, then, place)
        elif kind in ("array", "map"):
            key = "items" if kind == "array" else "values"
            yield from self._types(now[key], then[key], place.item(key))

    def _branches(self, new: Schema, old: Schema, place: Place) -> Iterator[Problem]:
        former = old if isinstance(old, list) else [old]
        branches = list(enumerate(new)) if isinstance(new, list) else [(None, new)]
        for index, branch in branches:
            here = place if index is None else place.child(index)
            match = self._same_branch(branch, former)
            if match is not None and branch != "null":
                yield from self._types(branch, match, here)

    def _same_branch(self, branch: Schema, former: list[Schema]) -> Schema | None:
        now = written_out(branch, self._new)
        kind = kind_of(now, self._new)
        alike = [old for old in former if kind_of(old, self._old) == kind]
        if isinstance(now, dict) and "name" in now:
            named = [old for old in alike if written_out(old, self._old).get("name") == now["name"]]
            return named[0] if named else None
        if alike:
            return alike[0]
        # With one type beside null on both sides, that type is the same thing under a new name.
        rest = [old for old in former if old != "null"]
        return rest[0] if len(rest) == 1 and branch != "null" else None

    def _fields(self, new: Mapping[str, Any], old: Mapping[str, Any], place: Place) -> Iterator[Problem]:
        former = {field["name"]: field for field in old["fields"]}
        for index, field in enumerate(new["fields"]):
            names = [field["name"], *field.get("aliases", ())]
            source = next((former[name] for name in names if name in former), None)
            if source is not None:
                here = place.field(index, field["name"]).child("type")
                yield from self._types(field["type"], source["type"], here)


def _size(new: Mapping[str, Any], old: Mapping[str, Any], place: Place) -> Problem:
    return Problem(
        "fixed-size-mismatch",
        place.child("size"),
        f"the size of {new['name']} is frozen",
        found=new["size"],
        expected=old["size"],
        remedy="keep it and add a type of a new name",
    )


def _logical(new: Schema, old: Schema, place: Place) -> Iterator[Problem]:
    now, then = _attributes(new), _attributes(old)
    if now == then:
        return
    key = next(key for key in _LOGICAL if now.get(key) != then.get(key))
    yield Problem(
        "frozen-logical-type",
        place.child(key) if isinstance(new, dict) else place,
        f"{key} is frozen",
        found=now.get(key, "none"),
        expected=then.get(key, "none"),
        remedy="keep it and add a new field beside it: old values would be read as other ones",
    )


def _attributes(schema: Schema) -> dict[str, Any]:
    if not isinstance(schema, dict) or "logicalType" not in schema:
        return {}
    found = {key: schema[key] for key in _LOGICAL if key in schema}
    if found["logicalType"] == "decimal":
        found.setdefault("scale", 0)
    return found
