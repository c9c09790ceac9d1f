"""Keys that run out are told weeks before, and another valid key is enough."""

from datetime import UTC, datetime, timedelta

import pytest

from casebus_schemas.admission.key_terms import ending_keys
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.times import to_moment
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of, stored

ENDS = datetime(2026, 12, 20, tzinfo=UTC)
SECOND = SigningKey(seed_of("csrc, second"))


def keyring(*, second: bool = False) -> Keyring:
    """One agency whose key has a term, with or without a second key, and one whose key has none."""
    csrc, mps = Speaker("csrc"), Speaker("mps")
    said = [csrc.announce(not_after=ENDS), mps.announce()]
    if second:
        said.append(csrc.announce(SECOND, by=csrc.key))
    return Keyring(Catalog.load()).extend(stored(one, offset) for offset, one in enumerate(said))


@pytest.mark.parametrize(
    ("days", "told"),
    [(43, None), (41, "in 41 days"), (1, "in 1 days"), (-1, "no valid key any more")],
)
def test_e3_the_end_of_the_last_key_is_told_weeks_before(days: int, told: str | None) -> None:
    """Six weeks before, and from then on, the holder is named with the day; nobody else is."""
    found = ending_keys(keyring(), to_moment(ENDS - timedelta(days=days)))
    assert [told in one.text and one.text.startswith("csrc: ") for one in found if told] == [True] * bool(
        told
    )
    assert [one.over for one in found] == ([] if told is None else [days < 0])


def test_e3_a_second_key_goes_on_after_the_first() -> None:
    """With a second key nothing is told, and what it signs is valid when the first has run out."""
    known, later = keyring(second=True), to_moment(ENDS + timedelta(days=1))
    assert ending_keys(known, later) == []
    csrc = Speaker("csrc", key=SECOND)
    record = stored(csrc.refer())
    entry = known.find("csrc", SECOND.key_id)
    assert entry is not None
    assert entry.why_not(record, later) is None


def test_e3_each_key_of_the_bus_is_told() -> None:
    """The bus's services sign with a key each: one that runs out is named although others go on."""
    operator = Speaker("bus", key=SigningKey(seed_of("operator")))
    router = SigningKey(seed_of("router"))
    said = [operator.announce(), operator.announce(router, by=operator.key, not_after=ENDS)]
    known = Keyring(Catalog.load()).extend(stored(one, offset) for offset, one in enumerate(said))
    assert [one.key_id for one in ending_keys(known, to_moment(ENDS) - 1)] == [router.key_id]
