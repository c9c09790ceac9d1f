"""The fingerprint of a schema, by the pinned vector and rule by rule."""

import json

import pytest

from casebus_schemas.wire.canonical import canonical_json, fingerprint

VECTOR = (
    '{"fields":[{"name":"id","type":{"logicalType":"uuid","name":"a.b.Id","size":16,"type":"fixed"}},'
    '{"default":null,"name":"other","pii":"none","type":["null","a.b.Id"]}],"name":"a.b.Rec","type":"record"}'
)


def test_pinned_vector() -> None:
    """The canonical form of the pinned vector is itself, 200 bytes, with the pinned digest."""
    assert len(VECTOR) == 200
    assert canonical_json(json.loads(VECTOR)) == VECTOR.encode()
    assert fingerprint(json.loads(VECTOR)).hex() == (
        "a4e35c4ee29b46f6471cca93e152c75093bb9853ac109658598f648d30c8754c"
    )


def test_namespaces_and_docs_do_not_matter() -> None:
    """A schema written with namespaces, short names and docs has the fingerprint of its full form."""
    written = {
        "type": "record",
        "name": "Rec",
        "namespace": "a.b",
        "doc": "a record",
        "fields": [
            {
                "name": "id",
                "doc": "an id",
                "type": {"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid", "doc": "16 bytes"},
            },
            {"name": "other", "type": ["null", "Id"], "default": None, "pii": "none"},
        ],
    }
    assert canonical_json(written) == VECTOR.encode()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"type": "enum", "name": "a.E", "symbols": ["x"], "default": "x"}, {"default": "y"}),
        ({"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}, {"scale": 3}),
        ({"type": "fixed", "name": "a.F", "size": 4}, {"aliases": ["G"]}),
        ({"type": "fixed", "name": "a.F", "size": 4}, {"name": "b.F"}),
        ({"type": "array", "items": "string"}, {"items": "bytes"}),
    ],
)
def test_all_else_matters(first: dict[str, object], second: dict[str, object]) -> None:
    """Two schemas that differ in anything but docs have different fingerprints."""
    assert fingerprint(first) != fingerprint({**first, **second})


def test_defaults_are_data() -> None:
    """A default that looks like a schema is kept as it is."""
    field = {
        "name": "f",
        "type": {"type": "map", "values": "string"},
        "default": {"doc": "kept", "type": "Q"},
    }
    form = json.loads(canonical_json({"type": "record", "name": "n.R", "fields": [field]}))
    assert form["fields"][0]["default"] == {"doc": "kept", "type": "Q"}


def test_aliases_become_full_names() -> None:
    """An alias of a named type is written with its namespace."""
    form = json.loads(
        canonical_json({"type": "fixed", "name": "n.F", "size": 1, "aliases": ["Old", "m.Old"]})
    )
    assert form == {"aliases": ["n.Old", "m.Old"], "name": "n.F", "size": 1, "type": "fixed"}


def test_text_is_not_escaped() -> None:
    """Text outside ASCII is hashed as UTF-8."""
    assert "案".encode() in canonical_json({"type": "enum", "name": "n.E", "symbols": ["a"], "zh": "案"})
