"""An auditor asks who could know of the cases about a security."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from casebus_consumers.liaison.insiders_cli import app
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_time
from casebus_services.reconciler.accounts_database import Database
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at, ms


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Accounts of one case about 600518 that went to the police, and of another one."""
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    for number, code in ((1, "600518"), (2, "000001")):
        _refer(desk, number, code)
    desk.agent.handle(desk.admitter.batches())
    database.close()
    return url


def _refer(desk: Desk, number: int, code: str) -> None:
    security = {"market": "SSE", "code": code, "name": None}
    data = {"envelope": envelope_at("2022-09-28", to=["mps/economic"]), "security": security}
    referral = desk.admitter.speaker("csrc").say("referral.submitted", data, chain(number))
    desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))


def _asked(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["--database-url", url, *words])


def test_who_could_know_on_screen_and_as_json(url: str) -> None:
    """The agencies that were told of that security's case, each on a line, and the same as JSON."""
    words = ("--security", "600518", "--market", "sse", "--on", "2022-09-30")
    said = _asked(url, *words)
    assert said.exit_code == 0
    head, *lines = said.stdout.splitlines()
    assert head == f"案件链 chain {chain(1)}  〔demo-1 · 600518 · {chain(1)[:8]}〕"
    assert [line.split()[0] for line in lines] == ["证监会", "公安部", "最高检"]
    assert "[mps/economic]" in lines[1]
    found = json.loads(_asked(url, *words, "--json").stdout)
    assert [(one["agency"], one["chain"], len(one["events"])) for one in found] == [
        ("csrc", chain(1), 1),
        ("mps", chain(1), 1),
        ("spp", chain(1), 1),  # told by law
    ]


def test_nobody_is_said(url: str) -> None:
    """A day before the referral, or a security of no case: that is said."""
    for words in (
        ("--security", "600518", "--on", "2022-09-01"),
        ("--security", "600519", "--on", "2022-10-01"),
    ):
        said = _asked(url, *words)
        assert (said.exit_code, said.stdout.strip()) == (0, "没有知情机关 nobody could know by then")


@pytest.mark.parametrize("words", [("--security", " "), ("--security", "600518", "--market", "NYSE")])
def test_what_is_no_security_is_wrong_use(url: str, words: tuple[str, ...]) -> None:
    """An empty code and an unknown market are usage errors."""
    assert isinstance(_asked(url, *words, "--on", "2022-10-01").exception, UsageError)


def test_readers_are_shown_under_their_agency(tmp_path: Path) -> None:
    """Who read what, as the agency logged it, on the screen and as JSON."""
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    _refer(desk, 1, "600518")
    access = {
        "officer": "经侦-07",
        "unit": "mps/economic",
        "event": None,
        "kind": "printed",
        "purpose": "审查",
        "at": read_time("2022-09-29T10:00"),
    }
    data = {"envelope": envelope_at("2022-09-30", to=["csrc"]), "accesses": [access]}
    logged = desk.admitter.speaker("mps").say("access.logged", data, chain(1))
    desk.admitter.admit(logged, at_ms=ms("2022-09-30T10:00"))
    desk.agent.handle(desk.admitter.batches())
    database.close()
    words = ("--security", "600518", "--on", "2022-09-30")
    lines = _asked(url, *words).stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  公安部"))
    printed = "打印 printed 2022-09-29T10:00  全案 the whole matter"
    assert lines[at + 1] == f"    经侦-07 (mps/economic)  {printed}"
    found = json.loads(_asked(url, *words, "--json").stdout)
    assert {one["agency"]: [who["name"] for who in one["readers"]] for one in found} == {
        "csrc": [],
        "mps": ["经侦-07"],
        "spp": [],
    }
    assert "经侦-07" not in _asked(url, "--security", "600518", "--on", "2022-09-28").stdout
