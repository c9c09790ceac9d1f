"""Limits of lists and texts: beside the fields in the schema files, outside the published schemas."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from casebus_schemas.catalogue.avro_files import (
    annotated,
    event_file,
    event_files,
    inlined,
    shared_file,
    shared_files,
)
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.limits import (
    HOUSE_ATTRIBUTES,
    MOST_CHARS,
    MOST_ITEMS,
    Excess,
    limits_of,
    lint_limits,
)
from casebus_schemas.wire.codec import encode
from support.events.signed_events import referral

CATALOG = Catalog.load()
SCHEMA = CATALOG.latest("referral.submitted")
SUSPECT: dict[str, Any] = {"ref": "", "kind": "natural", "name": None, "role": None, "tokens": []}
ANNEX = {"kind": "transfer_letter", "title": "", "sha256": None, "size": None, "media_type": None}
CHARGE = {"suspect": "", "article": "", "name": None}


def _whole(**changes: Any) -> Mapping[str, Any]:
    return {"earlier_penalties": [], "approved_at": None, "sealed": None, **referral(**changes)}


@pytest.mark.parametrize(
    ("field", "most", "item"),
    [("suspects", 500, SUSPECT), ("charges", 2_000, CHARGE), ("annexes", 5_000, ANNEX)],
)
def test_a6_a_list_is_limited(field: str, most: int, item: dict[str, Any]) -> None:
    """A list may be as long as its limit and not one longer; the excess names pointer, count and limit."""
    empty: dict[str, Any] = {"suspects": [], "charges": [], "amounts": []}
    data = _whole(**{**empty, field: [item] * most})
    assert [one for one in SCHEMA.limits.exceeded(_complete(data)) if one.pointer] == []
    data = _whole(**{**empty, field: [item] * (most + 1)})
    first = SCHEMA.limits.exceeded(_complete(data))[0]
    assert first == Excess(f"/{field}", "items", most + 1, most)


def test_a6_items_of_all_lists_together_are_limited() -> None:
    """Many lists within their limits are too much together, the lists within lists counted."""
    suspects = [{**SUSPECT, "tokens": [bytes(32)] * 11} for _ in range(400)]
    found = SCHEMA.limits.exceeded(_complete(_whole(suspects=suspects, charges=[CHARGE] * 300)))
    assert found == [Excess("", "list items in all", 400 * 12 + 300 + 2, MOST_ITEMS)]


def test_a3_a_text_is_limited_in_characters() -> None:
    """A text of the limit is fine in any script; each one beyond is named with its place."""
    texts = ["罚" * MOST_CHARS, "罚" * (MOST_CHARS + 1), "", "a" * 900_000]
    found = SCHEMA.limits.exceeded(_complete(_whole(charges=[], earlier_penalties=texts)))
    assert found == [
        Excess("/earlier_penalties/1", "characters", MOST_CHARS + 1, MOST_CHARS),
        Excess("/earlier_penalties/3", "characters", 900_000, MOST_CHARS),
    ]


@pytest.mark.parametrize("schema", CATALOG.schemas(), ids=lambda schema: f"{schema.type}.{schema.version}")
def test_a6_what_is_called_harmless_breaks_no_limit(schema: Any) -> None:
    """A list one beyond its limit, of the smallest items, never fits into the bytes called harmless."""
    for name, most, item in (("suspects", 500, SUSPECT), ("charges", 2_000, CHARGE)):
        if name in {field["name"] for field in schema.schema["fields"]} and schema.type == SCHEMA.type:
            empty = referral(suspects=[], charges=[], security=None)
            value = encode(schema, {**empty, name: [item] * (most + 1)})
            assert len(value) > schema.limits.harmless_bytes
    assert schema.limits.harmless_bytes >= 2_000


def test_a6_limits_are_no_part_of_the_published_schema() -> None:
    """Neither schemas as published nor their fingerprints know the attributes of the house."""
    for type, version in event_files():
        text = json.dumps(inlined(type, version))
        assert not any(f'"{name}"' in text for name in HOUSE_ATTRIBUTES)
    assert '"max_items": 500' in json.dumps(annotated("referral.submitted", 1))


def test_a6_every_file_of_the_house_has_sound_limits() -> None:
    """The gate finds nothing to say of the limits in the schema files."""
    for type, version in event_files():
        assert list(lint_limits(event_file(type, version))) == []
    for name, version in shared_files():
        assert list(lint_limits(shared_file(name, version))) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"max_items": 0}, "/fields/0/max_items"),
        ({"max_items": "many"}, "/fields/0/max_items"),
        ({"max_items": MOST_ITEMS + 1}, "/fields/0/max_items"),
        ({"max_chars": None}, "/fields/0/max_chars"),
        ({"several_lines": "yes"}, "/fields/0/several_lines"),
        ({"type": "long", "max_chars": 5}, "/fields/0/max_chars"),
        ({"type": "string", "max_items": 5}, "/fields/0/max_items"),
        ({"type": "boolean", "several_lines": True}, "/fields/0/several_lines"),
    ],
)
def test_a6_a_list_or_text_without_a_limit_is_refused(changes: dict[str, Any], place: str) -> None:
    """A limit that is none, or that its field cannot have, is a problem of the schema with its place."""
    field = {"name": "texts", "type": {"type": "array", "items": "string"}, **changes}
    (problem,) = lint_limits({"type": "record", "name": "casebus.x.Y", "fields": [field]})
    assert (problem.rule, problem.place.pointer) == ("limit", place)


def test_a6_a_field_may_say_its_own_limits() -> None:
    """What a field says counts before what its record or the default says."""
    fields = [
        {"name": "texts", "type": {"type": "array", "items": "string"}, "max_items": 2, "max_chars": 3},
        {"name": "text", "type": ["null", "string"], "max_chars": 5},
    ]
    limits = limits_of({"type": "record", "name": "casebus.x.Y", "fields": fields})
    assert limits.exceeded({"texts": ["abc", "abcd"], "text": "abcdef"}) == [
        Excess("/texts/1", "characters", 4, 3),
        Excess("/text", "characters", 6, 5),
    ]
    assert limits.exceeded({"texts": ["", "", ""], "text": None}) == [Excess("/texts", "items", 3, 2)]
    assert limits.harmless_bytes == 2


def _complete(data: Mapping[str, Any]) -> dict[str, Any]:
    """All fields present, as the codec and the door give them."""
    envelope = {"cc": [], "legal_basis": [], "message_no": None, **data["envelope"]}
    return {**data, "envelope": envelope}
