"""Planted damage: each kind changes what it says; the tables alone show all but a removed tail."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from casebus_consumers.auditor.verify import verify_ledger
from casebus_deploy.demo.damage import Break, break_ledger
from casebus_services.ledger.ledger_database import open_database
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import run


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with an agency's log and admissions in several batches, one full tile among them."""
    file = tmp_path / "ledger.db"
    store = LedgerStore(f"sqlite:///{file}")
    for topic in ("csrc.referral", "bus.admission"):
        for first, last in ((0, 200), (200, 300), (300, 310)):
            store.append([run(first, last, topic=topic)])
    store.close()
    return file


def damages(file: Path) -> list[str]:
    """What a verification of the tables alone finds."""
    database = open_database(f"sqlite:///{file}", read_only=True)
    try:
        return [str(damage) for damage in verify_ledger(database).damages]
    finally:
        database.engine.dispose()


def guards(file: Path) -> int:
    """Number of triggers that guard the tables."""
    with closing(sqlite3.connect(file)) as connection:
        return int(
            connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0]
        )


def test_one_changed_byte_is_found_with_its_entry(ledger: Path) -> None:
    """The verification names the payload whose byte was changed and the entry that it belongs to."""
    said = break_ledger(Break.ONE_BYTE, ledger)
    found = damages(ledger)
    assert len(found) == 1
    assert said.split()[1] in found[0]
    assert "csrc.referral/0 index 0" in found[0]


def test_a_removed_row_is_found_with_its_index(ledger: Path) -> None:
    """The verification names the index at which an entry is missing."""
    said = break_ledger(Break.DROP_ROW, ledger)
    assert said == "entry 155 of 310 in casebus/bus.admission/0 removed"
    found = damages(ledger)
    assert any("entry of casebus/bus.admission/0" in damage and "155" in damage for damage in found)


def test_a_removed_tail_leaves_a_ledger_that_is_sound_by_itself(ledger: Path) -> None:
    """A tail removed from all tables alike cannot be seen in the tables: only Kafka knows of it."""
    said = break_ledger(Break.DROP_TAIL, ledger)
    assert said == "entries 300 to 309 in casebus/bus.admission/0 removed from all tables"
    assert damages(ledger) == []


@pytest.mark.parametrize("what", [Break.ONE_BYTE, Break.DROP_ROW, Break.DROP_TAIL])
def test_the_guards_stand_again_afterwards(ledger: Path, what: Break) -> None:
    """Damage leaves the tables guarded as before: nothing shows that they were ever off."""
    before = guards(ledger)
    break_ledger(what, ledger)
    assert before > 0
    assert guards(ledger) == before
