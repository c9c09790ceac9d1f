"""What a person reads of a demo, without a terminal: plain lines in Chinese and English."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from casebus_consumers.panels import Screen
from casebus_deploy.demo.play import Spoken
from casebus_deploy.demo.players import HeardNotice
from casebus_deploy.demo.report import Check, Report
from casebus_deploy.demo.scenario import load
from casebus_deploy.demo.screen import DemoScreen
from casebus_deploy.demo.script import Script
from casebus_producers.outbox.outbox_events import Queued
from casebus_producers.sealing.opener import Opened
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.personal import read_personal

CHAIN = UUID("7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44")
BEIJING = timezone(timedelta(hours=8))


class Read:
    """A screen and what it has written."""

    def __init__(self) -> None:
        self.script = Script([load("jiang-liu"), load("jiang-liu.unit-slip")], Catalog.load())
        self._out = StringIO()
        self.screen = DemoScreen(Screen(file=self._out, width=200), self.script, Catalog.load())

    @property
    def text(self) -> str:
        return self._out.getvalue()


@pytest.fixture
def read() -> Read:
    """A screen without a terminal."""
    return Read()


def heard(agency: str, type: str = "referral.submitted", said: int = 1, **data: Any) -> HeardNotice:
    headers = SimpleNamespace(id=UUID(int=said), type=type, source="/bus/reconciler")
    record = SimpleNamespace(role="to", seq=0, headers=headers)
    return HeardNotice(agency, cast(Any, record), data, 1_040)


def spoken(script: Script, scenario: str, label: str) -> Spoken:
    step = load(scenario).step(label)
    script.publish(step, CHAIN, bytes(32))
    queued = Queued(1, step.id, step.type, str(CHAIN), bytes(32), "csrc.referral", 0, 1_000, None, 0, 1_001)
    return Spoken(step, queued, 1_000, admitted={"notices": [1, 2], "at": step.at.isoformat()})


def due(day: int) -> datetime:
    return datetime(2016, 10, day, tzinfo=BEIJING)


def test_a_step_shows_who_spoke_what_was_said_and_who_was_told(read: Read) -> None:
    """A step names speaker, unit, type, its words, its day and each receiver with its role and the wait."""
    one = spoken(read.script, "jiang-liu", "receipted")
    one.notices = [heard("csrc")]
    read.screen.step(one)
    assert "公安部 mps/economic-crime-bureau  受理回执 referral receipted  [jiang-liu]" in read.text
    assert "受理 / signs for it  (2016-10-19 日期推定 day assumed)" in read.text
    assert "→ 证监会 csrc (主送 to)  40 ms" in read.text


def test_what_was_sealed_is_shown_as_its_reader_reads_it(read: Read) -> None:
    """Under the step stands who opened it, for whom it is, and each fact behind the mark."""
    one = spoken(read.script, "jiang-liu.unit-slip", "handed_over")
    personal = read_personal(dict(one.step.sealed or {}))
    one.notices = [replace(heard("mps"), opened=Opened("opened", ("mps",), personal))]
    read.screen.step(one)
    assert "🔒 公安部 mps 读到 reads" in read.text
    assert "密封 SEALED  仅供有权者阅 for its readers only  → 公安部" in read.text
    assert "密封 SEALED  W1  证人甲（虚构）   生于 born 1949-12-31" in read.text
    assert "居民身份证 resident identity number 11010519491231002X" in read.text


def test_a_refused_step_shows_code_and_detail(read: Read) -> None:
    """A refusal is shown with what was found and expected."""
    one = spoken(read.script, "jiang-liu", "referral")
    one.refused = {"code": "bad-signature", "detail": "the signature does not fit"}
    read.screen.step(one)
    assert "✗ bad-signature: the signature does not fit" in read.text


def test_an_obligation_is_shown_once_with_all_its_readings(read: Read) -> None:
    """A clock shows each reading as the law writes its end; the same word to another agency shows nothing."""
    spoken(read.script, "jiang-liu.unit-slip", "referral")
    notice = heard(
        "mps",
        "obligation.announced",
        obligations=[
            {
                "id": UUID(int=1),
                "rule": "DL06",
                "chain": CHAIN,
                "owed_by": "mps",
                "owed_to": ["csrc"],
                "state": "open",
                "readings": [
                    {"name": "calendar", "due": due(23), "provisional": False},
                    {"name": "working", "due": due(25), "provisional": True},
                ],
            }
        ],
    )
    read.screen.of_bus(notice)
    first = read.text
    assert "DL06 立案审查决定 / decide on filing" in first
    assert "mps owes csrc  未到期 open  [jiang-liu.unit-slip]" in first
    assert "2016-10-22 24:00  自然日 calendar days" in first
    assert "2016-10-24 24:00  工作日 working days  ~ 最迟可能 at the latest 2016-11-08 24:00" in first
    read.screen.of_bus(notice)
    assert read.text == first


def test_a_finding_is_shown_once_and_again_when_it_closes(read: Read) -> None:
    """A finding told to two agencies is one line; its closing is another."""
    facts: dict[str, Any] = {"id": UUID(int=2), "rule": "R30", "chain": CHAIN, "severity": "high"}
    for agency in ("csrc", "mps"):
        read.screen.of_bus(
            heard(agency, "finding.opened", 1, findings=[{**facts, "because": {"zh": "因", "en": "since"}}])
        )
    read.screen.of_bus(
        heard("mps", "finding.closed", 2, findings=[{**facts, "because": {"zh": "消", "en": "gone"}}])
    )
    assert read.text.count("R30 因 / since") == 1
    assert "R30 消除 closed: 消 / gone" in read.text


def test_planted_scenarios_are_announced_as_planted(read: Read) -> None:
    """Nobody can mistake a planted variant for a case."""
    read.screen.opening()
    assert "■ 姜某君、柳某利用未公开信息交易案" in read.text
    assert "虚设 planted: 公安答复将46,190,000.00元写作4,619" in read.text


def test_the_summary_lists_every_check_with_its_verdict(read: Read) -> None:
    """Each check is a line that says whether it holds."""
    read.screen.summary(Report(checks=[Check("ledger", True, "sound"), Check("clocks", False, "late")]))
    assert "✓ ledger  sound" in read.text
    assert "✗ clocks  late" in read.text
