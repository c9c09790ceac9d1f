"""The ledger's Kafka edge without Kafka: patience, fences, holes, and which logs get receipts."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from casebus_schemas.errors import Divergence, Gap, RetryLater
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.ledger import agent as agent_module
from casebus_services.ledger.agent import LedgerAgent, Load
from casebus_services.ledger.appending import Fenced
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import TOPIC, batch, empty_sqlite, record, run

PLACE = TopicPartition(TOPIC, 0)


class NotedReceipts:
    """Notes what the agent says."""

    def __init__(self) -> None:
        self.owned: frozenset[TopicPartition] = frozenset()
        self.announced: list[TopicPartition] = []

    def own(self, partitions: Iterable[TopicPartition]) -> None:
        """Note."""
        self.owned = frozenset(partitions)

    def announce(self, partitions: Iterable[TopicPartition]) -> None:
        """Note."""
        self.announced.extend(partitions)

    def check(self) -> None:
        """All is well."""


def never(_partition: TopicPartition, _offset: int) -> int | None:
    """Kafka is not asked."""
    raise AssertionError("Kafka was asked for a hole")


Made = tuple[LedgerAgent, LedgerStore, NotedReceipts]


@pytest.fixture
def make(tmp_path: Path) -> Iterable[Callable[..., Made]]:
    """Makes an agent over an empty ledger."""
    stores = []

    def made(first_held: Callable[[TopicPartition, int], int | None] = never) -> Made:
        store = LedgerStore(empty_sqlite(tmp_path))
        stores.append(store)
        receipts = NotedReceipts()
        return LedgerAgent(store, receipts, first_held, Load()), store, receipts

    yield made
    for store in stores:
        store.close()


def test_batches_are_durable_and_announced(make: Callable[..., Made]) -> None:
    """When `handle` returns the entries are in the database; logs that grew are announced, repeats not."""
    agent, store, receipts = make()
    assert agent.next_offsets([PLACE]) == {PLACE: 0}
    agent.handle([run(0, 5), run(0, 2, partition=3)])
    assert store.next_offsets([PLACE, TopicPartition(TOPIC, 3)]) == {PLACE: 5, (TOPIC, 3): 2}
    assert receipts.announced == [PLACE, (TOPIC, 3)]
    agent.handle([run(0, 5)])
    assert receipts.announced == [PLACE, (TOPIC, 3)]


def test_d5_what_is_passed_over_behind_the_last_record_is_told(make: Callable[..., Made]) -> None:
    """Runs without a record add up to one span behind the database's offset, until the next record comes."""
    agent, store, _ = make()
    agent.handle([run(0, 5)])
    agent.handle([Batch(TOPIC, 0, (), 6, 5)])
    agent.handle([Batch(TOPIC, 0, (), 8, 6)])
    assert agent.passed() == {f"{TOPIC}/0": (5, 8)}
    assert store.next_offsets([PLACE]) == {PLACE: 5}
    agent.handle([Batch(TOPIC, 0, run(8, 9).records, 9, 8)])
    assert (agent.passed(), store.next_offsets([PLACE])) == ({}, {PLACE: 9})


def test_receipts_follow_the_assignment(make: Callable[..., Made]) -> None:
    """Receipts are this worker's for what it is assigned, and no longer after it was revoked."""
    agent, _, receipts = make()
    agent.next_offsets([PLACE, TopicPartition(TOPIC, 1)])
    assert receipts.owned == {PLACE, (TOPIC, 1)}
    agent.revoked([PLACE])
    assert receipts.owned == {(TOPIC, 1)}


def failing(store: LedgerStore, errors: list[Exception]) -> Callable[..., Any]:
    """An append that raises these errors first."""
    append = store.append

    def attempt(*arguments: Any) -> Any:
        if errors:
            raise errors.pop(0)
        return append(*arguments)

    return attempt


def test_waits_for_the_database(make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for a while, or another writer that was faster, costs time and nothing else."""
    agent, store, _ = make()
    errors: list[Exception] = [RetryLater("away"), Fenced("faster"), RetryLater("away")]
    monkeypatch.setattr(store, "append", failing(store, errors))
    agent.handle([run(0, 5)])
    assert store.next_offsets([PLACE]) == {PLACE: 5}


def test_patience_ends(make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that stays away makes `handle` raise, so that the process ends with nothing acknowledged."""
    agent, store, _ = make()
    monkeypatch.setattr(agent_module, "PATIENCE_S", 0.3)
    monkeypatch.setattr(store, "append", failing(store, [RetryLater("away")] * 100))
    with pytest.raises(RetryLater, match="away"):
        agent.handle([run(0, 5)])


def test_evidence_at_risk_stops_at_once(make: Callable[..., Made]) -> None:
    """A divergence is not tried again."""
    agent, _, _ = make()
    agent.handle([run(0, 5)])
    with pytest.raises(Divergence):
        agent.handle([batch([record(4, value=b"other")])])


def test_hole_of_kafka(make: Callable[..., Made]) -> None:
    """A run beyond the next offset goes in if Kafka holds nothing before it, and only then."""
    asked = []

    def first_held(partition: TopicPartition, offset: int) -> int | None:
        asked.append((partition, offset))
        return 7

    agent, store, _ = make(first_held)
    agent.handle([run(0, 5)])
    with pytest.raises(Gap):
        agent.handle([run(8, 9)])
    agent.handle([run(7, 9), run(0, 1, partition=1)])
    assert asked == [(PLACE, 5), (PLACE, 5)]
    assert store.next_offsets([PLACE]) == {PLACE: 9}


def test_deleted_records_are_a_gap(make: Callable[..., Made]) -> None:
    """Records that Kafka has deleted before they were ledgered stop the ledger."""
    agent, _, _ = make(lambda _partition, _offset: None)
    with pytest.raises(Gap):
        agent.handle([run(3, 5)])
