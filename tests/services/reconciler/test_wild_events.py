"""Twenty thousand well-formed events that harm or err: no service ends, and each has exactly one fate."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pytest

from casebus_producers.checking.check import check
from casebus_producers.checking.forbidden import AgainstLaw
from casebus_schemas.admission.verdict import Origin, split_admission
from casebus_schemas.catalogue.catalog import RECEIPTS
from casebus_schemas.catalogue.topology import ADMISSION, key_topics, topic
from casebus_schemas.errors import SECRET_CODES, UsageError
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import DoorProblem, parse_event
from casebus_schemas.wire.records import Batch, Outgoing, Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.clock import BusClock
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.agent import ReconcilerAgent
from casebus_services.reconciler.announce import Announcer
from casebus_services.router.agent import Router, Surroundings
from casebus_services.router.keys import KeyringKeeper
from support.events.admissions import KnownKeys, MemorySink, batch_of
from support.events.doors import CATALOG, NOW_MS, Doors
from support.events.signed_events import Speaker, keyring_of, seed_of, stored
from support.events.wild_events import WildEvents, as_line
from support.router.router_process import ROUTER_KEY

pytestmark = pytest.mark.thorough
SEEDS = (0, *(pytest.param(seed, id=f"short-{seed}", marks=pytest.mark.faults) for seed in (1, 2, 3)))
"""The first among all tests, the others with the short crash runs."""
A_SEED = 5_000
AT_ONCE = 250
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


class WildBus:
    """A router and a reconciler joined by their records alone, without a broker."""

    def __init__(self, folder: Path) -> None:
        self.doors = Doors(folder)
        self.codes: Counter[str] = Counter()
        self.key_events: Counter[str] = Counter()
        self._keys = KeyringKeeper(CATALOG)
        self.database = Database(f"sqlite:///{folder / 'accounts.db'}")
        self.database.migrate()
        self._outputs: list[Outgoing] = []
        self._admissions: dict[int, list[Record]] = defaultdict(list)
        self._offsets: Counter[tuple[str, int]] = Counter()
        for speaker in self.doors.speakers.values():
            self._read_key(stored(speaker.announce(), self._next_offset(f"{speaker.agency}.key", 0)))
        self._router = Router(
            Surroundings(
                keyring=lambda: self._keys.current,
                catch_up_keys=lambda: None,
                catch_up_commands=lambda: None,
                clock=BusClock(),
                originals=_no_original,
                sink=self,
                key_outcomes=self._keys.outcome,
            ),
            key=ROUTER_KEY,
            producer="router-1.1",
            catalog=CATALOG,
            partitions=4,
        )
        announcer = Announcer(CATALOG, SigningKey(seed_of("bus")), 4)
        self._reconciler = ReconcilerAgent(
            self.database,
            CATALOG,
            announcer,
            MemorySink(),
            lambda: NOW_MS,
            KnownKeys(keyring_of(Speaker("bus", key=ROUTER_KEY))),
            incarnation=1,
        )

    def produce(self, outgoing: Iterable[Outgoing]) -> None:
        """The router's sink."""
        self._outputs.extend(outgoing)

    def flush(self) -> None:
        """Nothing to wait for."""

    def route(self, said: Outgoing) -> tuple[str, str | None]:
        """Verdict and code of the router; of a key event, which the keyring judges, those of its receipt."""
        place = (said.topic, said.partition)
        record = stored(said, self._next_offset(*place))
        if said.topic in key_topics():
            self._read_key(record)
        self._router.handle([Batch(*place, [record], record.offset + 1)])
        outputs, self._outputs = self._outputs, []
        judged = [one for one in outputs if one.topic == ADMISSION]
        if said.topic in key_topics():
            assert judged == []
            (receipt,) = outputs
            _, told = decode(CATALOG, receipt.value)
            self.key_events[told.get("code") or "admitted"] += 1
            return ("refused", told["code"]) if "code" in told else ("admitted", None)
        (admitted,) = judged
        row = self._admissions[admitted.partition]
        row.append(stored(admitted, len(row)))
        verdict, _ = split_admission(row[-1])
        self.codes[verdict.code or "admitted"] += 1
        return verdict.verdict, verdict.code

    def own_keys(self) -> set[str]:
        """The agencies whose first key still speaks for them."""
        return {agency for agency in self.doors.speakers if self._keys.current.of(agency)[0].ended is None}

    def _next_offset(self, topic: str, partition: int) -> int:
        self._offsets[topic, partition] += 1
        return self._offsets[topic, partition] - 1

    def _read_key(self, record: Record) -> None:
        """The router's reader of keys, which reads them beside its work."""
        self._keys.on_batch(Batch(record.topic, record.partition, [record], record.offset + 1))

    def reconcile(self) -> None:
        """The reconciler takes all that was judged since, and lets time pass."""
        taken = self._reconciler.next_offsets(TopicPartition(ADMISSION, p) for p in self._admissions)
        for (_, partition), offset in taken.items():
            if rest := self._admissions[partition][offset:]:
                self._reconciler.handle([batch_of(rest)])
        self._reconciler.tick()

    def fates(self) -> dict[str, int]:
        """How many events have each verdict in the accounts database."""
        with self.database.reading() as transaction:
            counted = transaction.rows("SELECT verdict, count(*) FROM recon_admission GROUP BY verdict")
            return {row[0]: row[1] for row in counted}

    def close(self) -> None:
        """Closes all files."""
        self.database.close()
        self.doors.close()


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[WildBus]:
    """An empty one."""
    bus = WildBus(tmp_path)
    yield bus
    bus.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_wild_event_has_one_fate(bus: WildBus, seed: int) -> None:
    """Check, door and router say the same of each; what is admitted is entered; no service ends.

    Key events have a receipt each, what must not be repeated is no key, and nobody loses the key he has.
    """
    wild = WildEvents(seed)
    routed = key_events = 0
    for number, event in enumerate(islice(wild, A_SEED)):
        answer = check([event], NOW, CATALOG)
        codes = [refused["code"] for refused in answer.refused]
        try:
            parsed = parse_event(event, CATALOG)
        except DoorProblem:
            assert codes, as_line(event)
            continue
        at_the_door = bus.doors.problems(event, parsed.agency)
        against_law = [one for one in at_the_door if isinstance(one, AgainstLaw)]
        assert bool(against_law) == bool(answer.forbidden), as_line(event)  # for a reason the bus has it
        assert (len(at_the_door) > len(against_law)) == bool(codes), as_line(event)
        kind = CATALOG.event(parsed.type)
        if kind.channel == RECEIPTS or topic(kind.topic(parsed.agency), 4) is None:
            assert codes, as_line(event)  # there is no place for it on the bus
            continue
        try:
            said = bus.doors.say(parsed)
        except UsageError:
            assert codes[0] == "too-large", as_line(event)  # not to be written as a value at all
            continue
        answered = bus.route(said.record)
        if said.record.topic in key_topics():
            key_events += 1
            if SECRET_CODES.intersection(codes):
                assert answered[0] == "refused", as_line(event)
            continue
        verdict = "refused" if codes else "admitted"
        assert answered == (verdict, codes[0] if codes else None), as_line(event)
        routed += 1
        wild.note(said.digest)
        if number % AT_ONCE == 0:
            bus.reconcile()
    bus.reconcile()
    print(f"seed {seed}: {dict(bus.codes)}; key events: {dict(bus.key_events)}")
    assert key_events == bus.key_events.total() > 0
    assert bus.own_keys() == set(bus.doors.speakers)
    fates = bus.fates()
    assert sum(fates.values()) == routed == bus.codes.total()
    assert fates["admitted"] == bus.codes["admitted"]


def _no_original(_origin: Origin) -> NoReturn:
    raise AssertionError("nothing is driven again here")
