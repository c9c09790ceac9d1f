"""A verification on all processors finds what one on one processor finds."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from casebus_consumers.auditor import verify
from casebus_consumers.auditor.entry_check import Fitting, check_entry
from casebus_consumers.auditor.ledger_rows import StoredEntry, snapshot
from casebus_consumers.auditor.shared_work import NoHelp, helpers
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.evidence.leaf import encode_headers, leaf, leaf_hash
from casebus_services.ledger.appending import event_id
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import TOPIC, empty_sqlite, record, run


def tampered(store: LedgerStore) -> None:
    """An entry, a tile, a batch row, and a content changed, in different logs."""
    with store.database.engine.begin() as connection:
        if store.database.dialect == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")):
                connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in (
            "UPDATE entry SET koffset = koffset + 1000 WHERE log_id = 1 AND idx = 299",
            "UPDATE tile SET root = leaf_hash FROM entry WHERE tile.log_id = 2 AND entry.log_id = 2 "
            "AND entry.idx = 3",
            "DELETE FROM entry WHERE log_id = 3 AND idx = 280",
        ):
            connection.execute(text(statement))
        (digest,) = connection.execute(text("SELECT min(value_sha256) FROM payload")).one()
        wanted = {"digest": digest, "value": b"another"}
        connection.execute(text("UPDATE payload SET value = :value WHERE value_sha256 = :digest"), wanted)


def test_the_same_is_found(store: LedgerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that read the same state give the report that one alone gives, in its order."""
    store.append([run(0, 300, partition=number) for number in range(4)])
    tampered(store)
    alone = verify_ledger(store.database)
    assert {damage.table for damage in alone.damages} == {"entry", "tile", "batch", "payload"}
    monkeypatch.setattr(verify, "processors", lambda: 2)
    monkeypatch.setattr(verify, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(verify, "LogCheck", None)  # nothing of it is done here
    watched: list[tuple[str, int, int]] = []
    together = verify_ledger(store.database, lambda *one: watched.append(one))
    assert replace(together, seconds=0) == replace(alone, seconds=0)
    assert set(watched[-2:]) == {("entries", 1200, 1200), ("payloads", 1200, 1200)}


def test_a_process_that_ends(tmp_path: Path) -> None:
    """A process that ends amid its work is noticed."""
    store = LedgerStore(empty_sqlite(tmp_path))
    store.append([run(0, 3)])
    with (
        snapshot(store.database) as rows,
        pytest.raises(NoHelp, match="a process ended"),
        helpers(store.database, rows, 1) as processes,
    ):
        processes.do([len], lambda _part, _more: None)  # type: ignore[list-item]
    store.close()


def test_without_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can help, or one ended, the whole work is done here."""

    def none_of_them(*_: object) -> None:
        raise NoHelp("no process on this machine")

    store = LedgerStore(empty_sqlite(tmp_path))
    store.append([run(0, 300)])
    monkeypatch.setattr(verify, "processors", lambda: 2)
    monkeypatch.setattr(verify, "WORTH_PROCESSES", 0)
    monkeypatch.setattr(verify, "helpers", none_of_them)
    report = verify_ledger(store.database)
    assert (report.ok, report.entries, report.payloads, report.tiles) == (True, 300, 300, 1)
    store.close()


def row_of(offset: int) -> StoredEntry:
    """A sound row of table `entry`."""
    one = record(offset)
    packed, value = leaf(one), one.value or b""
    return StoredEntry(
        offset,
        offset,
        event_id(one.headers),
        one.key,
        encode_headers(one.headers),
        sha256(value).digest(),
        packed,
        leaf_hash(packed),
        len(value),
    )


@settings(max_examples=300)
@given(st.integers(0, 3), st.sampled_from(StoredEntry._fields[1:]), st.data())
def test_what_is_said_to_fit_at_once_fits(offset: int, column: str, data: st.DataObject) -> None:
    """Rows taken at once are rows of which the check of each would note nothing; sound ones are taken."""
    sound = row_of(offset)
    fitting = Fitting(TOPIC, 0)
    assert fitting.hashes([sound], offset - 1) == [sound.leaf_hash]
    assert fitting.hashes([sound], offset) is None
    value = getattr(sound, column)
    if isinstance(value, bytes):
        at = data.draw(st.integers(0, len(value) - 1))
        new: object = value[:at] + data.draw(st.binary(max_size=2)) + value[at + 1 :]
    else:
        new = data.draw(st.integers(0, 600))
    other = sound._replace(**{column: data.draw(st.sampled_from([new, None]))})  # type: ignore[arg-type]
    if fitting.hashes([other], -1) is None:
        return
    notes: list[str] = []
    settled = check_entry(TOPIC, 0, other, lambda *note: notes.append(str(note)))
    assert (notes, settled) == ([], other.leaf_hash)
