"""Databases that are read are left as they are: in use, copied, on media that cannot be written."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from casebus_consumers.auditor.ledger_rows import snapshot
from casebus_consumers.auditor.verify import verify_ledger
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.ledger.ledger_database import open_database
from casebus_services.ledger.store import LedgerStore
from casebus_services.reconciler.accounts_database import Database
from casebus_services.sqlite_backup import back_up
from support.ledger.ledgers import empty_sqlite, run

ENTRIES = 300
LOGGED = 40


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Path]:
    """A ledger in use: 300 entries in the file, 40 more in its write-ahead log."""
    url = empty_sqlite(tmp_path)
    store = LedgerStore(url)
    store.append([run(0, ENTRIES)])
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.append([run(ENTRIES, ENTRIES + LOGGED)])
    yield Path(url.removeprefix("sqlite:///"))
    store.close()


def copied(live: Path, folder: Path, *endings: str) -> Path:
    """A copy of the file and of what stands beside it under these endings."""
    folder.mkdir()
    for ending in ("", *endings):
        shutil.copyfile(f"{live}{ending}", f"{folder / live.name}{ending}")
    return folder / live.name


def digests(folder: Path) -> dict[str, str]:
    """Every file of a folder with the digest of its bytes."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """The folder as a medium that cannot be written; skips where that cannot be made."""
    if os.geteuid():  # whoever is not root may not write where nobody may
        folder.chmod(0o500)
        yield
        folder.chmod(0o700)
        return
    for command in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
        if subprocess.run(["mount", *command], capture_output=True, check=False).returncode:
            pytest.skip("this root may not mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def entries(file: Path) -> int:
    """Entries of a sound ledger that is only read."""
    report = verify_ledger(open_database(f"sqlite:///{file}", read_only=True))
    assert report.ok
    return report.entries


@pytest.mark.parametrize(
    ("endings", "expected"),
    [(("-wal", "-shm"), ENTRIES + LOGGED), (("-wal",), ENTRIES + LOGGED), ((), ENTRIES)],
    ids=["all three", "without -shm", "the file alone"],
)
def test_d10_reading_a_copy_changes_nothing(
    live: Path, tmp_path: Path, endings: tuple[str, ...], expected: int
) -> None:
    """A copy holds the same files with the same bytes after its verification, and its log is read."""
    copy = copied(live, tmp_path / "copy", *endings)
    before = digests(copy.parent)
    assert entries(copy) == expected
    assert digests(copy.parent) == before


@pytest.mark.parametrize("made", ["-wal -shm", "-wal", ".backup", "casebus"])
def test_d10_a_copy_on_a_read_only_medium_is_read(live: Path, tmp_path: Path, made: str) -> None:
    """However it was made, a copy is verified where nothing can be written."""
    folder = tmp_path / "medium"
    if made.startswith("-"):
        copied(live, folder, *made.split())
    else:
        folder.mkdir()
        if made == "casebus":
            back_up(live, folder / live.name)
        else:
            with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(folder / live.name)) as to:
                source.backup(to)
    with unwritable(folder):
        assert entries(folder / live.name) == ENTRIES + LOGGED


def test_d10_a_file_in_use_is_read_with_its_log(live: Path) -> None:
    """Reading beside the writer sees what was committed last, and the writer goes on."""
    assert entries(live) == ENTRIES + LOGGED
    store = LedgerStore(f"sqlite:///{live}")
    store.append([run(ENTRIES + LOGGED, 400)])
    store.close()
    assert entries(live) == 400


def test_d10_a_copy_without_its_log_is_named(tmp_path: Path) -> None:
    """A copy of a young ledger's file alone has no tables: what is missing is said."""
    url = empty_sqlite(tmp_path)
    store = LedgerStore(url)
    store.append([run(0, 10)])
    copy = copied(Path(url.removeprefix("sqlite:///")), tmp_path / "copy")
    store.close()
    database = open_database(f"sqlite:///{copy}", read_only=True)
    with pytest.raises(UsageError, match="lacks its -wal"), snapshot(database):
        pass
    assert digests(copy.parent).keys() == {copy.name}


def test_d10_a_file_at_rest_that_moves_is_read_again(live: Path, tmp_path: Path) -> None:
    """Where a writer begins while a file is read as one at rest, nothing is said of it."""
    copy = copied(live, tmp_path / "copy")
    database = open_database(f"sqlite:///{copy}", read_only=True)

    def write() -> None:
        store = LedgerStore(f"sqlite:///{copy}")
        store.append([run(ENTRIES, ENTRIES + 5)])
        store.close()

    with pytest.raises(RetryLater, match="written while it was read"), snapshot(database):
        write()


def test_d10_the_accounts_are_read_alike(tmp_path: Path) -> None:
    """A copy of the accounts is left as it is, too."""
    file = tmp_path / "accounts.db"
    writer = Database(f"sqlite:///{file}")
    writer.migrate()
    writer.close()
    before = digests(tmp_path)
    reader = Database(f"sqlite:///{file}", read_only=True)
    with reader.reading() as transaction:
        assert transaction.rows("SELECT count(*) FROM recon_event") == [(0,)]
    reader.close()
    assert digests(tmp_path) == before


def test_d10_a_backup_is_whole_and_replaces_nothing(live: Path, tmp_path: Path) -> None:
    """The copy is one file for its owner alone, with all that was committed; an existing name is refused."""
    copy = tmp_path / "backup.db"
    back_up(live, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert entries(copy) == ENTRIES + LOGGED
    assert not copy.with_name("backup.db-wal").exists()
    with pytest.raises(UsageError, match="replaces nothing"):
        back_up(live, copy)
    with pytest.raises(RetryLater, match="could not be made"):
        back_up(live, tmp_path / "none" / "backup.db")
