"""Receipts written by hand: the bytes that the schema's own writer gives."""

from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.admission.receipt_bytes import (
    Entry,
    admitted_body,
    event_bytes,
    ledgered_body,
    refused_body,
)
from casebus_schemas.admission.receipts import ADMITTED, LEDGERED, REFUSED
from casebus_schemas.admission.verdict import Admission, Origin, Recipient, Role
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import FRAME_LENGTH, encode_raw

CATALOG = Catalog.load()
_TEXT = st.text(max_size=200)
_MAYBE = st.none() | _TEXT
_EVENT = st.tuples(_MAYBE, _MAYBE, _MAYBE, st.none() | st.binary(min_size=32, max_size=32))
_LONG = st.integers(-(2**63), 2**63 - 1)
_ORIGIN = st.builds(Origin, _TEXT, st.integers(0, 2**31 - 1), _LONG)
_HASH = st.binary(min_size=32, max_size=32)
_ENTRY = st.builds(Entry, _TEXT, _LONG, _LONG, _HASH, _LONG, _HASH)
_ROLES: st.SearchStrategy[Role] = st.sampled_from(["to", "cc", "by-law"])
_TOLD = st.lists(st.builds(Recipient, _TEXT, _ROLES, st.uuids()), max_size=5).map(tuple)

Event = tuple[str | None, str | None, str | None, bytes | None]


def _by_schema(type: str, stage: str, event: Event, origin: Origin, **more: object) -> bytes:
    data = {
        "stage": stage,
        "event": dict(zip(("id", "type", "chain", "digest"), event, strict=True)),
        "origin": origin._asdict(),
        **more,
    }
    return encode_raw(CATALOG.latest(type), data)[FRAME_LENGTH:]


@given(_EVENT, _ORIGIN, _TOLD, _LONG)
def test_admitted(event: Event, origin: Origin, told: tuple[Recipient, ...], at_ms: int) -> None:
    """What is said of an admitted record is what the schema's writer says."""
    notices = [{"agency": one.agency, "role": one.role, "notice": one.notice.bytes} for one in told]
    expected = _by_schema(ADMITTED, "admitted", event, origin, notices=notices, at=at_ms)
    assert admitted_body(event_bytes(*event), origin, told, at_ms) == expected


@given(_EVENT, _ORIGIN, _TEXT, _TEXT, _LONG)
def test_refused(event: Event, origin: Origin, code: str, detail: str, at_ms: int) -> None:
    """What is said of a refused record is what the schema's writer says."""
    expected = _by_schema(REFUSED, "refused", event, origin, code=code, detail=detail, at=at_ms)
    assert refused_body(event_bytes(*event), origin, code, detail, at_ms) == expected


@given(_EVENT, _ORIGIN, _ENTRY, _LONG)
def test_ledgered(event: Event, origin: Origin, entry: Entry, at_ms: int) -> None:
    """What is said of an entry is what the schema's writer says."""
    said = {
        "log": entry.log,
        "index": entry.idx,
        "appended_at": entry.appended_ms,
        "leaf": entry.leaf_hash,
        "size": entry.size,
        "root": entry.root,
    }
    expected = _by_schema(LEDGERED, "ledgered", event, origin, **said, at=at_ms)
    assert ledgered_body(event_bytes(*event), origin, entry, at_ms) == expected


@given(_TOLD, _TEXT, _ORIGIN)
def test_an_admission_is_the_same_json_whoever_writes_it(
    told: tuple[Recipient, ...], keyring: str, origin: Origin
) -> None:
    """The usual admission, written without an encoder, is that of the encoder."""
    known = tuple(one._replace(agency="csrc") for one in told)
    usual = Admission(origin, 1, "admitted", None, None, b"\1" * 32, known, "c", keyring, 7)
    encoded = usual._replace(detail="x").to_json().replace(b'"detail":"x"', b'"detail":null')
    assert usual.to_json() == encoded
