"""The ledger store: what an append stores, repeats, gaps, fences, failures; on SQLite and PostgreSQL."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from casebus_schemas.errors import Divergence, Gap, RetryLater, StopService
from casebus_schemas.evidence.leaf import decode_headers, leaf, leaf_hash
from casebus_schemas.evidence.merkle import Frontier, root_of
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_services.ledger.appending import BatchResult, Fenced
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import TOPIC, batch, ce_id, empty_sqlite, record, run

PLACE = TopicPartition(TOPIC, 0)


def expected_root(records: Sequence[Record]) -> bytes:
    """Root over these records, computed apart from the store."""
    return root_of([leaf_hash(leaf(item)) for item in records])


def rows(store: LedgerStore, statement: str) -> list[Any]:
    """Rows of a query."""
    with store.database.engine.connect() as connection:
        return list(connection.execute(text(statement)))


def test_append_stores_everything(store: LedgerStore) -> None:
    """An append keeps each record's raw bytes, its leaf and the tree's state under the next Kafka offset."""
    items = [
        record(3),
        record(4)._replace(key=None, value=None, headers=(("x", None), ("x", b""), ("ce_id", b"no uuid"))),
        record(7)._replace(value=b"", headers=()),
    ]
    assert store.append([batch(items, 9)], {PLACE: 3}) == [BatchResult(TOPIC, 0, 0, 3, expected_root(items))]
    entries = rows(store, "SELECT * FROM entry ORDER BY idx")
    assert [entry.idx for entry in entries] == [0, 1, 2]
    assert [entry.koffset for entry in entries] == [3, 4, 7]
    assert [entry.event_id for entry in entries] == [ce_id(3).bytes, None, None]
    assert [entry.key for entry in entries] == [item.key for item in items]
    assert [decode_headers(entry.headers) for entry in entries] == [item.headers for item in items]
    assert [entry.leaf for entry in entries] == [leaf(item) for item in items]
    payloads = dict(rows(store, "SELECT value_sha256, value FROM payload"))
    assert [payloads.get(entry.value_sha256) for entry in entries] == [items[0].value, None, b""]
    (last,) = rows(store, "SELECT * FROM batch")
    assert (last.start_index, last.end_index, last.first_offset, last.last_offset) == (0, 3, 3, 7)
    assert last.next_offset == 9
    assert last.root == expected_root(items)
    assert Frontier.from_bytes(3, last.frontier).root() == last.root
    assert store.next_offsets([PLACE, TopicPartition(TOPIC, 1)]) == {PLACE: 9, (TOPIC, 1): 0}


@pytest.mark.parametrize("cuts", [[700], [1, 256, 257, 511, 700], [255, 300, 512, 513, 700]])
def test_root_depends_on_records_only(store: LedgerStore, cuts: list[int]) -> None:
    """However the same records are cut into runs, with restarts between, roots and tiles are the same."""
    items = [record(offset) for offset in range(700)]
    at = 0
    for cut in cuts:
        (result,) = store.append([batch(items[at:cut])])
        assert result.root == expected_root(items[:cut])
        store.forget([PLACE])
        at = cut
    tiles = rows(store, "SELECT level, idx, root, hashes FROM tile ORDER BY idx")
    hashes = [leaf_hash(leaf(item)) for item in items]
    assert [(tile.level, tile.idx) for tile in tiles] == [(0, 0), (0, 1)]
    assert [tile.hashes for tile in tiles] == [b"".join(hashes[:256]), b"".join(hashes[256:512])]
    assert [tile.root for tile in tiles] == [root_of(hashes[:256]), root_of(hashes[256:512])]


def test_many_partitions_in_one_call(store: LedgerStore) -> None:
    """Runs of several partitions, some twice, go in together; each log has its own indexes and root."""
    results = store.append(
        [run(0, 5, partition=1), run(0, 3, topic="bus.admission"), run(5, 8, partition=1), run(0, 0 + 1)]
    )
    assert [(r.topic, r.partition, r.start, r.end) for r in results] == [
        ("bus.admission", 0, 0, 3),
        (TOPIC, 0, 0, 1),
        (TOPIC, 1, 0, 8),
    ]
    assert results[2].root == expected_root(run(0, 8, partition=1).records)
    assert len(rows(store, "SELECT * FROM batch")) == 3


def test_value_stored_once(store: LedgerStore) -> None:
    """Records that carry the same value, as an event and its admission do, share one payload."""
    event = record(0)
    admission = event._replace(topic="bus.admission", headers=(*event.headers, ("casebus-admission", b"{}")))
    store.append([batch([event])])
    store.append([batch([admission])])
    store.append([batch([record(1, value=event.value), record(2, value=event.value)])])
    assert [row.value for row in rows(store, "SELECT value FROM payload")] == [event.value]
    assert len(rows(store, "SELECT * FROM entry")) == 4


def test_repeats_are_recognised(store: LedgerStore) -> None:
    """Records that are ledgered already are counted as repeats and stored once, alone or before new ones."""
    store.append([run(0, 10)])
    (again,) = store.append([run(0, 10)])
    assert (again.start, again.end, again.repeats) == (10, 10, 10)
    (further,) = store.append([run(4, 15)])
    assert (further.start, further.end, further.repeats) == (10, 15, 6)
    assert further.root == expected_root(run(0, 15).records)
    assert len(rows(store, "SELECT * FROM entry")) == 15


def test_nothing_to_append(store: LedgerStore) -> None:
    """An empty call and a run without records change nothing."""
    assert store.append([]) == []
    assert store.append([Batch(TOPIC, 0, [], 7)]) == []
    assert rows(store, "SELECT * FROM batch") == []


ALTERED = {
    "value": {"value": b"other"},
    "null value": {"value": None},
    "key": {"key": b"other"},
    "headers": {"headers": ()},
    "time": {"timestamp_ms": 1},
    "type of time": {"timestamp_type": 0},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED.keys())
def test_divergence(store: LedgerStore, change: dict[str, Any]) -> None:
    """A repeat that differs in anything from what is ledgered stops the ledger and stores nothing."""
    store.append([run(0, 5)])
    repeated = [record(2), record(3)._replace(**change), record(4), record(5)]
    with pytest.raises(Divergence) as raised:
        store.append([run(0, 4, partition=1), batch(repeated)])
    assert (raised.value.topic, raised.value.partition, raised.value.offset) == (TOPIC, 0, 3)
    assert len(rows(store, "SELECT * FROM entry")) == 5


def test_divergence_at_a_hole(store: LedgerStore) -> None:
    """A record where the ledger saw Kafka's own hole is a divergence, not a repeat."""
    store.append([batch([record(0), record(1), record(4)])])
    with pytest.raises(Divergence, match="no record at this offset"):
        store.append([batch([record(2), record(5)])])


