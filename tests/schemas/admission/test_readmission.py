"""A member whose keys have run out is readmitted by the operator, and every reader comes to the same keys."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from casebus_schemas.admission.key_terms import ending_keys
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of, stored

ENDS = datetime(2023, 11, 1, tzinfo=UTC)
LATER_MS = to_moment(ENDS + timedelta(days=30))
NEW, NEXT = SigningKey(seed_of("csrc, readmitted")), SigningKey(seed_of("csrc, next"))
EMPTY = Keyring(Catalog.load())


def operator() -> Speaker:
    """The operator's voice on the bus's key topic."""
    return Speaker("bus", key=SigningKey(seed_of("operator")), producer="operator-1.1")


def readmission() -> list[Record]:
    """What stands on bus.key: the operator's key, and a new key of csrc."""
    bus = operator()
    said = [bus.announce(), bus.announce(NEW, by=bus.key, holder="csrc")]
    return [stored(one, offset, LATER_MS) for offset, one in enumerate(said)]


def own_events() -> list[Record]:
    """What stands on csrc.key: a key with a term, and, under the readmitted one, another."""
    csrc = Speaker("csrc")
    first = stored(csrc.announce(not_after=ENDS), 0, to_moment(ENDS) - 1)
    return [first, stored(csrc.announce(NEXT, by=NEW), 1, LATER_MS + 1)]


def test_e3_a_readmitted_key_speaks_for_its_agency() -> None:
    """Nothing that the agency said could mend it; under the operator's event its new key signs for it."""
    ran_out = EMPTY.extend(own_events())
    assert [one.over for one in ending_keys(ran_out, LATER_MS)] == [True]
    assert ran_out.find("csrc", NEW.key_id) is None
    known = ran_out.extend(readmission())
    entry = known.find("csrc", NEW.key_id)
    assert entry is not None
    record = stored(Speaker("csrc", key=NEW).refer(), 0, LATER_MS)
    assert (entry.why_not(record, LATER_MS), entry.readmitted) == (None, True)
    assert known.find("bus", NEW.key_id) is None


def test_e3_the_order_of_the_topics_does_not_matter() -> None:
    """Whether the agency's topic or the bus's is read first, what the readmitted key announced is known."""
    bus, own = readmission(), own_events()
    orders = set(permutations("bbcc"))
    found = []
    for order in orders:
        queues = {"b": list(bus), "c": list(own)}
        found.append(EMPTY.extend(queues[which].pop(0) for which in order).entries)
    assert all(entries == found[0] for entries in found)
    assert ("csrc", NEXT.key_id) in found[0]


@pytest.mark.parametrize("by", [SigningKey(seed_of("mps")), SigningKey(seed_of("nobody"))])
def test_e3_nobody_else_readmits(by: SigningKey) -> None:
    """An agency cannot announce a key of another, and nobody without a key of the bus on the bus's topic."""
    bus, mps = operator(), Speaker("mps")
    said = [
        stored(bus.announce(), 0, LATER_MS),
        stored(bus.announce(NEW, by=by, holder="csrc"), 1, LATER_MS),
        stored(mps.announce(), 0, LATER_MS),
        stored(mps.announce(NEW, by=mps.key, holder="csrc"), 1, LATER_MS),
    ]
    known = EMPTY.extend(said)
    assert known.find("csrc", NEW.key_id) is None
    assert known.ignored_count == 2
