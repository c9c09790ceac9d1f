"""Once a key of the bus has ended no admission behind that counts, whatever time the broker's clock shows."""

from collections.abc import Iterable
from pathlib import Path

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import BUS_KEY
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.config import ServiceSettings
from casebus_services.reconciler.bus_keys import BusKeys
from casebus_services.reconciler.proven import Proof
from support.events.admissions import Admitter, batch_of
from support.events.signed_events import Speaker, seed_of, stored

OPERATOR, ROUTER = SigningKey(seed_of("operator")), SigningKey(seed_of("router"))
LATER_MS = 1_800_000_000_000


def settings(folder: Path) -> ServiceSettings:
    """Of a service that connects to nothing here."""
    return ServiceSettings(
        bootstrap_servers="127.0.0.1:9",
        sasl_username="reconciler",
        sasl_password_file=folder / "password",
        data_dir=folder,
    )


def test_behind_the_end_of_a_key_of_the_bus_nothing_counts(tmp_path: Path) -> None:
    """What stood in Kafka when the reconciler learnt of it counts; what is put behind, dated back, not."""
    admitter, csrc = Admitter(), Speaker("csrc")
    for _ in range(4):
        admitter.admit(csrc.refer(1))
    ((partition, records),) = admitter.records.items()
    away = [True]

    def ends(places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        if away[0]:
            raise RetryLater("Kafka is away")
        return dict.fromkeys(places, 2)

    keys = BusKeys(settings(tmp_path), "test", Catalog.load(), ends)
    bus = Speaker("bus", key=OPERATOR)
    said = [bus.announce(), bus.announce(ROUTER, by=OPERATOR), bus.end("key.revoked", ROUTER, by=OPERATOR)]
    events = [stored(one, at, LATER_MS) for at, one in enumerate(said)]
    keys.on_batch(Batch(BUS_KEY, 0, events, len(events)))
    assert admitted(keys, partition, records) == 4  # by Kafka's time alone all came before the end
    away[0] = False
    keys.on_batch(Batch(BUS_KEY, 0, [stored(bus.announce(), 3, LATER_MS)], 4))
    assert admitted(keys, partition, records) == 2


def admitted(keys: BusKeys, partition: int, records: list[Record]) -> int:
    """How many of these records of bus.admission a reconciler takes."""
    keys.catch_up = lambda: None  # type: ignore[method-assign]  # there is no broker
    (proven,) = Proof(keys).of([batch_of(records)])
    return len(proven.arrivals)
