"""Our resolution agrees with a real reader on schemas changed at random."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.catalogue.compatibility import incompatibilities
from casebus_schemas.catalogue.lint import lint
from casebus_schemas.catalogue.resolution import read_problems
from casebus_schemas.catalogue.schema_tree import definitions, nodes, normalised
from support.cases.made_up import made_up
from support.events.avro_reading import read_back
from support.events.schema_changes import BASE, DAY, DECIMAL, MOMENT, Op, add, of, version

_NAMES = [field["name"] for field in BASE["fields"]]
_TYPES: list[Any] = [
    "int",
    "long",
    "double",
    "string",
    "boolean",
    ["null", "string"],
    ["null", "long"],
    {"type": "array", "items": "string"},
    {"type": "array", "items": "long"},
    {"type": "array", "items": ["null", "string"]},
    DECIMAL,
    MOMENT,
    ["null", DAY],
]
_WORDS = [
    *("type", "name", "namespace", "fields", "items", "values", "symbols", "size", "default", "aliases"),
    *("logicalType", "precision", "scale", "doc", "pii"),
]
_SYMBOLS = ["open", "closed", "other", "held", "lost"]


def _changed_field(name: str, change: Callable[[dict[str, Any]], None]) -> Op:
    def op(schema: dict[str, Any]) -> None:
        for node, _, _ in nodes(schema):
            for field in node.get("fields", ()):
                if field["name"] == name:
                    change(field)

    return op


def _dropped(name: str) -> Op:
    def op(schema: dict[str, Any]) -> None:
        for node, _, _ in nodes(schema):
            if node.get("type") == "record":
                node["fields"][:] = [f for f in node["fields"] if f["name"] != name]

    return op


def _of_type(name: str, change: Callable[[dict[str, Any]], None]) -> Op:
    def op(schema: dict[str, Any]) -> None:
        for node, _, _ in nodes(schema):
            if node.get("name") == name:
                change(node)  # type: ignore[arg-type]

    return op


def _retyped(type: Any) -> Callable[[dict[str, Any]], None]:
    def change(field: dict[str, Any]) -> None:
        field["type"] = type
        field.pop("default", None)

    return change


def _renamed(field: dict[str, Any]) -> None:
    field.update(aliases=[field["name"]], name=field["name"] + "_now")


_FIELD = st.sampled_from([*_NAMES, "ref", "role", "share"])
_OPS: st.SearchStrategy[Op] = st.one_of(
    _FIELD.map(_dropped),
    st.builds(lambda name, type: _changed_field(name, _retyped(type)), _FIELD, st.sampled_from(_TYPES)),
    st.sampled_from(_NAMES).map(lambda name: _changed_field(name, _retyped(["null", "casebus.Party"]))),
    _FIELD.map(lambda name: _changed_field(name, lambda field: field.pop("default", None))),
    _FIELD.map(lambda name: _changed_field(name, _renamed)),
    st.builds(
        lambda n, type: add(of(f"new_{n}", type)),
        st.integers(0, 9),
        st.sampled_from(_TYPES),
    ),
    st.lists(st.sampled_from(_SYMBOLS), min_size=1, unique=True).map(
        lambda symbols: _of_type(
            "casebus.State", lambda node: node.update(symbols=symbols, default=symbols[0])
        )
    ),
    st.just(_of_type("casebus.State", lambda node: node.pop("default", None))),
    st.sampled_from([16, 32, 64]).map(lambda n: _of_type("casebus.Digest", lambda node: node.update(size=n))),
)


def _schema(ops: list[Op]) -> dict[str, Any] | None:
    made = version(*ops)
    named = definitions(made)
    names = [field["name"] for node, _, _ in nodes(made) for field in node.get("fields", ())]
    unique = len(names) == len(set(names))
    # A change may take a type's definition away from those that refer to it.
    complete = "Party" not in str(made).replace("'name': 'casebus.Party'", "") or "casebus.Party" in named
    first = str(made).find("casebus.Party")
    defined = str(made).find("'name': 'casebus.Party'")
    return made if unique and complete and (first < 0 or 0 <= defined <= first) else None


@pytest.mark.thorough
@settings(max_examples=made_up(300), deadline=None)
@given(st.lists(_OPS, max_size=4), st.lists(_OPS, max_size=4))
def test_agrees_with_fastavro(one: list[Op], other: list[Op]) -> None:
    """Where we see no problem fastavro reads every sample; where we see one it fails on some."""
    writer, reader = _schema(one), _schema(other)
    if writer is None or reader is None:
        return
    problems = read_problems(reader, writer)
    failures = []
    for turn in range(30):
        try:
            read_back(writer, reader, turn)
        except Exception as error:  # noqa: BLE001 -- whatever it raises, it did not read
            failures.append(repr(error))
    assert bool(failures) == bool(problems), (failures[:1], [p.text for p in problems], normalised(reader))


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        ("long", "int"),
        ("double", "long"),
        (["null", "long"], "int"),
        (["null", "string"], ["null", "string"]),
        ({"type": "array", "items": "double"}, {"type": "array", "items": "int"}),
        ({"type": "map", "values": ["null", "int"]}, {"type": "map", "values": "int"}),
    ],
)
def test_reads(reader: Any, writer: Any) -> None:
    """A reader promotes numbers and takes what one of its branches takes, but not the other way."""
    assert read_problems(reader, writer) == []
    assert bool(read_problems(writer, reader)) == (reader != writer)


def test_types_within_themselves() -> None:
    """A type that holds itself is compared once and to its end."""
    tree: dict[str, Any] = {
        "type": "record",
        "name": "Tree",
        "fields": [
            {"name": "value", "type": "int"},
            {"name": "children", "type": {"type": "array", "items": "Tree"}},
        ],
    }
    other = {**tree, "fields": [{"name": "value", "type": "string"}, tree["fields"][1]]}
    assert read_problems(tree, tree) == []
    assert [problem.place.path for problem in read_problems(other, tree)] == ["value"]


@pytest.mark.parametrize("name", [["a"], [], {"a": 1}, 3, None], ids=repr)
def test_a_name_that_is_no_text_is_no_schema(name: Any) -> None:
    """The name of a field, at the top or further inside, is a text: anything else is one problem."""
    record = {"type": "record", "name": "Sent", "fields": [{"name": name, "type": "int"}]}
    for sent in (record, version(add(of("sent", ["null", record])))):
        (problem,) = incompatibilities(sent, [("version 1", BASE)])
        assert problem.rule == "malformed"
        assert [found.text for found in lint(sent)]


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 20)
    | st.sampled_from(["record", "enum", "fixed", "array", "map", "int", "string", "null", "a", "b.c", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=6)
        | st.fixed_dictionaries(
            {"type": st.just("record"), "name": inner, "fields": st.lists(inner, max_size=2)}
        )
        | st.fixed_dictionaries({"name": st.sampled_from(["a", "b"]), "type": inner, "aliases": inner})
    ),
    max_leaves=16,
)


@pytest.mark.thorough
@settings(max_examples=made_up(500), deadline=None)
@given(_JSON)
def test_any_json_gets_a_verdict(sent: Any) -> None:
    """Whatever JSON somebody sends as a schema is judged, never an error of the program."""
    for problem in [*lint(sent), *incompatibilities(sent, [("version 1", BASE)])]:
        assert problem.text
    inside = version(add(of("sent", ["null", sent])))
    for problem in [*lint(inside), *incompatibilities(inside, [("version 1", BASE)])]:
        assert problem.text
