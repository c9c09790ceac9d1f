"""A screen survives whatever stands in a notice, a duty, a finding or an event: it says so, and goes on."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from casebus_consumers.liaison import cases_cli
from casebus_consumers.liaison.case_screen import case_lines
from casebus_consumers.liaison.inbox import Notice, read_notice
from casebus_consumers.liaison.notice_view import plain_lines
from casebus_producers.received.inbox_reader import Unreadable
from casebus_schemas.admission.notice_records import NoticeRecord, parse_notice
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.texts.harmless import json_text
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import amount, at, say, suspects
from support.cases.event_data import event_data
from support.events.signed_events import AT, Speaker, stored
from support.reconciler.desk import Desk
from support.router.router_writings import as_notice

CATALOG = Catalog.load()
SPOKEN = sorted(type for type, known in CATALOG.types.items() if known.channel != RECEIPTS)
ODD = st.sampled_from(
    [None, "", "unheard-of", "9999-12-31T23:59:59Z", "NaN", -1, 2**70, [], {}, [None], {"x": None}, True]
)


def notice_of(said: Any, seq: int = 7) -> NoticeRecord:
    """The notice of an event as it stands in the inbox of the police."""
    return parse_notice(stored(as_notice(said, "mps"), seq))


def good(seq: int = 8) -> Notice:
    """A notice of an ordinary referral."""
    read = read_notice("mps", notice_of(Speaker("csrc").refer(), seq), CATALOG)
    assert isinstance(read, Notice)
    return read


def places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of a JSON value with what holds it."""
    for key, value in list(part.items() if isinstance(part, dict) else enumerate(part)):
        yield part, key
        if isinstance(value, dict | list):
            yield from places(value)


def changed(draw: st.DrawFn, body: Any) -> Any:
    """The body with some of its members replaced by anything."""
    body = deepcopy(body)
    for _ in range(draw(st.integers(1, 4))):
        holder, key = draw(st.sampled_from(list(places(body))))
        holder[key] = deepcopy(draw(ODD))
    return body


@settings(max_examples=40)
@given(data=st.data(), type=st.sampled_from(SPOKEN))
def test_e4_whatever_a_schema_allows_is_shown(data: st.DataObject, type: str) -> None:
    """Text and JSON tell every event that can be written, under its number and not as one that cannot."""
    drawn = data.draw(event_data(CATALOG.latest(type)))
    drawn["envelope"]["to"] = ["mps"]
    drawn["envelope"]["occurred_at"] = AT
    speaker = min(CATALOG.types[type].speakers)
    said = Speaker(speaker, producer=f"{speaker}-1.1").say(type, drawn, source=f"/{speaker}/office")
    told = read_notice("mps", notice_of(said), CATALOG)
    assert isinstance(told, Notice)
    head, *_ = lines = plain_lines(told, CATALOG)
    assert head.startswith("#7  2016-10-18")
    assert "cannot be shown" not in "".join(lines)
    assert json_text(told.to_json())


@settings(max_examples=40)
@given(st.data())
def test_e4_what_cannot_be_shown_is_named_with_its_number_and_reason(data: st.DataObject) -> None:
    """Nulls, unknown words and impossible times in a notice end in one line, never in an error."""
    drawn = data.draw(event_data(CATALOG.latest("finding.opened")).filter(lambda one: one["findings"]))
    drawn["envelope"]["occurred_at"] = AT
    bus = read_notice("mps", notice_of(Speaker("bus").say("finding.opened", drawn, source="/bus/x")), CATALOG)
    assert isinstance(bus, Notice)
    notice = Notice("mps", bus.record, data.draw(st.composite(changed)(bus.event)))
    lines = plain_lines(notice, CATALOG)
    assert lines[0].startswith("#7  ")


def test_e4_the_reason_stands_on_the_line() -> None:
    """An officer can tell the operator which notice it was and what was odd in it."""
    notice = good(7)
    notice.event["time"] = "the day before yesterday"
    (line,) = plain_lines(notice, CATALOG)
    assert line.startswith("#7  无法显示 cannot be shown: ValueError: ")
    assert "the day before yesterday" in line
    assert len(plain_lines(good(), CATALOG)) > 3


def test_e4_a_time_without_a_beijing_day_is_shown() -> None:
    """The last second of 9999 is told like any other time."""
    notice = good(7)
    notice.event["time"] = "9999-12-31T23:59:59Z"
    assert any("发生 occurred 9999-12-31" in line for line in plain_lines(notice, CATALOG))


def test_e4_a_notice_whose_words_fail_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong when its words are read, it is told as unreadable with the reason."""

    def fails(*_: Any) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr("casebus_consumers.liaison.inbox.to_json", fails)
    told = read_notice("mps", notice_of(Speaker("csrc").refer()), CATALOG)
    assert told == Unreadable(7, "OverflowError: date value out of range")


@settings(max_examples=40)
@given(st.data())
def test_e4_a_case_survives_what_stands_in_it(data: st.DataObject) -> None:
    """Any member of a case's duties, findings, events and figures may be odd: the rest is shown."""
    case = deepcopy(CASE)
    part = data.draw(st.sampled_from(("suspects", "amounts", "obligations", "findings", "events")))
    case[part][0] = data.draw(st.composite(changed)(case[part][0]))
    lines = list(case_lines(case, why=True))
    assert f"案件链 chain   {case['chain']}" in lines
    assert "事件 events" in lines


def _case() -> dict[str, Any]:
    sent = say(
        "s",
        "referral.submitted",
        "2022-09-28",
        to=("mps",),
        suspects=suspects("甲某"),
        amounts=[amount("illegal_gain", "46190000.00")],
    )
    received = say("r", "referral.receipted", "2022-09-29", agency="mps", to=("csrc",), replies="s")
    filed = say(
        "f",
        "referral.filed",
        "2022-09-30",
        agency="mps",
        to=("csrc",),
        replies="s",
        suspects=suspects("甲某", "乙某"),
        amounts=[amount("illegal_gain", "4619.00")],
    )
    return case_view([sent, received, filed], at("2022-11-01"), why=True)


CASE = _case()


@pytest.mark.parametrize(
    ("table", "member", "odd", "words"),
    [
        ("recon_obligation", "owed_to", [None], ("obligations", "--all", "--now", "2022-10-01T09:00")),
        ("recon_finding", "law", [{"instrument": [], "article": "1"}], ("findings",)),
    ],
)
def test_e4_a_list_goes_on_behind_what_it_cannot_show(
    database: Database, accounts_url: str, table: str, member: str, odd: Any, words: tuple[str, ...]
) -> None:
    """A row that this program cannot show is named by its id with the reason, and hides no other row."""
    desk = Desk(database)
    desk.play(1)
    desk.play(2)
    desk.agent.handle(desk.admitter.batches())
    with database.writing() as transaction:
        rows = transaction.rows(f"SELECT id, body FROM {table} ORDER BY id")
        id, body = rows[0][0], json.loads(rows[0][1])
        body[member] = odd
        transaction.many(f"UPDATE {table} SET body = ? WHERE id = ?", [(json.dumps(body), id)])
    asked = [*words, "--database-url", accounts_url]
    done = CliRunner().invoke(cases_cli.app, asked, catch_exceptions=False)
    named = [line for line in done.stdout.splitlines() if "无法显示 cannot be shown: " in line]
    assert [id in line for line in named] == [True]
    assert done.stdout.count("demo-1") == len(rows) - 1
