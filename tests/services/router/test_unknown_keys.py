"""A key that nobody knows yet: only its agency waits for its announcement, and not for ever."""

import pytest

from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from casebus_services.streams.side_reader import NotYet
from support.events.signed_events import Speaker, chain, keyring_of, referral, seed_of, stored
from support.router.router_bench import RouterBench

CSRC, MPS = Speaker("csrc"), Speaker("mps")
NEW = SigningKey(seed_of("announced late"))


def _unknown(number: int) -> list[Record]:
    speaker = Speaker("csrc", key=NEW)
    return [stored(speaker.refer(number), offset) for offset in range(3)]


def test_a4_an_unknown_key_makes_only_its_agency_wait() -> None:
    """Everything of other agencies is written before the key topics are read for the unknown key."""
    bench = RouterBench(MPS)
    others = [stored(MPS.say("referral.submitted", referral(), chain(2)), 9)]
    told: list[int] = []

    def announced() -> None:
        told.append(len([one for one in bench.outputs if one.topic == "bus.admission"]))
        bench.keyring = keyring_of(MPS, Speaker("csrc", key=NEW))

    bench.catch_up_keys = announced
    found = bench.handle_all([_unknown(1), others])
    assert told == [1]
    assert [one.origin.topic for one in found] == ["mps.referral", *["csrc.referral"] * 3]
    assert [one.code for one in found[1:]] == [None, None, None]


def test_a4_a_key_that_does_not_come_in_time_is_refused() -> None:
    """Where the key topics cannot be read to their end in time, the record is refused."""
    bench = RouterBench(CSRC)

    def late() -> None:
        raise NotYet("a flood of key events")

    bench.catch_up_keys = late
    found = bench.handle(*_unknown(1))
    assert [one.code for one in found] == ["unknown-key"] * 3
    assert [one.code for one in bench.handle(stored(CSRC.refer(1)))] == [None]


def test_a4_a_reader_of_keys_that_has_ended_ends_the_router() -> None:
    """Without keys to come nothing may be refused for want of one: then the service starts anew."""
    bench = RouterBench(CSRC)

    def ended() -> None:
        raise RetryLater("the side reader ended")

    bench.catch_up_keys = ended
    with pytest.raises(RetryLater):
        bench.handle(*_unknown(1))
