"""Event headers: what is refused, and what is carried unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.errors import Refused
from casebus_schemas.times import parse_utc_text, utc_text
from casebus_schemas.wire.base64url import from_base64url, to_base64url
from casebus_schemas.wire.headers import EventHeaders

GOOD: dict[str, bytes | None] = {
    "ce_specversion": b"1.0",
    "ce_id": b"0190163d-8694-739b-aea5-966c26f8ad91",
    "ce_source": b"/csrc/shanghai-office",
    "ce_type": b"referral.submitted",
    "ce_time": b"2016-10-17T16:00:00Z",
    "ce_subject": b"7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44",
    "ce_dataschema": b"sha256:" + b"0" * 64,
    "content-type": b"application/avro",
    "casebus-producer": b"csrc-1.1",
    "casebus-seq": b"1",
    "casebus-prev": to_base64url(bytes(32)).encode(),
    "casebus-sig": to_base64url(bytes(98)).encode(),
}


def test_good_headers_are_read() -> None:
    """Headers with every required field are accepted, unknown ones passed over."""
    parsed = EventHeaders.parse([*GOOD.items(), ("x-other", None)])
    assert (parsed.time_ms, parsed.seq, parsed.prev) == (1476720000000, 1, bytes(32))


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b" ", "１".encode()])
def test_a_bad_value_is_refused(name: str, value: bytes | None) -> None:
    """A known header that is null, empty, not ASCII or misshapen is refused by name."""
    with pytest.raises(Refused) as caught:
        EventHeaders.parse((GOOD | {name: value}).items())
    assert caught.value.code == "bad-headers"
    assert name in caught.value.detail


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_or_double_header_is_refused(name: str) -> None:
    """Each required header must stand exactly once."""
    without = [pair for pair in GOOD.items() if pair[0] != name]
    for headers in (without, [*GOOD.items(), (name, GOOD[name])]):
        with pytest.raises(Refused, match=name):
            EventHeaders.parse(headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("casebus-seq", b"01"),
        ("casebus-seq", str(2**64 - 1).encode()),
        ("ce_time", b"2016-02-30T00:00:00Z"),
        ("ce_time", b"2016-10-17T16:00:00"),
        ("ce_id", b"0190163D-8694-739B-AEA5-966C26F8AD91"),
        ("casebus-admission", b"{}"),
        ("ce_extra", b"1"),
        ("ce_time", b"2016-10-17T16:00:00.Z"),
        ("ce_time", b"2016-10-17T16:00:00.1234567890Z"),
        ("ce_datacontenttype", b"application/json"),
        ("ce_partitionkey", b"0190163d-8694-739b-aea5-966c26f8ad91"),
    ],
)
def test_a_lie_in_shape_is_refused(name: str, value: bytes) -> None:
    """Other spellings of the same value, and names reserved for the bus, are refused."""
    with pytest.raises(Refused):
        EventHeaders.parse((GOOD | {name: value}).items())


@pytest.mark.parametrize("fraction", ["1", "12", "123", "1239", "123999", "123999999"])
def test_c20_of_a_fraction_the_milliseconds_count(fraction: str) -> None:
    """A time with 1 to 9 digits of fraction is cut to milliseconds, also before 1970, and kept."""
    whole = int(fraction[:3].ljust(3, "0"))
    for second in ("2016-10-17T16:00:00", "1961-10-17T16:00:00"):
        said = f"{second}.{fraction}Z"
        for headers in (GOOD | {"ce_time": said.encode()}, GOOD | {"x": b"", "ce_time": said.encode()}):
            parsed = EventHeaders.parse(headers.items())
            assert (parsed.time_ms % 1000, parsed.time) == (whole, said)


def test_c20_what_an_sdk_says_twice_is_taken_when_equal() -> None:
    """Content type and key may stand a second time under CloudEvents' own names."""
    more = {"ce_datacontenttype": GOOD["content-type"], "ce_partitionkey": GOOD["ce_subject"]}
    assert EventHeaders.parse([*more.items(), *GOOD.items()]) == EventHeaders.parse(GOOD.items())


_CONTEXT = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"


@pytest.mark.parametrize("name", ["traceparent", "tracestate", "ce_traceparent", "ce_tracestate"])
@pytest.mark.parametrize(
    "values", [[b"01-later-version"], [b""], [None], [_CONTEXT, _CONTEXT], [b"x", _CONTEXT]]
)
def test_e10_tracing_decides_nothing(name: str, values: list[bytes | None]) -> None:
    """Twice, of a later version, empty or misshapen: an event is read as it is without."""
    parsed = EventHeaders.parse([*GOOD.items(), *((name, value) for value in values)])
    known = _CONTEXT.decode() if name == "traceparent" and _CONTEXT in values else None
    assert parsed == EventHeaders.parse(GOOD.items())._replace(traceparent=known)


def test_too_many_or_too_large_headers_are_refused() -> None:
    """Headers beyond the limits are refused before they are read."""
    with pytest.raises(Refused, match="number"):
        EventHeaders.parse([*GOOD.items(), *((f"x{i}", b"") for i in range(40))])
    with pytest.raises(Refused, match="size"):
        EventHeaders.parse([*GOOD.items(), ("x", bytes(9000))])


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_times_round_trip(time_ms: int) -> None:
    """Milliseconds survive their text."""
    assert parse_utc_text(utc_text(time_ms)) == time_ms


@given(st.binary(min_size=1, max_size=100))
def test_base64url_round_trips(raw: bytes) -> None:
    """Bytes survive base64url, and only the canonical spelling is read."""
    text = to_base64url(raw)
    assert from_base64url(text, len(raw)) == raw
    with pytest.raises(ValueError):
        from_base64url(text + "=", len(raw))


_A_VALUE = st.one_of(
    st.none(), st.binary(max_size=140), st.sampled_from([value for value in GOOD.values() if value])
)


def _outcome(headers: list[tuple[str, bytes | None]]) -> EventHeaders | str:
    try:
        return EventHeaders.parse(headers)
    except Refused as refused:
        return refused.detail


@given(
    st.sampled_from(sorted(GOOD)),
    _A_VALUE,
    st.integers(0, 140),
    st.sampled_from([b"", b"\n", b"A", b"=", b"9"]),
)
def test_the_order_of_headers_changes_nothing(
    name: str, value: bytes | None, at: int, inserted: bytes
) -> None:
    """Headers as the bus writes them are read as those of any other order, right or wrong."""
    if value is None:
        good = GOOD[name] or b""
        value = good[:at] + inserted + good[at:]
    usual = list((GOOD | {name: value}).items())
    assert _outcome(usual) == _outcome(usual[::-1])