def test_offsets_must_rise(store: LedgerStore) -> None:
    """A run whose offsets do not rise is refused."""
    with pytest.raises(Divergence, match="do not rise"):
        store.append([batch([record(0), record(2), record(1)])])
    with pytest.raises(Divergence, match="do not rise"):
        store.append([run(0, 2), run(1, 3)])


def test_gap(store: LedgerStore) -> None:
    """A run beyond the next offset stops the ledger, unless Kafka confirmed that nothing stands between."""
    store.append([run(0, 5)])
    for first in (6, 100):
        with pytest.raises(Gap, match=f"found offset {first}, expected offset 5"):
            store.append([run(first, first + 3)])
    with pytest.raises(Gap):
        store.append([run(7, 9)], {PLACE: 6})
    (result,) = store.append([run(7, 9)], {PLACE: 7})
    assert (result.start, result.end) == (5, 7)
    with pytest.raises(Gap):
        store.append([run(3, 4, partition=1)])


def test_holes_inside_a_run(store: LedgerStore) -> None:
    """Holes within a fetched run, and after its last record, are Kafka's own and legal."""
    store.append([batch([record(0), record(3), record(4)], next_offset=6)])
    (result,) = store.append([run(6, 8)])
    assert (result.start, result.end) == (3, 5)


def test_second_writer_is_fenced(store: LedgerStore, ledger_url: str) -> None:
    """A writer whose picture of a log is old is fenced, and can go on after reading it again."""
    zombie = LedgerStore(ledger_url, writer="zombie")
    zombie.append([run(0, 5)])
    store.append([run(0, 8)])
    with pytest.raises(Fenced):
        zombie.append([run(5, 12)])
    assert len(rows(store, "SELECT * FROM entry")) == 8
    (result,) = zombie.append([run(5, 12)])
    assert (result.start, result.end, result.repeats) == (8, 12, 3)
    assert result.root == expected_root(run(0, 12).records)
    assert [row.writer for row in rows(store, "SELECT writer FROM batch ORDER BY start_index")] == [
        "zombie",
        "ledger",
        "zombie",
    ]
    zombie.close()


def test_two_writers_at_once(store: LedgerStore, ledger_url: str) -> None:
    """Two writers that race for the same records and share values leave each record once and no deadlock."""
    other = LedgerStore(ledger_url)
    failures: list[BaseException] = []

    def race(writer: LedgerStore, mirrored: bool) -> None:
        try:
            for first in range(0, 400, 20):
                runs = [run(first, first + 20), run(first, first + 20, topic="bus.admission")]
                for _ in range(20):
                    try:
                        writer.append(runs[::-1] if mirrored else runs)
                        break
                    except Fenced:
                        continue
                else:
                    raise AssertionError("fenced 20 times")
        except BaseException as error:  # noqa: BLE001 - reported by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=race, args=(w, m)) for w, m in ((store, False), (other, True))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    sizes = "SELECT topic, count(*) AS size FROM log JOIN entry USING (log_id) GROUP BY topic"
    assert {row.topic: row.size for row in rows(store, sizes)} == {TOPIC: 400, "bus.admission": 400}
    other.close()


