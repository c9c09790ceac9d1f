"""A router without Kafka: what it writes is kept, what it is joined to is given."""

from collections.abc import Callable, Iterable, Sequence

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.verdict import Admission, split_admission
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_services.clock import BusClock
from casebus_services.router.agent import Router, Surroundings
from casebus_services.router.key_receipts import Outcomes
from support.events.signed_events import Speaker, keyring_of

from .router_process import ROUTER_KEY

CATALOG = Catalog.load()


class RouterBench:
    """A router without Kafka, and what it wrote."""

    def __init__(self, *speakers: Speaker) -> None:
        self.outputs: list[Outgoing] = []
        self.keyring: Keyring = keyring_of(*speakers)
        self.original: Record | None = None
        self.catch_up_keys: Callable[[], None] = lambda: None
        self.key_outcomes: Outcomes = lambda _record: None
        self.router = Router(
            Surroundings(
                keyring=lambda: self.keyring,
                catch_up_keys=lambda: self.catch_up_keys(),
                catch_up_commands=lambda: None,
                clock=BusClock(),
                originals=lambda _origin: self.original,
                sink=self,
                key_outcomes=lambda record: self.key_outcomes(record),
            ),
            key=ROUTER_KEY,
            producer="router-1.1",
            catalog=CATALOG,
            partitions=4,
        )

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """Keeps what is written."""
        self.outputs.extend(outgoing)

    def flush(self) -> None:
        """Nothing to wait for."""

    def handle(self, *records: Record) -> list[Admission]:
        """The admissions of these records of one partition."""
        return self.handle_all([records])

    def handle_all(self, runs: Sequence[Sequence[Record]]) -> list[Admission]:
        """The admissions of these runs of a partition each, in the order in which they were written."""
        self.outputs.clear()
        self.router.handle([Batch(run[0].topic, run[0].partition, run, run[-1].offset + 1) for run in runs])
        said = [one for one in self.outputs if one.topic == "bus.admission"]
        return [split_admission(as_record(one))[0] for one in said]

    def numbers(self) -> list[int]:
        """The numbers of the admissions written, in their order."""
        said = [dict(one.headers) for one in self.outputs if one.topic == "bus.admission"]
        return [int(headers["casebus-bus-seq"] or b"0") for headers in said]


def as_record(output: Outgoing) -> Record:
    return Record(output.topic, output.partition, 0, 0, 1, output.key, output.value, output.headers)
