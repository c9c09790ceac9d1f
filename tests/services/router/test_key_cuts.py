"""Once a key has ended nothing that comes after is signed by it, whatever time the broker's clock shows."""

from collections.abc import Iterable

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.router.keys import KeyringKeeper
from support.events.signed_events import Speaker, seed_of, stored
from support.router.router_bench import RouterBench

SECOND = SigningKey(seed_of("second"))
EARLY_MS, REVOKED_MS = 1_700_000_000_000, 1_700_000_100_000


class Ends:
    """Every partition ends at one offset; Kafka may be away."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.away = False
        self.asked = 0

    def __call__(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends."""
        self.asked += 1
        if self.away:
            raise RetryLater("Kafka is away")
        return dict.fromkeys(places, self.end)


def read(keeper: KeyringKeeper, *records: Record) -> None:
    """The keeper reads these key events."""
    keeper.on_batch(Batch("csrc.key", 0, records, records[-1].offset + 1))


def verdicts(keeper: KeyringKeeper, csrc: Speaker, *offsets: int) -> list[str | None]:
    """Refusal codes of events of the first key at these offsets, all with a time before its end."""
    bench = RouterBench(Speaker("mps"))
    bench.keyring = keeper.current
    event = csrc.refer(1)
    return [bench.handle(stored(event, offset, EARLY_MS))[0].code for offset in offsets]


def test_what_comes_after_the_end_of_a_key_is_refused_whatever_its_time() -> None:
    """Behind where its holder's topics ended when the router learnt of it a key signs nothing."""
    csrc, ends = Speaker("csrc"), Ends(5)
    assert csrc.key is not None
    keeper = KeyringKeeper(Catalog.load(), 4, ends)
    read(keeper, stored(csrc.announce(), 0, 1), stored(csrc.announce(SECOND, by=csrc.key), 1, 1))
    assert (ends.asked, verdicts(keeper, csrc, 7)) == (0, [None])
    read(keeper, stored(csrc.end("key.revoked", csrc.key, by=SECOND), 2, REVOKED_MS))
    assert verdicts(keeper, csrc, 4, 5) == [None, "unknown-key"]
    ends.end = 9  # it is noted once
    read(keeper, stored(csrc.announce(SigningKey(seed_of("third")), by=SECOND), 3, REVOKED_MS))
    assert verdicts(keeper, csrc, 4, 5) == [None, "unknown-key"]
    assert ends.asked == 1


def test_where_kafka_does_not_say_its_ends_they_are_asked_again() -> None:
    """Until it does, Kafka's time decides alone."""
    csrc, ends = Speaker("csrc"), Ends(5)
    assert csrc.key is not None
    ends.away = True
    keeper = KeyringKeeper(Catalog.load(), 4, ends)
    read(keeper, stored(csrc.announce(), 0, 1), stored(csrc.announce(SECOND, by=csrc.key), 1, 1))
    read(keeper, stored(csrc.end("key.revoked", csrc.key, by=SECOND), 2, REVOKED_MS))
    assert verdicts(keeper, csrc, 7) == [None]
    ends.away = False
    read(keeper, stored(csrc.announce(SigningKey(seed_of("third")), by=SECOND), 3, REVOKED_MS))
    assert verdicts(keeper, csrc, 4, 7) == [None, "unknown-key"]
