"""A stored duty or finding that cannot be read is named, and hides no other."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from casebus_consumers.liaison.cases_cli import app
from casebus_services.reconciler.accounts_database import Database
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at, ms

NOW = ("--now", "2022-09-29")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Two referrals with their duties, and finding R40 of each: a court that is no party speaks of it."""
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    for number in (1, 2):
        data = {"envelope": envelope_at("2022-09-28", to=["mps"])}
        referral = desk.admitter.speaker("csrc").say("referral.submitted", data, chain(number))
        desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))
        filed = {"envelope": envelope_at("2022-09-28", to=["csrc"])}
        answer = desk.admitter.speaker("mps").say("referral.filed", filed, chain(number))
        desk.admitter.admit(answer, at_ms=ms("2022-09-28T10:30"))
        closed = {"envelope": envelope_at("2022-09-28", to=["csrc"]), "instance": "first"}
        early = desk.admitter.speaker("court").say("outcome.judgment", closed, chain(number))
        desk.admitter.admit(early, at_ms=ms("2022-09-28T11:00"))
    desk.agent.handle(desk.admitter.batches())
    database.close()
    return url


def _asked(url: str, *words: str) -> Result:
    done = CliRunner().invoke(app, [*words, "--database-url", url])
    assert done.exit_code == 0, done.output
    return done


def _spoil(url: str, table: str, id: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET body = '{{\"id\"' WHERE id = :id"), {"id": id})
    engine.dispose()


@pytest.mark.parametrize(
    ("command", "table"),
    [("findings", "recon_finding"), ("obligations", "recon_obligation")],
)
def test_a_row_that_cannot_be_read_is_named(url: str, command: str, table: str) -> None:
    """By number, chain and reason, on the screen and as JSON; the others are shown as before."""
    words = (command, *(NOW if command == "obligations" else ()), "--all")
    sound = json.loads(_asked(url, *words, "--json").stdout)
    assert len(sound) >= 2
    _spoil(url, table, sound[0]["id"])
    found = json.loads(_asked(url, *words, "--json").stdout)
    (unread,) = [one for one in found if "not_readable" in one]
    assert {name: unread[name] for name in ("id", "rule", "chain")} == {
        name: sound[0][name] for name in ("id", "rule", "chain")
    }
    assert [one for one in found if one is not unread] == sound[1:]
    line = f"{unread['rule']} {unread['id']}  案件链 chain {unread['chain']}  无法读取 cannot be read: "
    assert line in _asked(url, *words).stdout


def test_an_agency_is_told_only_that_there_is_one(url: str) -> None:
    """Whether it concerns the agency is not known: neither its number nor its case is shown."""
    first = json.loads(_asked(url, "findings", "--json").stdout)[0]
    _spoil(url, "recon_finding", first["id"])
    said = _asked(url, "findings", "--agency", "mps")
    assert "无法读取 cannot be read: the operator's list says why" in said.stdout
    assert first["id"] not in said.stdout


def test_the_case_is_shown_beside_it(url: str) -> None:
    """A finding of the case that cannot be read ends with a line of its own below the others."""
    first = json.loads(_asked(url, "findings", "--json").stdout)[0]
    _spoil(url, "recon_finding", first["id"])
    said = _asked(url, "case", first["chain"], *NOW)
    assert "referral.submitted" in said.stdout or "移送" in said.stdout
    assert said.stdout.count("无法读取 cannot be read") == 1
