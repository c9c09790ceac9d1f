"""The codec: exact there and back, and every damaged value a refusal."""

import random
import time
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused, UsageError
from casebus_schemas.wire.codec import MAX_VALUE_BYTES, decode, encode, frame_id, peek_envelope
from support.cases.event_data import event_data
from support.cases.made_up import made_up

CATALOG = Catalog.load()
TYPES = sorted(CATALOG.types)
SUBMITTED = CATALOG.latest("referral.submitted")

ENVELOPE: dict[str, Any] = {
    "message_class": "initial",
    "to": ["mps"],
    "cc": ["spp"],
    "local_refs": [{"issuer": "csrc", "scheme": "case", "value": "EXAMPLE-1"}],
    "occurred_at": datetime(2016, 10, 17, 16, tzinfo=UTC),
    "precision": "day",
    "date_basis": "stated",
    "handling": "H1",
    "obligation": UUID(int=7),
}
DATA: dict[str, Any] = {
    "envelope": ENVELOPE,
    "security": {"market": "SSE"},
    "suspects": [{"ref": "S1", "kind": "natural", "name": "甲某", "tokens": [b"\7" * 32]}],
    "charges": [{"suspect": "S1", "article": "180(4)"}],
    "amounts": [
        {
            "basis": "illegal_gain",
            "value": Decimal("46190000.00"),
            "currency": "CNY",
            "period": {"from": date(2009, 4, 1), "to": date(2013, 2, 28)},
        }
    ],
}
VALUE = encode(SUBMITTED, DATA)


