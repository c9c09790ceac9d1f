"""Lint of every schema file: documented, defaulted, marked, bounded, and agreeing with the lock."""

import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from casebus_schemas.catalogue.avro_files import event_file, event_files, inlined, shared_file, shared_files
from casebus_schemas.catalogue.schema_lock import (
    FIRST_ID,
    grown,
    lock_problems,
    lock_text,
    next_id,
    parse_lock,
    written,
)
from casebus_schemas.errors import UsageError

EVENTS = event_files()
SHARED = shared_files()


def _lists(path: tuple[str, int]) -> str:
    return f"{path[0]}.{path[1]}"


def _inner(schema: Any) -> Any:
    if isinstance(schema, list):
        (schema,) = [branch for branch in schema if branch != "null"]
    if isinstance(schema, dict) and schema["type"] == "array":
        return _inner(schema["items"])
    return schema


def _nodes(schema: Any, depth: int = 1) -> Iterator[tuple[dict[str, Any], int]]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _nodes(branch, depth)
    elif isinstance(schema, dict):
        yield schema, depth
        for field in schema.get("fields", ()):
            yield from _nodes(field["type"], depth + 1)
        yield from _nodes(schema.get("items"), depth + 1)


def _check_field(field: dict[str, Any]) -> None:
    assert field["doc"].strip(), field
    assert field["zh"].strip(), field
    nullable = isinstance(field["type"], list)
    if nullable:
        assert field["type"][0] == "null", field
        assert len(field["type"]) == 2, field
        assert "default" in field, field
        assert field["default"] is None, field
    inner = _inner(field["type"])
    if inner in ("string", "bytes"):
        assert field["pii"] in ("none", "low", "high"), field


@pytest.mark.parametrize(("name", "version"), SHARED, ids=map(_lists, SHARED))
def test_shared_type(name: str, version: int) -> None:
    """A shared type bears its file's name and is documented in two languages; an enum has a default."""
    schema = shared_file(name, version)
    assert schema["name"] == f"casebus.{name}"
    assert schema["doc"].strip()
    assert schema["zh"].strip()
    if schema["type"] == "enum":
        assert schema["default"] in schema["symbols"]
    for field in schema.get("fields", ()):
        _check_field(field)


@pytest.mark.parametrize(("type", "version"), EVENTS, ids=map(_lists, EVENTS))
def test_event_file(type: str, version: int) -> None:
    """An event's record is named after its type, documented, with the envelope first and sealed last."""
    schema = event_file(type, version)
    family, verb = type.split(".")
    assert schema["name"] == f"casebus.{family}.{''.join(word.capitalize() for word in verb.split('_'))}"
    assert schema["doc"].strip()
    assert schema["zh"].strip()
    for field in schema["fields"]:
        _check_field(field)
    names = [field["name"] for field in schema["fields"]]
    if not type.startswith("receipt.") or type in ("receipt.delivered", "receipt.signed"):
        assert names[0] == "envelope"
        assert names[-1] == "sealed"
        sealed = schema["fields"][-1]
        assert (sealed["type"], sealed["pii"]) == (["null", "bytes"], "high")


@pytest.mark.parametrize(("type", "version"), EVENTS, ids=map(_lists, EVENTS))
def test_only_sealed_holds_personal_data(type: str, version: int) -> None:
    """No field in clear is marked pii: high."""
    marked = [
        field["name"]
        for node, _ in _nodes(inlined(type, version))
        for field in node.get("fields", ())
        if field.get("pii") == "high"
    ]
    assert set(marked) <= {"sealed"}


@pytest.mark.parametrize(("type", "version"), EVENTS, ids=map(_lists, EVENTS))
def test_inlined_schema_is_bounded_avro(type: str, version: int) -> None:
    """An inlined schema is valid Avro of at most 300 fields, depth 16 and 64 KiB."""
    schema = inlined(type, version)
    fastavro.parse_schema(json.loads(json.dumps(schema)))
    nodes = list(_nodes(schema))
    assert sum(len(node.get("fields", ())) for node, _ in nodes) <= 300
    assert max(depth for _, depth in nodes) <= 16
    text = json.dumps(schema, ensure_ascii=False)
    assert len(text.encode()) <= 64 * 1024
    assert '"zh": ' not in text
    assert "@" not in text


@pytest.mark.parametrize(("type", "version"), EVENTS, ids=map(_lists, EVENTS))
def test_list_items_take_room(type: str, version: int) -> None:
    """No list has items of no bytes, which would let a few bytes stand for endless items."""
    schema = inlined(type, version)
    named = {node["name"]: node for node, _ in _nodes(schema) if "name" in node}
    for node, _ in _nodes(schema):
        if node["type"] == "array":
            item = (
                named.get(node["items"], node["items"]) if isinstance(node["items"], str) else node["items"]
            )
            assert item != "null"
            if isinstance(item, dict) and item["type"] == "record":
                assert item["fields"]


