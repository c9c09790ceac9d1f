"""`casebus ledger backup` copies a ledger in use and verifies the copy."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_consumers.auditor.ledger_cli import app
from casebus_schemas.errors import UsageError
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledgers import empty_sqlite, run


def test_d10_a_ledger_in_use_is_copied_and_the_copy_verified(tmp_path: Path) -> None:
    """The command says how many entries the sound copy holds, and its root."""
    url, copy = empty_sqlite(tmp_path), tmp_path / "copy.db"
    store = LedgerStore(url)
    store.append([run(0, 30)])
    result = CliRunner().invoke(app, ["backup", str(copy), "--database-url", url, "--json"])
    store.close()
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert (body["backup"], body["ok"], body["entries"]) == (str(copy), True, 30)
    verified = CliRunner().invoke(app, ["verify", "--database-url", f"sqlite:///{copy}", "--json"])
    assert json.loads(verified.stdout)["logs"] == body["logs"]


def test_d10_a_ledger_in_postgresql_is_for_its_own_tools(tmp_path: Path) -> None:
    """The command names the tool that makes a whole copy of such a ledger."""
    url = "postgresql://127.0.0.1:1/ledger"
    result = CliRunner().invoke(app, ["backup", str(tmp_path / "copy.db"), "--database-url", url])
    assert isinstance(result.exception, UsageError)
    assert "pg_dump" in result.exception.detail
    with pytest.raises(FileNotFoundError):
        (tmp_path / "copy.db").stat()
