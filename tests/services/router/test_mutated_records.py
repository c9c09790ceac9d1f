"""Twenty thousand records that no honest program would write: no crash, no hang, each with its code."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

from casebus_schemas.admission.verdict import Origin, split_admission
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Batch, Outgoing, Record
from casebus_services.clock import BusClock
from casebus_services.router.agent import Router, Surroundings
from support.events.mutations import mutated
from support.events.signed_events import Speaker, keyring_of
from support.router.router_process import ROUTER_KEY, RouterBus, RouterProcess

COUNT = 20_000
WARM = 10_000
"""By then nearly every type was read once; what is built for each of them is no growth."""
MOST_GROWTH = 20 << 20


class LastOutputs:
    """A sink that keeps the outputs of one batch."""

    def __init__(self) -> None:
        self.outputs: list[Outgoing] = []

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """Keeps them."""
        self.outputs.extend(outgoing)

    def flush(self) -> None:
        """Nothing to wait for."""


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _no_original(_origin: Origin) -> NoReturn:
    raise AssertionError("nothing is driven again here")


def _as_record(output: Outgoing) -> Record:
    return Record(output.topic, output.partition, 0, 0, 1, output.key, output.value, output.headers)


def test_mutated_records_are_refused_with_their_code() -> None:
    """Every mutated record is refused with a code that fits what was done to it, and memory does not grow."""
    sink, keyring = LastOutputs(), keyring_of(Speaker("csrc"), Speaker("bus"))
    surroundings = Surroundings(
        keyring=lambda: keyring,
        catch_up_keys=lambda: None,
        catch_up_commands=lambda: None,
        clock=BusClock(),
        originals=_no_original,
        sink=sink,
        key_outcomes=lambda _record: None,
    )
    router = Router(surroundings, key=ROUTER_KEY, producer="router-1.1", catalog=Catalog.load(), partitions=4)
    codes: Counter[str] = Counter()
    resident = 0
    for number, (record, expected) in enumerate(mutated(COUNT)):
        if number == WARM:
            resident = _resident_bytes(os.getpid())
        router.handle([Batch(record.topic, record.partition, [record], record.offset + 1)])
        admitted, letter, receipt = sink.outputs
        sink.outputs.clear()
        admission, _ = split_admission(_as_record(admitted))
        assert admission.code in expected, (number, admission.code, admission.detail, expected)
        assert (letter.topic, receipt.topic) == ("dead-letter.csrc", "receipt.csrc")
        codes[admission.code] += 1
    assert _resident_bytes(os.getpid()) - resident < MOST_GROWTH
    assert codes.total() == COUNT


@pytest.mark.broker
def test_router_process_survives_mutated_records(bus: RouterBus) -> None:
    """The process refuses all of them within bounded memory, and admits a lawful event right after."""
    records = [record for record, _ in mutated(COUNT)]
    outgoing = [Outgoing(r.topic, r.partition, r.key, r.value, r.headers) for r in records]
    outgoing = [one for one in outgoing if all(name.isascii() for name, _ in one.headers)]
    with RouterProcess(bus) as router:
        assert router.process is not None
        bus.produce(outgoing)
        bus.until("bus.admission", WARM)
        before = _resident_bytes(router.process.pid)
        bus.until("bus.admission", len(outgoing))
        after = _resident_bytes(router.process.pid)
        inbox = bus.count("inbox.mps")
        bus.produce([bus.agencies["csrc"].refer(1)])
        bus.until("inbox.mps", inbox + 1)
        assert router.stop() == 0
    print(f"resident {before >> 20} MiB after {WARM} records, {after >> 20} MiB after {len(outgoing)}")
    assert after - before < MOST_GROWTH
    assert bus.count("dead-letter.csrc") == len(outgoing)