def test_lock_and_files_agree() -> None:
    """The lock has exactly the schema files, each with the fingerprint that its file gives."""
    locked = [(line.type, line.version, line.fingerprint) for line in parse_lock(lock_text())]
    assert sorted(locked) == sorted(written())
    assert len(locked) == len({entry[2] for entry in locked})


def test_lock_does_not_grow_without_new_files() -> None:
    """Growing an up to date lock changes nothing."""
    assert grown(lock_text(), written()) == lock_text()


def test_lock_only_grows() -> None:
    """A new version gets the next id at the end; the first id of all is 100001."""
    first = grown("", [("a.b", 1, b"\1" * 32)])
    second = grown(first, [("a.b", 1, b"\1" * 32), ("a.a", 1, b"\2" * 32)])
    assert second.splitlines()[:2] == first.splitlines()[:2]
    assert [(line.id, line.type) for line in parse_lock(second)] == [
        (FIRST_ID, "a.b"),
        (FIRST_ID + 1, "a.a"),
    ]
    assert FIRST_ID == 100001


def test_locked_schema_cannot_change() -> None:
    """A locked version with another fingerprint is an error that says what to do."""
    locked = grown("", [("a.b", 1, b"\1" * 32)])
    with pytest.raises(UsageError, match="new version"):
        grown(locked, [("a.b", 1, b"\2" * 32)])


@pytest.mark.parametrize("row", ["100001 a.b one 00", "99999 a.b 1 00", "100001 a.b 1"])
def test_malformed_lock(row: str) -> None:
    """A line that is no lock line is an error."""
    with pytest.raises(UsageError):
        parse_lock(row)


def test_ids_rise() -> None:
    """Two lines with one id are an error."""
    with pytest.raises(UsageError, match="rise"):
        parse_lock(f"100001 a.b 1 {'00' * 32}\n100001 a.c 1 {'01' * 32}\n")


_SOME = [("a.a", 1, b"\1" * 32), ("a.b", 1, b"\2" * 32), ("a.c", 1, b"\3" * 32)]


def test_the_id_of_a_deleted_schema_is_never_given_again() -> None:
    """A schema that is deleted keeps its id, with its line or without it; the next schema gets another."""
    full = grown("", _SOME)
    new = ("a.d", 1, b"\4" * 32)
    for gone in range(3):
        left = [schema for index, schema in enumerate(_SOME) if index != gone]
        cut = "".join(row for row in full.splitlines(True) if not row.startswith(str(FIRST_ID + gone)))
        for text in (full, cut):
            again = {line.type: line.id for line in parse_lock(grown(text, [*left, new]))}
            assert again["a.d"] == FIRST_ID + 3
            assert [again[type_] for type_, _, _ in left] == [
                FIRST_ID + index for index in range(3) if index != gone
            ]
            assert lock_problems(grown(text, [*left, new]), [*left, new])


def test_a_deleted_schema_may_come_back_only_as_itself() -> None:
    """Its line still stands for what it was: the same schema is welcome, another one is refused."""
    full = grown("", _SOME)
    assert grown(grown(full, _SOME[:2]), _SOME) == full
    with pytest.raises(UsageError, match="new version"):
        grown(full, [("a.c", 1, b"\7" * 32)])


@pytest.mark.parametrize(
    ("text", "schemas", "message"),
    [
        ("", _SOME[:1], "has no id"),
        (grown("", _SOME), _SOME[:2], "is gone"),
        (grown("", _SOME), [*_SOME[:2], ("a.c", 1, b"\7" * 32)], "was changed"),
        (grown("", _SOME).replace(f"{FIRST_ID + 1} a.b 1 {'02' * 32}\n", ""), _SOME, "lost its line"),
        (grown("", _SOME).replace(f"{FIRST_ID + 2} a.c 1 {'03' * 32}\n", ""), _SOME[:2], "lost its line"),
    ],
)
def test_lock_problems(text: str, schemas: list[tuple[str, int, bytes]], message: str) -> None:
    """A lock that lost a line, and files that it does not agree with, are told."""
    assert message in " ".join(problem.text for problem in lock_problems(text, schemas))


def test_an_earlier_lock_holds_for_ever() -> None:
    """An id that stood for one schema may not stand for another, or for none, later."""
    earlier = grown("", _SOME[:2])
    assert lock_problems(grown(earlier, _SOME), _SOME, earlier) == []
    other = [_SOME[0], _SOME[2]]
    (problem,) = lock_problems(grown("", other), other, earlier)
    assert problem.message == f"the id {FIRST_ID + 1} was given to a.b version 1"
    assert problem.found == "a.c version 1"


def test_the_lock_of_this_package_is_sound() -> None:
    """Every id has its line, every line its file, and the next id is beyond them all."""
    assert lock_problems(lock_text(), written()) == []
    assert next_id(lock_text()) == parse_lock(lock_text())[-1].id + 1
