"""A backup of what cannot be derived: restored it is verified, or says exactly what is missing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_consumers.auditor.ledger_rows import snapshot
from casebus_deploy.cli.backup import app
from casebus_deploy.stack.backup import make_backup, read_backup, restore
from casebus_deploy.stack.enrolment import enrolled, enrolled_dir, operators_own
from casebus_producers.config import read_connection
from casebus_producers.private_files import write_private
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_services.ledger.ledger_database import open_database
from casebus_services.ledger.store import LedgerStore
from support.cases.members import open_outbox, ready, write_connection
from support.ledger.ledgers import empty_sqlite, run


@pytest.fixture
def bus(tmp_path: Path) -> tuple[Path, Connection]:
    """The connection.json of a bus with 20 ledgered records and one event in an outbox, all in use."""
    folder = tmp_path / "bus"
    folder.mkdir()
    url = empty_sqlite(folder)
    file = write_connection("127.0.0.1:9", folder, folder)
    body = json.loads(file.read_text())
    body["databases"]["ledger"] = url
    for name, principal in body["principals"].items():
        (folder / f"{name}.password").write_text("secret")
        principal["password_file"] = f"{name}.password"
    write_private(folder / "log.signing-key", "ab" * 32)
    body["ledger"] = {"origin": "bus.example/ledger", "key_file": "log.signing-key"}
    file.write_text(json.dumps(body))
    connection = read_connection(file)
    assert connection is not None
    LedgerStore(url).append([run(0, 20)])
    data_dir = connection.principal("csrc").data_dir
    assert data_dir is not None
    open_outbox(data_dir).enqueue([ready(1)])
    return file, connection


def test_d10_a_restored_backup_is_verified_and_names_what_is_missing(
    bus: tuple[Path, Connection], tmp_path: Path
) -> None:
    """Ledger, outbox and keys are put back, the ledger sound; topics, accounts, empty outboxes are named."""
    file, _ = bus
    made = CliRunner().invoke(app, ["backup", str(tmp_path / "kept"), "-c", str(file), "--keys", "--json"])
    assert made.exit_code == 0, made.output
    kept = {"ledger.db", "agencies/csrc/outbox.db", "secrets/csrc.signing-key", "secrets/log.signing-key"}
    assert kept <= json.loads(made.stdout)["files"].keys()
    data = tmp_path / "new"
    done = CliRunner().invoke(app, ["restore", str(tmp_path / "kept"), "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert body["ledger"] == {"ok": True, "entries": 20, "logs": 1}
    assert {"topics", "accounts", "witnesses", "agencies/mps/outbox.db"} == body["missing"].keys() - {
        "agencies/spp/outbox.db",
        "agencies/court/outbox.db",
    }
    outbox = open_outbox(data / "agencies" / "csrc")
    assert outbox.status().pending == 1
    outbox.close()
    secret = data / "secrets" / "csrc.signing-key"
    assert secret.read_text() == file.with_name("csrc.signing-key").read_text()
    assert secret.stat().st_mode & 0o777 == 0o600


def test_what_people_wrote_is_kept_and_nobody_else_reads_it(
    bus: tuple[Path, Connection], tmp_path: Path
) -> None:
    """Settings, notices of holidays, policies, keys of sealed data, the ledger's name and its high water."""
    _, connection = bus
    data = tmp_path / "data"
    csrc = connection.principal("csrc").data_dir
    assert csrc is not None
    operator = replace(connection.principal("operator"), password_file=data / "secrets" / "operator.password")
    known = replace(connection, principals={**connection.principals, "operator": operator})
    written = {
        csrc / "door.yaml": "agencies/csrc/door.yaml",
        csrc / "data-keys" / "case": "agencies/csrc/data-keys/case",
        data / "holidays" / "notice-2027.yaml": "holidays/notice-2027.yaml",
        data / "policy": "policy.earlier",
        data / "services" / "sealer" / "high-water.checkpoint": "services/sealer/high-water.checkpoint",
    }
    for file in written:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {file.name}")
        file.chmod(0o644)
    made = make_backup(known, tmp_path / "kept", keys=True)
    restore(tmp_path / "kept", tmp_path / "new")
    for file, name in written.items():
        assert (tmp_path / "new" / name).read_text() == file.read_text()
    for folder in ("kept", "new"):
        files = [file for file in (tmp_path / folder).rglob("*") if file.is_file()]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert json.loads((tmp_path / "new" / "connection.json").read_text())["ledger"] == {"origin": made.ledger}
    assert made.ledger == "bus.example/ledger"


def test_approved_requests_are_kept(bus: tuple[Path, Connection], tmp_path: Path) -> None:
    """A restored folder in which agencies have enrolled is still one, also without keys in the backup."""
    _, connection = bus
    data = tmp_path / "data"
    password = data / "secrets" / "operator.password"
    operator = replace(connection.principal("operator"), password_file=password)
    enrolled_dir(data).mkdir(parents=True)
    (enrolled_dir(data) / "csrc.json").write_text('{"request": "1"}')
    known = replace(connection, principals={**connection.principals, "operator": operator})
    make_backup(known, tmp_path / "kept", keys=False)
    restore(tmp_path / "kept", tmp_path / "new")
    assert dict(enrolled(tmp_path / "new")) == {"csrc": {"request": "1"}}
    assert operators_own(tmp_path / "new", tmp_path / "new" / "secrets", agencies=True) == ()


def test_d10_keys_are_left_out_unless_chosen(bus: tuple[Path, Connection], tmp_path: Path) -> None:
    """Without the choice no secret is in the backup, which says so."""
    made = make_backup(bus[1], tmp_path / "kept", keys=False)
    assert not [name for name in made.files if name.startswith("secrets/")]
    assert "back them up apart" in made.missing["secrets"]
    assert read_backup(tmp_path / "kept").files == made.files


def test_d10_a_ledger_in_postgresql_is_named_as_missing(bus: tuple[Path, Connection], tmp_path: Path) -> None:
    """What this command does not copy is said with the tool that does."""
    connection = replace(bus[1], databases={"ledger": "postgresql+psycopg://127.0.0.1/ledger"})
    assert "pg_dump" in make_backup(connection, tmp_path / "kept", keys=False).missing["ledger"]


def test_d10_neither_backup_nor_restore_replaces_anything(
    bus: tuple[Path, Connection], tmp_path: Path
) -> None:
    """A folder in use is refused, a damaged backup is named by its file, and nothing is put back of it."""
    kept, data = tmp_path / "kept", tmp_path / "new"
    make_backup(bus[1], kept, keys=False)
    with pytest.raises(UsageError, match="replaces nothing"):
        make_backup(bus[1], kept, keys=False)
    restore(kept, data)
    with pytest.raises(UsageError, match="replaces nothing"):
        restore(kept, data)
    with (kept / "ledger.db").open("ab") as opened:
        opened.write(b"x")
    with pytest.raises(UsageError, match=r"ledger\.db"):
        restore(kept, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    database = open_database(f"sqlite:///{data / 'ledger.db'}", read_only=True)
    with snapshot(database) as rows:
        assert sum(rows.next_offsets().values()) == 20