@pytest.mark.parametrize("type", TYPES)
@settings(max_examples=made_up(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choices=st.data())
def test_round_trip(type: str, choices: st.DataObject) -> None:
    """Whatever a schema allows comes back equal, and its envelope read alone is the same."""
    schema = CATALOG.latest(type)
    data = choices.draw(event_data(schema))
    value = encode(schema, data)
    assert decode(CATALOG, value) == (schema, data)
    envelope = peek_envelope(CATALOG, value)
    assert set(envelope) == set(data.get("envelope", {}))
    if envelope:
        assert envelope["to"] == data["envelope"]["to"]


def test_defaults_are_filled() -> None:
    """Fields with a default may be left out and come back as the default."""
    _, data = decode(CATALOG, VALUE)
    assert data["annexes"] == []
    assert data["sealed"] is None
    assert data["security"] == {"market": "SSE", "code": None, "name": None}
    assert data["amounts"][0]["value"] == Decimal("46190000.00")
    assert data["envelope"]["occurred_at"] == ENVELOPE["occurred_at"]


def test_frame() -> None:
    """A value begins with a zero byte and the schema's id, most significant byte first."""
    assert VALUE[:5] == b"\0" + SUBMITTED.id.to_bytes(4, "big")
    assert frame_id(VALUE) == SUBMITTED.id


def test_peeked_envelope_is_raw() -> None:
    """The envelope read alone gives milliseconds and bytes, without the cost of Python's types."""
    envelope = peek_envelope(CATALOG, VALUE)
    assert envelope["occurred_at"] == 1476720000000
    assert envelope["obligation"] == UUID(int=7).bytes
    assert envelope["to"] == ["mps"]


@pytest.mark.parametrize("value", [None, b"", b"\0\0\1\x86", b"\1\0\1\x86\xa1rest"])
def test_bad_frame(value: bytes | None) -> None:
    """A value that is null, short, or begins otherwise is no frame."""
    with pytest.raises(Refused) as refused:
        decode(CATALOG, value)
    assert refused.value.code == "bad-frame"


def test_unknown_schema() -> None:
    """An id that is not in the lock is refused as such."""
    with pytest.raises(Refused) as refused:
        decode(CATALOG, b"\0\0\0\0\1" + VALUE[5:])
    assert refused.value.code == "unknown-schema"


def test_too_large() -> None:
    """A value beyond the topic's limit is refused before it is read."""
    with pytest.raises(Refused) as refused:
        decode(CATALOG, VALUE + bytes(MAX_VALUE_BYTES))
    assert refused.value.code == "too-large"


def test_too_large_to_say() -> None:
    """Data beyond the topic's limit are the caller's error, not a surprise at the broker."""
    with pytest.raises(UsageError, match="too large"):
        encode(SUBMITTED, {**DATA, "earlier_penalties": ["x" * MAX_VALUE_BYTES]})


@pytest.mark.parametrize("tail", [b"\0", VALUE])
def test_bytes_left_over(tail: bytes) -> None:
    """Bytes after the record are refused."""
    with pytest.raises(Refused) as refused:
        decode(CATALOG, VALUE + tail)
    assert refused.value.code == "bad-body"


def test_every_cut_is_refused() -> None:
    """A value cut anywhere is refused."""
    for length in range(5, len(VALUE)):
        with pytest.raises(Refused) as refused:
            decode(CATALOG, VALUE[:length])
        assert refused.value.code == "bad-body"


HUGE = [
    bytes.fromhex("feffffffffffffffff01"),
    bytes.fromhex("ffffffffffffffffff01"),
    bytes.fromhex("feffffff0f"),
    b"\x01",
    b"\x80" * 9 + b"\x7f",
    b"\xff" * 20,
]


def _mutated(chance: random.Random) -> bytes:
    value = bytearray(VALUE)
    for _ in range(chance.choice([1, 1, 2, 5])):
        place = chance.randrange(5, len(value)) if len(value) > 5 else 5
        match chance.randrange(4):
            case 0:
                value[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del value[place : place + chance.randrange(1, 20)]
            case 2:
                value[place:place] = chance.choice(HUGE)
            case _:
                del value[place:]
    return bytes(value)


@pytest.mark.thorough
def test_mutations_are_read_or_refused() -> None:
    """Of 100,000 mutated values each is read, or refused as a bad body, at once; memory stays flat."""
    chance = random.Random(20220909)
    codes: Counter[str] = Counter()
    process = psutil.Process()
    resident = 0
    for number in range(100_000):
        if number == 20_000:
            resident = process.memory_info().rss
        value = _mutated(chance)
        begun = time.perf_counter()
        try:
            schema, data = decode(CATALOG, value)
        except Refused as error:
            codes[error.code] += 1
        else:
            # What is read can be said again: no reader downstream meets a value out of range.
            assert decode(CATALOG, encode(schema, data)) == (schema, data)
            codes["read"] += 1
        assert time.perf_counter() - begun < 5
    assert set(codes) == {"read", "bad-body"}
    assert codes["bad-body"] > 50_000
    assert process.memory_info().rss - resident < 20_000_000


@pytest.mark.parametrize(
    "tail",
    [
        b"\xff" * 9 + b"\x01\x00",  # a block of -2^63 items
        b"\xfe" + b"\xff" * 8 + b"\x01",  # a block of 2^63-1 items
        b"\xfe\xff\x7f" + bytes(1_000_000),  # a million empty texts
        b"\x02\x00" * 500_000,  # half a million blocks of one
        b"\x02" + b"\xfe" + b"\xff" * 8 + b"\x01",  # a text of 2^63-1 bytes
    ],
)
def test_bombs(tail: bytes) -> None:
    """Counts and lengths beyond the value are refused quickly."""
    start = VALUE[:6]  # frame, message_class; `to` follows
    begun = time.thread_time()
    with pytest.raises(Refused) as refused:
        decode(CATALOG, (start + tail)[:MAX_VALUE_BYTES])
    assert refused.value.code == "bad-body"
    assert time.thread_time() - begun < 5


@pytest.mark.parametrize(
    ("path", "wrong", "named"),
    [
        (("security", "market"), "NYSE", "market"),
        (("amounts", 0, "value"), Decimal("0.001"), "value"),
        (("amounts", 0, "value"), Decimal("1e999999"), "value"),
        (("amounts", 0, "value"), Decimal("1e-999999"), "value"),
        (("amounts", 0, "value"), Decimal("NaN"), "value"),
        (("amounts", 0, "value"), 46190000, "value"),
        (("amounts", 0, "period", "from"), datetime(2009, 4, 1, tzinfo=UTC), "from"),
        (("envelope", "occurred_at"), datetime(2016, 10, 18), "occurred_at"),
        (("envelope", "occurred_at"), datetime(2016, 10, 18, microsecond=1, tzinfo=UTC), "occurred_at"),
        (("envelope", "corrects"), b"short", "corrects"),
        (("envelope", "obligation"), "not a UUID", "obligation"),
        (("envelope", "to"), "mps", "to"),
        (("suspects", 0, "name"), "甲\0", "name"),
        (("suspects", 0, "name"), "\ud800", "surrogates"),
        (("suspects", 0, "nickname"), "甲", "nickname"),
        (("approved_at",), "yesterday", "approved_at"),
    ],
)
def test_data_that_do_not_fit(path: tuple[str | int, ...], wrong: object, named: str) -> None:
    """Data that the schema does not allow are the caller's error, with the field named."""
    _, data = decode(CATALOG, VALUE)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    with pytest.raises(UsageError, match=named):
        encode(SUBMITTED, data)


def test_missing_field() -> None:
    """A field without a default must be given."""
    with pytest.raises(UsageError, match="handling is missing"):
        encode(SUBMITTED, {"envelope": {k: v for k, v in ENVELOPE.items() if k != "handling"}})


def test_text_with_nul_is_refused() -> None:
    """Text that a database cannot store is refused at admission, not found by every reader."""
    value = VALUE.replace("甲某".encode(), b"a\0b\0c\0")
    assert value != VALUE
    with pytest.raises(Refused) as refused:
        decode(CATALOG, value)
    assert refused.value.code == "bad-body"


def test_time_out_of_range_is_refused() -> None:
    """A time beyond the year 9999 is refused rather than shown wrongly."""
    clock = CATALOG.latest("clock.set")
    value = encode(clock, {"envelope": ENVELOPE, "now": datetime(2016, 1, 1, tzinfo=UTC), "rate": 1.0})
    _, data = decode(CATALOG, value)
    assert data["rate"] == 1.0
    head = value[: -(8 + 1 + 6)]  # before now (6 bytes), rate (8) and sealed (1)
    for far in (b"\xfe" + b"\xff" * 8 + b"\x01", b"\xff" * 9 + b"\x01"):
        with pytest.raises(Refused) as refused:
            decode(CATALOG, head + far + value[-9:])
        assert refused.value.code == "bad-body"
