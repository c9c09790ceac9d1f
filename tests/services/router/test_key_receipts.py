"""Key events get receipts: what the keyring, which everybody makes alike, took or ignored."""

from collections.abc import Sequence
from typing import Any

import pytest

from casebus_schemas.admission import keyring as keyrings
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import digest_of
from casebus_schemas.wire.records import Batch, Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.router import keys
from casebus_services.router.keys import KeyringKeeper
from casebus_services.streams.side_reader import NotYet
from support.events.signed_events import Speaker, seed_of, stored
from support.router.router_bench import CATALOG, RouterBench

SECOND = SigningKey(seed_of("csrc, second"))


def key_events(csrc: Speaker) -> list[Record]:
    """Announced, rotated, and the old key again, which is ignored."""
    assert csrc.key is not None
    said = [
        csrc.announce(),
        csrc.rotate(csrc.key, SECOND),
        csrc.announce(SigningKey(seed_of("x")), by=csrc.key),
    ]
    return [stored(one, offset) for offset, one in enumerate(said)]


def joined(records: Sequence[Record]) -> RouterBench:
    """A router whose key reader has read these records."""
    keeper, bench = KeyringKeeper(Catalog.load()), RouterBench(Speaker("mps"))
    keeper.on_batch(Batch("csrc.key", 0, records, records[-1].offset + 1))
    bench.keyring, bench.key_outcomes = keeper.current, keeper.outcome
    return bench


def receipts(bench: RouterBench) -> list[dict[str, Any]]:
    """The receipts that were written, with their type."""
    read = [decode(CATALOG, one.value) for one in bench.outputs if one.topic == "receipt.csrc"]
    return [{"type": schema.type, **data} for schema, data in read]


def test_c17_key_events_get_receipts() -> None:
    """What took effect is receipted as admitted, what was ignored as refused with the reason."""
    events = key_events(Speaker("csrc"))
    bench = joined(events)
    assert bench.handle(*events) == []  # they are no admissions
    said = receipts(bench)
    assert [one["type"] for one in said] == ["receipt.admitted", "receipt.admitted", "receipt.refused"]
    assert [one["event"]["digest"] for one in said] == [digest_of(event) for event in events]
    assert (said[2]["code"], said[0]["notices"]) == ("not-authorised", [])
    assert "signed by a key replaced before" in said[2]["detail"]
    assert {one.topic for one in bench.outputs} == {"receipt.csrc"}


def test_c17_receipts_wait_for_the_reading_of_the_keys() -> None:
    """A key event that the router meets before its key reader is asked for first; late, it has no receipt."""
    events = key_events(Speaker("csrc"))
    read, bench = joined(events), RouterBench(Speaker("mps"))
    bench.catch_up_keys = lambda: bench.__dict__.update(keyring=read.keyring, key_outcomes=read.key_outcomes)
    bench.handle(*events)
    assert len(receipts(bench)) == 3

    def late() -> None:
        raise NotYet("a flood of key events")

    bench = RouterBench(Speaker("mps"))
    bench.catch_up_keys = late
    assert bench.handle(*events) == []
    assert bench.outputs == []


def test_c17_what_is_beyond_the_quota_or_long_past_has_no_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of key events is answered up to the quota of a day, and memory of outcomes is bounded."""
    monkeypatch.setattr(keyrings, "MAX_KEY_EVENTS_PER_DAY", 120)
    repeat = Speaker("csrc").announce()
    flood = [stored(repeat, offset) for offset in range(300)]
    bench = joined(flood)
    bench.handle(*flood)
    assert len(receipts(bench)) == 120
    monkeypatch.setattr(keys, "MOST_OUTCOMES", 200)
    bench = joined(flood)
    bench.handle(*flood)
    assert len(receipts(bench)) == 20
