"""Legal and illegal changes of a schema: the table by which the gate is judged."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Op = Callable[[Json], None]

DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}
DAY = {"type": "int", "logicalType": "date"}
STATE = {
    "type": "enum",
    "name": "casebus.State",
    "symbols": ["open", "closed", "other"],
    "default": "other",
    "doc": "A state.",
}
DIGEST = {"type": "fixed", "name": "casebus.Digest", "size": 32, "doc": "A digest."}


def of(name: str, type: Any, **more: Any) -> Json:
    """A documented field; `null` becomes the default of what may be null."""
    made: Json = {"name": name, "type": type, "doc": f"The {name}.", "pii": "none"}
    if isinstance(type, list) and type[0] == "null":
        made["default"] = None
    made.update(more)
    return made


PARTY = {
    "type": "record",
    "name": "casebus.Party",
    "doc": "A party.",
    "fields": [
        of("ref", "string"),
        of("name", ["null", "string"]),
        of("share", ["null", DECIMAL]),
        of("role", ["null", "string"]),
    ],
}
BASE: Json = {
    "type": "record",
    "name": "casebus.demo.Said",
    "doc": "An event.",
    "fields": [
        of("no", "long"),
        of("title", "string"),
        of("note", ["null", "string"]),
        of("count", "int", default=1),
        of("amount", DECIMAL),
        of("paid", ["null", DECIMAL]),
        of("at", MOMENT),
        of("day", ["null", DAY]),
        of("state", STATE),
        of("digest", DIGEST),
        of("urgent", "boolean", default=False),
        of("tags", {"type": "array", "items": "string"}, default=[]),
        of("party", PARTY),
        of("parties", {"type": "array", "items": "casebus.Party"}, default=[]),
        of("body", ["null", "bytes"]),
        of("end", "long"),
    ],
}


# --- operations -------------------------------------------------------------------------------------------


def record(schema: Any, name: str | None) -> Json:
    """The record of that name inside a schema, the whole one for None."""
    if name is None:
        return dict_of(schema)
    found = [node for node in _walk(schema) if node.get("name") == name and "type" in node]
    return found[0]


def dict_of(schema: Any) -> Json:
    """The schema itself, which is a record."""
    assert isinstance(schema, dict)
    return schema


def _walk(node: Any) -> Sequence[Json]:
    if isinstance(node, list):
        return [inner for branch in node for inner in _walk(branch)]
    if not isinstance(node, dict):
        return []
    inner = [part for key in ("type", "items", "values", "fields") for part in _walk(node.get(key))]
    return [node, *inner]


def add(field: Json, at: int | None = None, within: str | None = None) -> Op:
    """Adds a field, before the last one unless `at` says where."""

    def change(schema: Json) -> None:
        fields = record(schema, within)["fields"]
        fields.insert(len(fields) - 1 if at is None else at, deepcopy(field))

    return change


def drop(*names: str, within: str | None = None) -> Op:
    """Removes fields."""

    def change(schema: Json) -> None:
        whole = record(schema, within)
        whole["fields"] = [field for field in whole["fields"] if field["name"] not in names]

    return change


def alter(name: str, /, within: str | None = None, without: str | None = None, **changes: Any) -> Op:
    """Changes attributes of a field; `without` removes one."""

    def change(schema: Json) -> None:
        (field,) = [f for f in record(schema, within)["fields"] if f["name"] == name]
        field.update(deepcopy(changes))
        if without:
            del field[without]

    return change


def retype(type_name: str, /, without: str | None = None, **changes: Any) -> Op:
    """Changes attributes of a named type."""

    def change(schema: Json) -> None:
        node = record(schema, type_name)
        node.update(deepcopy(changes))
        if without:
            del node[without]

    return change


def renamed_type(old: str, new: str, **more: Any) -> Op:
    """Renames a named type wherever it is named."""

    def change(schema: Json) -> None:
        def walk(node: Any) -> Any:
            if isinstance(node, str):
                return new if node == old else node
            if isinstance(node, list):
                return [walk(branch) for branch in node]
            made = {k: walk(v) if k in ("type", "items", "fields") else v for k, v in node.items()}
            if made.get("name") == old:
                made.update(name=new, **more)
            return made

        schema.update(walk(deepcopy(schema)))

    return change


def order(*names: str, within: str | None = None) -> Op:
    """Puts the named fields first, in that order."""

    def change(schema: Json) -> None:
        whole = record(schema, within)
        first = {name: index for index, name in enumerate(names)}
        whole["fields"].sort(key=lambda field: first.get(field["name"], len(first)))

    return change


def top(**changes: Any) -> Op:
    """Changes attributes of the whole record."""
    return lambda schema: schema.update(changes)


def version(*ops: Op, start: Json = BASE) -> Json:
    """A schema made from another."""
    made = deepcopy(start)
    for op in ops:
        op(made)
    return made


def versions(*steps: Sequence[Op]) -> tuple[Json, ...]:
    """The base schema and its versions, each made from the one before."""
    made = [BASE]
    for ops in steps:
        made.append(version(*ops, start=made[-1]))
    return tuple(made)


# --- the table --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """Versions of a type, the last of them the candidate; `rule` what it breaks, None if nothing."""

    name: str
    versions: tuple[Json, ...]
    rule: str | None = None
    transitive_only: bool = False


def _legal(name: str, *steps: Sequence[Op]) -> Change:
    return Change(name, versions(*steps))


def _illegal(name: str, rule: str, *steps: Sequence[Op], transitive_only: bool = False) -> Change:
    return Change(name, versions(*steps), rule, transitive_only)


def _swap_first_use(schema: Json) -> None:
    fields = {field["name"]: field for field in schema["fields"]}
    fields["party"]["type"], fields["parties"]["type"]["items"] = "casebus.Party", fields["party"]["type"]
    order("no", "parties")(schema)


NOTE = of("remark", ["null", "string"])
WHOLE_PARTY = {"ref": "none", "name": None, "share": None, "role": None}
ITEM = {
    "type": "record",
    "name": "casebus.Item",
    "doc": "An item.",
    "fields": [of("what", "string"), of("size", ["null", "long"])],
}

LEGAL: tuple[Change, ...] = (
    _legal("nothing changes", []),
    _legal("another doc of a field", [alter("note", doc="Something else to be said.")]),
    _legal("another doc of the record", [top(doc="An event of the demonstration.")]),
    _legal("a nullable field before the last", [add(NOTE)]),
    _legal("a nullable field in the middle", [add(NOTE, at=5)]),
    _legal("a nullable field first", [add(NOTE, at=0)]),
    _legal("a nullable field last", [add(NOTE, at=16)]),
    _legal("a list", [add(of("words", {"type": "array", "items": "string"}, default=[]))]),
    _legal("a yes or no with a default", [add(of("late", "boolean", default=True))]),
    _legal("a whole number with a default", [add(of("tries", "int", default=0))]),
    _legal("a long with a default", [add(of("bytes", "long", default=-1))]),
    _legal("text with a default", [add(of("lang", "string", default="zh"))]),
    _legal("an enum field with a default", [add(of("former", "casebus.State", default="other"))]),
    _legal("a nullable amount", [add(of("fine", ["null", DECIMAL]))]),
    _legal("a nullable time", [add(of("until", ["null", MOMENT]))]),
    _legal("a nullable day", [add(of("first_day", ["null", DAY]))]),
    _legal("a nullable digest", [add(of("other_digest", ["null", "casebus.Digest"]))]),
    _legal(
        "a nullable uuid",
        [
            add(
                of(
                    "id",
                    [
                        "null",
                        {
                            "type": "fixed",
                            "name": "casebus.Uuid",
                            "size": 16,
                            "logicalType": "uuid",
                            "doc": "A UUID.",
                        },
                    ],
                )
            )
        ],
    ),
    _legal("a nullable record of a known type", [add(of("second_party", ["null", "casebus.Party"]))]),
    _legal("a nullable record of a new type", [add(of("item", ["null", ITEM]))]),
    _legal(
        "a list of a known record",
        [add(of("others", {"type": "array", "items": "casebus.Party"}, default=[]))],
    ),
    _legal("a list of a new record", [add(of("items", {"type": "array", "items": ITEM}, default=[]))]),
    _legal("a record with a whole default", [add(of("deputy", "casebus.Party", default=WHOLE_PARTY))]),
    _legal("a nullable field goes", [drop("note")]),
    _legal("a list goes", [drop("tags")]),
    _legal("a field with a default goes", [drop("urgent", "count")]),
    _legal("many fields go", [drop("note", "paid", "day", "tags", "parties", "body")]),
    _legal("fields in another order", [order("end", "state", "amount", "no")]),
    _legal("a nullable field within a record", [add(of("seat", ["null", "string"]), within="casebus.Party")]),
    _legal("a nullable field within a record goes", [drop("role", within="casebus.Party")]),
    _legal("another order within a record", [order("role", "share", within="casebus.Party")]),
    _legal("a symbol at the end", [retype("casebus.State", symbols=["open", "closed", "other", "held"])]),
    _legal("a symbol in the middle", [retype("casebus.State", symbols=["open", "held", "closed", "other"])]),
    _legal("a symbol goes", [retype("casebus.State", symbols=["open", "other"])]),
    _legal("symbols in another order", [retype("casebus.State", symbols=["other", "closed", "open"])]),
    _legal("another default of an enum", [retype("casebus.State", default="open")]),
    _legal("another default of a field", [alter("count", default=2)]),
    _legal("a default for a field that had none", [alter("title", default="untitled")]),
    _legal("no default for a field that all versions have", [alter("count", without="default")]),
    _legal(
        "a rename with an alias, the former with a default", [alter("note", name="remark", aliases=["note"])]
    ),
    _legal(
        "a rename within a record with an alias",
        [alter("role", within="casebus.Party", name="office", aliases=["role"])],
    ),
    _legal(
        "two renames, both former names kept",
        [alter("note", name="remark", aliases=["note"])],
        [alter("remark", name="words", aliases=["remark", "note"])],
    ),
    _legal(
        "a rename and back, the name between kept",
        [alter("note", name="remark", aliases=["note"])],
        [alter("remark", name="note", aliases=["remark"])],
    ),
    _legal("an alias without a rename", [alter("title", aliases=["heading"])]),
    _legal(
        "a field goes and comes back the same", [drop("note")], [add(of("note", ["null", "string"]), at=2)]
    ),
    _legal("a field comes and goes", [add(NOTE)], [drop("remark")]),
    _legal(
        "one field each time",
        [add(NOTE)],
        [add(of("fine", ["null", DECIMAL]))],
        [add(of("tries", "int", default=0))],
    ),
    _legal(
        "a field of another type in the place of one that went",
        [drop("note"), add(of("weight", ["null", "long"]), at=2)],
    ),
    _legal("a field of the same type elsewhere than one that went", [drop("note"), add(NOTE)]),
    _legal(
        "a field of the same type in the place of one that went long ago", [drop("note")], [add(NOTE, at=2)]
    ),
    _legal("personal data marked more strictly", [alter("title", pii="low")]),
    _legal("the namespace written apart", [top(name="Said", namespace="casebus.demo")]),
    _legal("a type defined at another first use", [_swap_first_use]),
    _legal("an alias of a record", [retype("casebus.Party", aliases=["casebus.Person"])]),
    _legal("an attribute that Avro does not know", [alter("amount", unit="yuan")]),
    _legal("a primitive written as an object", [alter("title", type={"type": "string"})]),
    _legal(
        "symbols come, twice",
        *[
            [retype("casebus.State", symbols=["open", "closed", "other", *more])]
            for more in (["a"], ["a", "b"])
        ],
    ),
    _legal("ten versions", *[[add(of(f"extra_{n}", ["null", "string"]))] for n in range(9)]),
)
