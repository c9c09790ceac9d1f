"""The strict reader: it reads what fastavro writes, and nothing that another reader reads otherwise."""

from io import BytesIO
from random import Random
from typing import Any

import fastavro
import pytest

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused
from casebus_schemas.wire.codec import FRAME_LENGTH, decode, encode, encode_raw
from casebus_schemas.wire.door import parse_event
from casebus_schemas.wire.strict_avro import reader_of
from support.events.mutated_events import CHAIN, EXAMPLES

CATALOG = Catalog.load()
MUTATIONS = 6_000


def _written(schema: Any, value: Any) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def _in_blocks(whole: bytes, body: bytes) -> bool:
    """Whether the body tells an array of two in blocks of one: 2 A B 0 as 1 A 1 B 0."""
    at = next(place for place, (ours, theirs) in enumerate(zip(whole, body, strict=False)) if ours != theirs)
    rests = (body[:again] + body[again + 1 :] for again in range(at + 1, len(body)) if body[again] == 2)
    joined = (rest[:at] + b"\x04" + rest[at + 1 :] for rest in rests if body[at] == 2)
    return whole in joined


@pytest.mark.parametrize("name", EXAMPLES)
def test_b11_what_fastavro_writes_is_read_alike(name: str) -> None:
    """Every example is read as fastavro reads it, to its last byte."""
    event = parse_event({**EXAMPLES[name], "subject": CHAIN}, CATALOG)
    schema = CATALOG.latest(event.type)
    value = encode(schema, event.data)
    body = BytesIO(value[FRAME_LENGTH:])
    assert schema.read(value, FRAME_LENGTH) == (
        fastavro.schemaless_reader(body, schema.raw, None),
        len(value),
    )


@pytest.mark.parametrize("seed", range(3))
def test_b11_what_is_read_has_one_form(seed: int) -> None:
    """A changed body is refused, or fastavro reads the same and writes the same bytes again."""
    random, read = Random(seed), 0
    names = [name for name in EXAMPLES if name.startswith(("referral.", "outcome.", "progress."))]
    for _ in range(MUTATIONS // 3):
        event = parse_event({**EXAMPLES[random.choice(names)], "subject": CHAIN}, CATALOG)
        schema = CATALOG.latest(event.type)
        value = bytearray(encode(schema, event.data))
        at = random.randrange(FRAME_LENGTH, len(value))
        match random.randrange(4):
            case 0:
                value[at] = random.choice((0, 1, 2, 3, 0x7F, 0x80, 0xFF, random.randrange(256)))
            case 1:
                value[at : at + 1] = bytes((value[at] | 0x80, 0))  # the same number, one byte longer
            case 2:
                value[at:at] = bytes((random.randrange(256),))
            case _:
                del value[at]
        try:
            raw, end = schema.read(bytes(value), FRAME_LENGTH)
        except (ValueError, LookupError):
            continue
        read += 1
        body = bytes(value[FRAME_LENGTH:end])
        assert fastavro.schemaless_reader(BytesIO(body), schema.raw, None) == raw
        # Texts aside, a value of the same fields has one form; only an array may be told in several blocks.
        whole = _written(schema.raw, raw)
        assert whole == body or b"\x01" in body or b"\x03" in body or _in_blocks(whole, body)
    assert read > 20


RECORD = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "i", "type": "int"},
        {"name": "l", "type": "long"},
        {"name": "t", "type": "string"},
        {"name": "b", "type": "boolean"},
        {"name": "u", "type": ["null", "long"]},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["x", "y"]}},
        {"name": "a", "type": {"type": "array", "items": "long"}},
        {"name": "f", "type": {"type": "fixed", "name": "F", "size": 2}},
        {"name": "d", "type": "double"},
    ],
}
GOOD = [b"\x02", b"\x03", b"\x02a", b"\x01", b"\x00", b"\x02", b"\x04\x02\x04\x00", b"ff", bytes(8)]
READ = reader_of(RECORD)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("i", b"\x80\x80\x80\x80\x20"),  # 2^32: Java reads another number
        ("i", b"\x82\x00"),  # one byte longer than needed
        ("l", b"\xff" * 9 + b"\x02"),  # beyond 64 bits
        ("l", b"\xff" * 300_000),  # without an end
        ("t", b"\x01"),  # a length of -1
        ("t", b"\x80\x80\x80\x80\x80\x20"),  # more than there is
        ("t", b"\x04\xc3\x28"),  # no UTF-8
        ("t", b"\x06\xed\xa0\x80"),  # a surrogate
        ("b", b"\x02"),
        ("u", b"\x01"),  # branch -1
        ("u", b"\x04"),  # branch 2
        ("e", b"\x01"),  # symbol -1
        ("e", b"\x04"),  # symbol 2
        ("a", b"\x03\x06\x02\x04\x00"),  # a block that says 3 bytes and has 2
        ("a", b"\xfe\xff\xff\xff\x0f\x02\x00"),  # two thousand million items
    ],
)
def test_b11_what_others_refuse_is_refused(field: str, body: bytes) -> None:
    """Each way in which a body may lie, or mean something else to another reader, is refused."""
    names = [one["name"] for one in RECORD["fields"]]  # type: ignore[index]  # a record
    assert READ(b"".join(GOOD), 0)[1] == len(b"".join(GOOD))
    parts = [body if name == field else good for name, good in zip(names, GOOD, strict=True)]
    with pytest.raises((ValueError, LookupError)):
        READ(b"".join(parts), 0)


def test_b11_blocks_that_say_their_bytes_are_read() -> None:
    """Arrays in several blocks, with or without their bytes, are what some writers write."""
    parts = [*GOOD[:6], b"\x03\x04\x02\x04\x02\x06\x00", *GOOD[7:]]
    assert READ(b"".join(parts), 0)[0]["a"] == [1, 2, 3]


def test_b11_an_int_beyond_32_bits_is_a_bad_body() -> None:
    """An int beyond 32 bits in an event's body is refused, though a laxer reader gives a number back."""
    event = parse_event({**EXAMPLES["outcome.judgment.1"], "subject": CHAIN}, CATALOG)
    schema = CATALOG.latest(event.type)
    raw = schema.to_raw(event.data)
    raw["results"][0]["sentence_months"] = 100
    assert decode(CATALOG, encode_raw(schema, raw))[1]["results"][0]["sentence_months"] == 100
    raw["results"][0]["sentence_months"] = 2**31 - 1
    value = encode_raw(schema, raw).replace(b"\xfe\xff\xff\xff\x0f", b"\xfe\xff\xff\xff\x1f")
    body = BytesIO(value[FRAME_LENGTH:])
    lax: Any = fastavro.schemaless_reader(body, schema.raw, None)
    assert lax["results"][0]["sentence_months"] > 2**31
    with pytest.raises(Refused) as refused:
        decode(CATALOG, value)
    assert refused.value.code == "bad-body"
