"""Admissions and events are read against a keyring: what is not by whom it says is named."""

from collections.abc import Callable

import pytest

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import (
    WRONG_SIGNATURE,
    UnknownKey,
    forged_admissions,
    forged_event,
    stamp_of,
)
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.base64url import base64url_bytes
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from support.events.admissions import Admitter, unsigned
from support.events.signed_events import AT, Speaker, keyring_of, seed_of, stored

CSRC, BUS = Speaker("csrc"), Speaker("bus")
AT_MS = 1_700_000_000_000


def admitted(count: int = 5) -> tuple[list[Record], Keyring]:
    """Admissions of one partition, in their order."""
    admitter = Admitter(speakers=[CSRC])
    records = [admitter.admit(CSRC.refer(1)) for _ in range(count)]
    return records, admitter.keyring


def forged(records: list[Record], keyring: Keyring) -> list[int]:
    """Which of them are not the router's."""
    return [at for at, problem in enumerate(forged_admissions(records, keyring)) if problem is not None]


def test_the_routers_own_admissions_are_proven() -> None:
    """A run of the router's is true, whole, in parts and with repeats of it in between."""
    records, keyring = admitted()
    assert forged(records, keyring) == []
    assert forged(records[2:], keyring) == []
    assert forged([*records, *records[1:3]], keyring) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record._replace(value=(record.value or b"")[:-1] + b"x"),
        lambda record: record._replace(key=b"another chain"),
        lambda record: record._replace(partition=record.partition ^ 1),
        lambda record: record._replace(headers=record.headers[:-1]),
        lambda record: unsigned(record, "casebus-admission", b'{"verdict":"admitted"}'),
        lambda record: unsigned(record, "casebus-bus-producer", b"router-2.1"),
        lambda record: unsigned(record, "casebus-bus-seq", b"9"),
        lambda record: unsigned(record, "casebus-bus-seq", b"-1"),
        lambda record: unsigned(record, "casebus-bus-prev", base64url_bytes(b"\7" * 32)),
    ],
)
@pytest.mark.parametrize("at", [0, 2, 4])
def test_b2_any_change_of_an_admission_shows(change: Callable[[Record], Record], at: int) -> None:
    """Whatever the router signed and somebody changed is named, wherever in the run it stands."""
    records, keyring = admitted()
    records[at] = change(records[at])
    assert at in forged(records, keyring)


def test_b2_a_zero_signature_shows_at_the_end_of_a_run_and_alone() -> None:
    """A signature of zeros vouches for nothing: neither for its record nor for what it claims to follow."""
    records, keyring = admitted()
    records[4] = unsigned(records[4])
    assert forged(records, keyring) == [4]
    assert forged([records[4]], keyring) == [0]


@pytest.mark.parametrize("key", ["nobody", "csrc"])
def test_b2_only_a_key_of_the_bus_admits(key: str) -> None:
    """An admission under a key of nobody or of an agency is none."""
    records, keyring = admitted(1)
    block = SigningKey(seed_of(key)).sign(stamp_of(records[0]).message)
    found = forged_admissions([unsigned(records[0], value=base64url_bytes(block))], keyring)[0]
    assert found is not None
    assert isinstance(found, UnknownKey)
    assert "no key of bus" in found.en
    assert not isinstance(forged_admissions([unsigned(records[0])], keyring)[0], UnknownKey)


def test_an_event_is_by_the_agency_whose_topic_it_stands_on() -> None:
    """The sender's event is true at its place; on another's topic or under another key it is not."""
    event = stored(CSRC.refer(1))
    headers = EventHeaders.parse(event.headers)
    known = keyring_of(CSRC, Speaker("mps"))
    assert forged_event(event, headers, known, AT_MS) is None
    assert forged_event(event._replace(offset=7, timestamp_ms=1), headers, known, AT_MS) is None
    assert _en(forged_event(event._replace(topic="mps.referral"), headers, known, AT_MS)).startswith(
        "in the name"
    )
    assert "chain" in _en(forged_event(event._replace(key=b"k"), headers, known, AT_MS))
    assert "no key of csrc" in _en(forged_event(event, headers, keyring_of(Speaker("mps")), AT_MS))
    assert (
        forged_event(event._replace(partition=event.partition ^ 1), headers, known, AT_MS) == WRONG_SIGNATURE
    )


def test_the_term_of_a_key_counts_where_the_time_is_known() -> None:
    """A key that is not valid yet signs nothing at a known time; without one its term is left aside."""
    event = stored(CSRC.refer(1))
    headers = EventHeaders.parse(event.headers)
    late = Speaker("csrc").announce(not_before=AT).record
    keyring = keyring_of().extend([stored(late)])
    assert "not valid yet" in _en(forged_event(event, headers, keyring, 0))
    assert forged_event(event, headers, keyring, None) is None


def _en(problem: Sentence | None) -> str:
    return "" if problem is None else problem.en