def test_failed_commit_is_forgotten(store: LedgerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure before the commit nothing is stored, and the same run goes in as at first."""
    store.append([run(0, 300)])

    def fail(name: str, _in_flight: object = 0) -> None:
        if name == "ledger.before-commit":
            raise RetryLater("asked for")

    with monkeypatch.context() as patched:
        patched.setattr("casebus_services.ledger.store.fault_point", fail)
        with pytest.raises(RetryLater, match="asked for"):
            store.append([run(300, 700)])
    assert len(rows(store, "SELECT * FROM entry")) == 300
    (result,) = store.append([run(300, 700)])
    assert (result.start, result.end) == (300, 700)
    assert result.root == expected_root(run(0, 700).records)


@pytest.mark.parametrize("table", ["log", "batch", "entry", "tile"])
@pytest.mark.parametrize("verb", ["UPDATE {table} SET log_id = 9", "DELETE FROM {table}"])
def test_insert_only(store: LedgerStore, table: str, verb: str) -> None:
    """No row of the evidence can be changed or deleted by accident."""
    store.append([run(0, 256)])
    with (
        pytest.raises(DBAPIError, match="insert-only"),
        store.database.engine.begin() as connection,
    ):
        connection.exec_driver_sql(verb.format(table=table))


def test_payload_may_only_be_deleted(store: LedgerStore) -> None:
    """A payload can be purged, which leaves the log as it is, but not changed."""
    store.append([run(0, 3)])
    with pytest.raises(DBAPIError), store.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE payload SET value_sha256 = value")
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM payload")
    (result,) = store.append([run(3, 5)])
    assert result.root == expected_root(run(0, 5).records)


def test_d5_what_kafka_passes_over_is_no_gap(store: LedgerStore) -> None:
    """A run that was read on from the log's next offset begins it, whatever markers stand before."""
    store.append([run(0, 3)])
    later = run(5, 7)
    with pytest.raises(Gap):
        store.append([later])
    with pytest.raises(Gap):
        store.append([replace(later, begin=4)])
    (result,) = store.append([Batch(TOPIC, 0, (), 5, 3), replace(later, begin=3)])
    assert (result.start, result.end) == (3, 5)
    assert store.append([Batch(TOPIC, 0, (), 9, 7)]) == []


@pytest.mark.parametrize("table", ["batch", "entry"])
def test_d9_a_ledger_restored_by_half_is_named_at_the_start(store: LedgerStore, table: str) -> None:
    """Where the rows of one table are missing the ledger says so before it takes a record, and what to do."""
    store.append([run(0, 3)])
    store.append([run(3, 5)])
    with store.database.engine.begin() as connection:
        if store.database.dialect == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
        else:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        connection.exec_driver_sql(f"DELETE FROM {table}")
    with pytest.raises(StopService, match=r"(?s)do not end where its last batch does.*pg_dump orders"):
        store.next_offsets([PLACE])


def test_does_not_build_on_damage(store: LedgerStore) -> None:
    """A log whose rows no longer give its last root is not extended."""
    store.append([run(0, 3)])
    with store.database.engine.begin() as connection:
        if store.database.dialect == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        else:
            connection.exec_driver_sql("ALTER TABLE entry DISABLE TRIGGER ALL")
        connection.execute(text("UPDATE entry SET leaf_hash = :other WHERE idx = 1"), {"other": bytes(32)})
    store.forget([PLACE])
    with pytest.raises(StopService, match="verify"):
        store.append([run(3, 5)])


def test_d3_a_full_disk_makes_the_ledger_wait(tmp_path: Path) -> None:
    """A disk that becomes full is tried again, with nothing acknowledged or half stored until it has room."""
    store = LedgerStore(empty_sqlite(tmp_path))
    store.append([run(0, 100)])
    with store.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(RetryLater, match="cannot be written"):
        store.append([run(100, 900)])
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    (result,) = store.append([run(100, 900)])
    assert (result.start, result.end, result.root) == (100, 900, expected_root(run(0, 900).records))
    store.close()


def test_tables_are_made_once(store: LedgerStore, ledger_url: str) -> None:
    """Opening an existing ledger keeps what is in it; a newer version's tables are refused."""
    store.append([run(0, 3)])
    again = LedgerStore(ledger_url)
    assert again.next_offsets([PLACE]) == {PLACE: 3}
    with again.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger_revision SET version_num = '9999'")
    again.close()
    with pytest.raises(StopService, match="newer"):
        LedgerStore(ledger_url)


def test_e1_the_last_entry_is_known_again(store: LedgerStore) -> None:
    """By the last entry of a partition its log is told from another of equal length."""
    store.append([batch([record(0), record(1)], 2)])
    known = store.last_entries([PLACE, TopicPartition(TOPIC, 1)])
    assert {place: one.offset for place, one in known.items()} == {PLACE: 1}
    assert known[PLACE].is_it(record(1))
    assert not known[PLACE].is_it(record(2)._replace(offset=1))
