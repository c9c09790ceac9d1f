"""An auditor asks what became of a case between two days."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from casebus_consumers.liaison.changes_cli import app
from casebus_schemas.errors import UsageError
from casebus_services.reconciler.accounts_database import Database
from support.reconciler.desk import Desk

AFTER = "2022-09-30T12:00"
BEFORE = "2022-09-29T12:00"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Accounts of one case that was filed on 30 September 2022."""
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    database.close()
    return url


def _asked(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["demo-1", "--database-url", url, "--now", "2022-10-10", *words])


def test_what_changed_is_shown(url: str) -> None:
    """The state, what is new with a plus, what was otherwise with both lines; the same as JSON."""
    words = ("--known-at", AFTER, "--was-known-at", BEFORE)
    said = _asked(url, *words)
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[0].startswith("状态 status  ")
    assert any(line.startswith("  + ") and "referral.filed" in line for line in lines)
    assert any(line.startswith("  + R30") for line in lines)
    found = json.loads(_asked(url, *words, "--json").stdout)
    assert [entry["type"] for entry in found["events"]["added"]] == ["referral.filed"]


def test_no_difference_is_said(url: str) -> None:
    """Two moments between which nothing happened."""
    words = ("--known-at", AFTER, "--was-known-at", "2022-09-30T12:00:01")
    compared = json.loads(_asked(url, *words, "--json").stdout)
    assert compared["status"] is None
    same = _asked(url, "--known-at", AFTER, "--was-known-at", AFTER)
    assert (same.exit_code, same.stdout.strip()) == (0, "没有不同 no difference")


def test_before_anything_was_known_all_is_new(url: str) -> None:
    """A view in which the case did not exist yet is an empty one."""
    found = json.loads(_asked(url, "--was-known-at", "2022-09-01", "--json").stdout)
    assert (found["status"]["was"], len(found["events"]["added"])) == (None, 3)
    assert found["was"]["as_of"]["known_at"].startswith("2022-09-02T00:00")


def test_against_nothing_is_wrong_use(url: str) -> None:
    """Without another view there is nothing to compare."""
    assert isinstance(_asked(url).exception, UsageError)
