"""The ledger compared with the topics: a removed tail, differing and missing records on either side."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from casebus_consumers.auditor.against_kafka import Comparison
from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.same_roots import compare_ledgers, recorded_sizes
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.wire.records import Batch, TopicPartition
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import TOPIC, batch, empty_sqlite, record, run

ORIGIN = f"casebus/{TOPIC}/0"
PLACE = TopicPartition(TOPIC, 0)


def compared(
    store: LedgerStore, *runs: Batch, end: Callable[[Comparison], None] | None = None
) -> VerifyReport:
    """What a comparison with topics that hold these runs finds."""
    report = VerifyReport()
    comparison = Comparison(store.database, report)
    for one in runs:
        comparison.take(one)
    comparison.settle(0)
    ledgered = comparison.next_offsets()
    comparison.only_positions = True
    if end is not None:
        end(comparison)
    comparison.finish(ledgered)
    return report


def damages(report: VerifyReport) -> list[tuple[str, str | None, str]]:
    """The damages without what was found and expected."""
    return [(damage.table, damage.log, damage.row) for damage in report.damages]


def test_equal(store: LedgerStore) -> None:
    """A ledger that holds what the topics hold, holes included, has no differences."""
    store.append([batch([record(0), record(1), record(4)], 6), run(0, 3, partition=2)])
    report = compared(store, batch([record(0)], 1), batch([record(1), record(4)], 6), run(0, 3, partition=2))
    assert damages(report) == []
    assert report.compared == 6


def test_removed_tail(store: LedgerStore) -> None:
    """A tail removed from every table alike shows nothing by itself, and is named against Kafka."""
    for first in range(0, 600, 100):
        store.append([run(first, first + 100)])
    with store.database.engine.begin() as connection:
        for table in ("entry", "batch", "tile"):
            if store.database.dialect == "sqlite":
                connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        kept = "SELECT value_sha256 FROM entry WHERE idx < 500"
        connection.execute(text(f"DELETE FROM payload WHERE value_sha256 NOT IN ({kept})"))
        connection.execute(text("DELETE FROM entry WHERE idx >= 500"))
        connection.execute(text("DELETE FROM batch WHERE start_index >= 500"))
        connection.execute(text("DELETE FROM tile WHERE idx >= 1"))
    assert verify_ledger(store.database).ok
    report = compared(store, run(0, 300), run(300, 600))
    assert damages(report) == [("entry", ORIGIN, "offset 500 to 599 (tail)")]
    assert report.damages[0].expected == "100 records that Kafka holds"


def test_whole_log_missing(store: LedgerStore) -> None:
    """A log that is not in the ledger at all is named."""
    store.append([run(0, 5)])
    report = compared(store, run(0, 5), run(0, 4, topic="mps.referral", partition=1))
    assert damages(report) == [("entry", "casebus/mps.referral/1", "offset 0 to 3 (tail)")]


def test_differing_record(store: LedgerStore) -> None:
    """A record that differs in Kafka is named by its offset."""
    store.append([run(0, 5)])
    report = compared(store, batch([record(0), record(1), record(2, value=b"x"), record(3), record(4)]))
    assert damages(report) == [("entry", ORIGIN, "offset 2, leaf_hash")]


def test_record_missing_inside(store: LedgerStore) -> None:
    """A record that Kafka holds before the log's end and the ledger does not is named."""
    store.append([batch([record(0), record(1), record(3)])])
    report = compared(store, run(0, 4))
    assert damages(report) == [("entry", ORIGIN, "offset 2")]


def test_kafka_holds_less(store: LedgerStore) -> None:
    """Entries whose records Kafka no longer holds, inside or at the end, are named."""
    store.append([run(0, 10)])
    assert damages(compared(store, run(3, 10))) == [("topic", ORIGIN, "offset 0, 1, 2")]
    assert damages(compared(store, run(0, 7))) == [("topic", ORIGIN, "csrc.referral/0")]


def test_running_ledger_is_waited_for(store: LedgerStore) -> None:
    """Records that a running ledger takes up a moment later are no damage, nor are those that follow."""
    store.append([run(0, 5)])
    report = VerifyReport()
    comparison = Comparison(store.database, report)
    comparison.take(run(0, 9))
    store.append([run(5, 12)])
    comparison.settle(30)
    ledgered = comparison.next_offsets()
    comparison.only_positions = True
    comparison.take(run(9, 14))
    comparison.finish(ledgered)
    assert damages(report) == []


@pytest.mark.parametrize("cuts", [[10, 300, 700], [700], [256, 512, 700]])
def test_rebuilt_roots(store: LedgerStore, cuts: list[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A rebuilt ledger has the recorded roots at every recorded size, however its runs were cut."""
    for first in range(0, 700, 50):
        store.append([run(first, first + 50), run(first, first + 50, partition=1)])
    rebuilt = LedgerStore(empty_sqlite(tmp_path_factory.mktemp("rebuilt")))
    at = 0
    for cut in cuts:
        rebuilt.append([run(at, cut), run(at, cut, partition=1)])
        at = cut
    report = VerifyReport()
    sizes = recorded_sizes(store.database)
    store.append([run(700, 720)])  # a running ledger goes on meanwhile
    assert compare_ledgers(store.database, rebuilt.database, sizes, report) == 28
    assert report.ok
    rebuilt.close()


def test_rebuilt_ledger_differs(store: LedgerStore, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A rebuilt ledger with another record, or one less, is named at the first size that shows it."""
    for first in range(0, 30, 10):
        store.append([run(first, first + 10), run(first, first + 10, partition=1)])
    rebuilt = LedgerStore(empty_sqlite(tmp_path_factory.mktemp("rebuilt")))
    rebuilt.append([run(0, 29)])
    other = [record(offset, partition=1) for offset in range(30)]
    other[15] = record(15, partition=1, value=b"other")
    rebuilt.append([batch(other)])
    report = VerifyReport()
    compare_ledgers(store.database, rebuilt.database, recorded_sizes(store.database), report)
    assert damages(report) == [
        ("batch", ORIGIN, "size 30"),
        ("batch", f"casebus/{TOPIC}/1", "size 20"),
        ("batch", f"casebus/{TOPIC}/1", "size 30"),
    ]
    rebuilt.close()
