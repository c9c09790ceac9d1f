"""The compiled functions: they read and write what the careful ones do, and leave the rest to them."""

from functools import cache
from random import Random
from typing import Any

import pytest

from casebus_schemas.catalogue.catalog import WORTH_COMPILING, Catalog, EventSchema
from casebus_schemas.errors import Refused, UsageError
from casebus_schemas.wire.codec import FRAME_LENGTH, decode, encode, encode_raw
from casebus_schemas.wire.compiled_avro import Write, compiled_reader, compiled_writer
from casebus_schemas.wire.door import parse_event
from casebus_schemas.wire.logical import without_logical_types
from casebus_schemas.wire.strict_avro import Read
from support.events.mutated_events import CHAIN, EXAMPLES

CATALOG = Catalog.load()
MUTATIONS = 1_500
_DAMAGE = (ValueError, LookupError, TypeError, OverflowError)


def _compiled(schema: EventSchema) -> tuple[Read, Write]:
    return (
        compiled_reader(schema.annotated, any_text=False),
        compiled_writer(without_logical_types(schema.annotated)),
    )


@cache
def _example(name: str) -> tuple[EventSchema, dict[str, Any]]:
    event = parse_event({**EXAMPLES[name], "subject": CHAIN}, CATALOG)
    return CATALOG.latest(event.type), event.data


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_written_and_read_alike(name: str) -> None:
    """Every example has the same bytes and the same values in their order, whichever is asked."""
    schema, data = _example(name)
    value = encode(schema, data)
    read, write = _compiled(schema)
    body = bytearray(value[:FRAME_LENGTH])
    write(body, schema.to_raw(data))
    assert bytes(body) == value
    raw, end = schema.read(value, FRAME_LENGTH)
    careful = schema.to_python(raw)
    assert read(value, FRAME_LENGTH) == (careful, end)
    assert repr(read(value, FRAME_LENGTH)[0]) == repr(careful)


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_body_is_read_alike_or_left(seed: int) -> None:
    """Of changed bytes the compiled reader makes what the careful one makes, or nothing of their length."""
    random, alike = Random(seed), 0
    names = [name for name in EXAMPLES if name.startswith(("referral.", "outcome.", "asset.", "finding."))]
    readers: dict[int, Read] = {}
    for _ in range(MUTATIONS // 3):
        schema, data = _example(random.choice(names))
        value = bytearray(encode(schema, data))
        at = random.randrange(FRAME_LENGTH, len(value))
        match random.randrange(4):
            case 0:
                value[at] = random.choice((0, 1, 2, 3, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case 1:
                value[at : at + 1] = bytes((value[at] | 0x80, 0))
            case 2:
                value[at:at] = bytes((random.randrange(256),))
            case _:
                del value[at]
        if schema.id not in readers:
            readers[schema.id] = _compiled(schema)[0]
        try:
            quick, end = readers[schema.id](bytes(value), FRAME_LENGTH)
        except _DAMAGE:
            continue
        if end != len(value):
            continue
        raw, careful_end = schema.read(bytes(value), FRAME_LENGTH)
        assert (schema.to_python(raw), careful_end) == (quick, end)
        alike += 1
    assert alike > 20


def _often(type: str) -> tuple[EventSchema, dict[str, Any]]:
    """A schema whose functions are compiled, and an example of it."""
    name = next(name for name in EXAMPLES if name.startswith(type))
    schema, data = _example(name)
    for _ in range(WORTH_COMPILING + 1):
        decode(CATALOG, encode(schema, data))
    assert schema.often.read is not None
    assert schema.often.write is not None
    return schema, data


def test_what_is_wrong_is_said_as_ever() -> None:
    """A value that does not fit and a body that is cut off raise the errors of the careful functions."""
    schema, data = _often("referral.submitted")
    value = encode(schema, data)
    with pytest.raises(Refused) as refused:
        decode(CATALOG, value[:-1])
    assert refused.value.code == "bad-body"
    with pytest.raises(Refused, match="bytes left over"):
        decode(CATALOG, value + b"\0")
    raw = schema.to_raw(data)
    for wrong in ({**raw, "envelope": None}, {**raw, "envelope": {**raw["envelope"], "handling": "H9"}}):
        with pytest.raises(UsageError, match="the data do not fit"):
            encode_raw(schema, wrong)


def test_a_control_character_is_refused_with_its_place() -> None:
    """A text with a control character is refused by name of its field, compiled or not."""
    schema, data = _often("referral.submitted")
    raw = schema.to_raw(data)
    raw["suspects"][0]["name"] = "a\x07b"
    with pytest.raises(Refused) as refused:
        decode(CATALOG, encode_raw(schema, raw))
    assert (refused.value.code, refused.value.pointer) == ("bad-body", "/data/suspects/0/name")


def test_defaults_stand_for_what_is_left_out() -> None:
    """A raw value without a field that has a default is written with it."""
    schema, data = _often("referral.submitted")
    raw = schema.to_raw(data)
    without = {name: value for name, value in raw.items() if name != "sealed"}
    assert encode_raw(schema, without) == encode_raw(schema, {**raw, "sealed": None})
