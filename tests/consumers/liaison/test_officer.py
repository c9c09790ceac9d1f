"""An officer finds cases by what they are called, and reads what is due and what disagrees at a glance."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from casebus_consumers import accounts_reader, case_lookup
from casebus_consumers.liaison.cases_cli import app
from casebus_consumers.liaison.due_text import end_text, left_text
from casebus_consumers.liaison.inbox import read_notice
from casebus_consumers.liaison.notice_view import plain_lines
from casebus_schemas.admission.notice_records import parse_notice
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_day, read_end
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import at
from support.cases.members import door_event
from support.events.signed_events import chain, stored
from support.reconciler.desk import Desk, envelope_at
from support.router.router_writings import as_notice

NOW = "2022-10-01T09:00"


@pytest.fixture
def url(database: Database, accounts_url: str) -> str:
    """Accounts that hold one case of two suspects, filed, whose figures disagree."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    return accounts_url


def shown(url: str, *words: str) -> str:
    """What a command prints."""
    options = ["--now", NOW] if words[0] in ("case", "obligations") else []
    done = CliRunner().invoke(app, [*words, "--database-url", url, *options], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def refused(url: str, *words: str) -> str:
    """The error of a command that is used wrongly."""
    done = CliRunner().invoke(app, [*words, "--database-url", url])
    assert isinstance(done.exception, UsageError)
    return done.exception.detail


@pytest.mark.parametrize("called", ["demo-1", "柳某", chain(1), chain(1)[:8]])
def test_c6_a_case_is_found_by_what_it_is_called(url: str, called: str) -> None:
    """Number, name, chain id and its beginning all lead to the case."""
    said = shown(url, "case", called)
    assert chain(1) in said
    assert "案号 number    demo-1" in said


def test_c6_an_agency_finds_only_what_it_was_told(url: str) -> None:
    """Somebody who hears of a case is no candidate for those who do not."""
    assert "no such chain" in refused(url, "case", "demo-1", "--agency", "court")
    assert chain(1) in shown(url, "case", "demo-1", "--agency", "mps")


def test_c6_several_cases_of_one_name_are_listed(tmp_path: Path) -> None:
    """A name that two cases share is refused, and both are named with their ids."""
    url = f"sqlite:///{tmp_path / 'two.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    desk.play(1)
    desk.play(2)
    desk.agent.handle(desk.admitter.batches())
    database.close()
    said = refused(url, "obligations", "--chain", "姜某君")
    assert f"demo-1 · 姜某君、柳某 · {chain(1)[:8]}" in said
    assert f"demo-1 · 姜某君、柳某 · {chain(2)[:8]}" in said


def test_new_nobody_hides_a_case_behind_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ever so many chains that hold a name or number an agency finds its own; who has none is told so."""
    for module in (accounts_reader, case_lookup):
        monkeypatch.setattr(module, "MOST_MEANT", 3)
    url = f"sqlite:///{tmp_path / 'many.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    flood = sorted(range(2, 300), key=chain)[:3]
    assert all(chain(number) < chain(1) for number in flood), "they come first in the order of ids"
    desk.play(1)
    for number in flood:
        refs = [{"issuer": "mps", "scheme": "case", "value": "demo-1"}]
        data = {"envelope": envelope_at("2022-09-28", to=["csrc", "spp"], local_refs=refs), "question": "?"}
        said = desk.admitter.speaker("mps").say("consultation.requested", data, chain(number))
        desk.admitter.admit(said)
    desk.agent.handle(desk.admitter.batches())
    database.close()
    assert chain(1) in shown(url, "case", "demo-1", "--agency", "csrc")
    assert "more than 2 cases" in refused(url, "case", "demo-1", "--agency", "spp")
    assert "more than 2 cases" in refused(url, "case", "demo-1")


def test_c6_a_duty_is_one_line(url: str) -> None:
    """State, days left, the last day with its 24:00, who owes whom what, and the case; nothing else."""
    duty, others = shown(url, "obligations").splitlines()
    for part in (
        "DL10  未到期 open  还剩2至24天 2 to 24 days left  至 until 2022-10-03 24:00 / 2022-10-25 24:00 ~",
        "证监会 csrc → 公安部 mps",
        "〔demo-1 · 姜某君、柳某 · ",
    ):
        assert part in duty
    assert others == "另有 1 项已履行或已终止 1 more met or over: --all"
    assert len(shown(url, "obligations", "--all").splitlines()) == 2


def test_c6_nothing_found_is_said(url: str) -> None:
    """An empty answer is a sentence."""
    assert shown(url, "obligations", "--state", "overdue") == "没有到期事项 nothing is due\n"
    assert shown(url, "findings", "--rule", "r31") == "没有发现 no findings\n"
    assert shown(url, "case", "--agency", "court") == "没有案件 no cases\n"


@pytest.mark.parametrize(
    ("due", "now", "text", "left"),
    [
        ("2022-10-03", "2022-09-30T10:00", "2022-10-02 24:00", "还剩2天 2 days left"),
        ("2022-10-03", "2022-10-02T10:00", "2022-10-02 24:00", "今天到期 due today"),
        ("2022-10-03", "2022-10-03T00:00", "2022-10-02 24:00", "已逾期1天 1 day overdue"),
        ("2022-10-03T11:00", "2022-10-02T10:00", "2022-10-03 11:00", "还剩1天 1 day left"),
    ],
)
def test_c6_the_right_day_is_shown(due: str, now: str, text: str, left: str) -> None:
    """A term that ends at midnight ends at 24:00 of the day before, to which days are counted."""
    assert end_text(at(due)) == text
    assert left_text(at(due), at(due), at(now)) == left


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("obligations", "-a", "police"), "one of csrc, mps, spp, court"),
        (("obligations", "--state", "late"), "one of open, due, contested, overdue"),
        (("findings", "-a", "police"), "one of csrc"),
        (("findings", "--state", "late"), "one of open, explained, accepted, closed"),
        (("findings", "--rule", "R99"), "R30, R31"),
        (("case", "demo-1", "--level", "guessed"), "available, fetched, receipted"),
        (("case", "demo-1", "--known-by", "police"), "one of csrc"),
    ],
)
def test_c8_unknown_values_are_named_with_the_known_ones(
    url: str, words: tuple[str, ...], known: str
) -> None:
    """A value that nothing can have is wrong use, not an empty answer."""
    assert known in refused(url, *words)


@pytest.mark.parametrize("day", ["2016/10/25", "2016-10-25", "2016年10月25日"])
def test_c8_days_are_read_as_people_write_them(day: str) -> None:
    """A day with strokes or Chinese signs is that day."""
    assert read_day(day).isoformat() == "2016-10-25"
    assert read_end(day) == at("2016-10-26")


def test_c7_a_finding_shows_the_id_by_which_it_is_answered(url: str) -> None:
    """The list of findings and the case show the same id, which the notice of the bus bears, too."""
    [line] = [line for line in shown(url, "findings").splitlines() if "发现 finding" in line]
    assert line.strip() in shown(url, "case", "demo-1")


@pytest.mark.parametrize("agency", ["csrc", "mps"])
def test_e7_a_merger_is_told_in_both_matters_to_both_agencies(tmp_path: Path, agency: str) -> None:
    """The matter that ended and the one that goes on name each other, in the case and in the notice."""
    url = f"sqlite:///{tmp_path / 'merged.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    notices = []
    for number in (1, 2):
        desk.play(number)
        into = {"chain": UUID(chain(2)), "ref": {"issuer": "mps", "scheme": "case", "value": "〔2022〕7号"}}
        facts = {"merged": [{"chain": UUID(chain(1)), "ref": None}], "into": into, "reasons": "同一案件"}
        said = {"envelope": envelope_at("2022-09-30", to=["csrc"]), **facts}
        merged = desk.admitter.speaker("mps").say("referral.merged", said, chain(number))
        desk.admitter.admit(merged)
        notices.append(parse_notice(stored(as_notice(merged, "csrc"))))
    desk.agent.handle(desk.admitter.batches())
    database.close()
    merger = f"{chain(1)}  → 并入 into mps 〔2022〕7号  {chain(2)}"
    ended, going_on = (shown(url, "case", chain(number), "-a", agency) for number in (1, 2))
    assert f"并案 merger    {merger}" in ended
    assert f"并案 merger    {merger}" in going_on
    assert "已并案 merged into another case" in ended
    assert "已并案" not in going_on
    for notice in notices:
        read = read_notice("csrc", notice, Catalog.load())
        lines = plain_lines(read, Catalog.load())
        assert f"    被并案件 merged {chain(1)}" in lines
        assert f"    并入 into mps 〔2022〕7号  {chain(2)}" in lines


def test_e7_a_check_shows_mergers_and_what_corrections_change(tmp_path: Path) -> None:
    """Without a server the case says as much of its events as with one."""
    merger = {"merged": [{"chain": chain(1), "ref": None}], "into": {"chain": chain(2), "ref": None}}
    corrected = {
        "amounts": [{"basis": "illegal_gain", "value": "2.00", "currency": "CNY"}],
        "reasons": "更正",
    }
    events = [
        {"event": door_event(subject=chain(1)), "digest": "ab" * 32},
        door_event(
            type="referral.corrected",
            id=None,
            subject=chain(1),
            envelope={"corrects": "ab" * 32, "message_no": "M-1"},
            data=corrected,
        ),
        door_event(
            type="referral.merged", id=None, subject=chain(1), envelope={"message_no": "M-2"}, data=merger
        ),
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, events)))
    done = CliRunner().invoke(app, ["check", str(file), "--now", NOW], catch_exceptions=False)
    assert done.exit_code == 0, done.stdout
    assert f"并案 merger    {chain(1)}  → 并入 into {chain(2)}" in done.stdout
    assert "改为 amounts: " in done.stdout
    assert "更正 corrects abababababababab" in done.stdout
