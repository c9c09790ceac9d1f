"""Cases, obligations and findings as text for a person, Chinese and English side by side."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from casebus_consumers.event_texts import ABOUT, MATTERS, TEXTS
from casebus_consumers.unshowable import lines_or_reason, not_readable_line
from casebus_schemas.law.charges import crimes
from casebus_schemas.law.clocks import clock_table, find_clock, instruments
from casebus_schemas.texts.symbols import (
    ACCOUNT_FIELDS,
    AS_OF,
    BASES,
    COMPARISONS,
    DUTY_STATES,
    FINDING_STATES,
    FINDING_WORDS,
    LEVELS,
    NO_CHARGE,
    READINGS,
    SEVERITIES,
    STATUSES,
    agency,
    in_both,
    money,
    shown,
    title,
    word,
)

from .due_text import end_text, left_text, unsure_mark
from .track_screen import track_lines
from .who_says import who_says
from .why_screen import duty_why, finding_why, moves

RUNNING = ("open", "due", "contested", "overdue", "waiting")
"""States of a duty that somebody still has to do something about."""


def case_lines(case: dict[str, Any], *, why: bool = False) -> Iterator[str]:
    """A whole case: state, suspects and charges, accounts side by side, clocks, findings, events."""
    now = datetime.fromisoformat(case["at"])
    yield f"案件链 chain   {case['chain']}"
    if numbers := case.get("names", {}).get("numbers"):
        yield "案号 number    " + "、".join(numbers)
    yield f"状态 status    {status(case['status'])}   (截至 at {case['at']})"
    yield from (f"  因 because  {line}" for line in moves(case.get("why_status", ())))
    for event in case["events"]:
        yield from lines_or_reason("并案 merger", partial(_merger, event))
    if held := case.get("set_aside"):
        yield from set_aside_lines(held)
    if asked := case.get("as_of"):
        yield "所见 as known   " + "   ".join(
            f"{shown(AS_OF, name)} {value}" for name, value in asked.items() if value
        )
    security = case.get("security")
    if security:
        yield "证券 security  " + " ".join(str(part) for part in security.values() if part)
    yield from lines_or_reason("主体 suspects", lambda: _suspects(case["suspects"]))
    yield from lines_or_reason("金额 amounts", lambda: _amounts(case["amounts"]))
    yield from lines_or_reason("财物 assets", lambda: track_lines(case["tracks"]))
    if case["obligations"]:
        yield ""
        yield "期限 obligations"
        for duty in case["obligations"]:
            yield from _indented(obligation_lines(duty, now, why=why))
    if case["findings"]:
        yield ""
        yield "核对发现 findings"
        for finding in case["findings"]:
            yield from _indented(finding_lines(finding))
    yield ""
    yield "事件 events"
    places = {entry["event"]: entry for entry in case.get("why", ())}
    for event in case["events"]:
        named = f"  {event.get('event')}"
        yield from lines_or_reason(named, partial(_event, event, places))
    for left in case.get("left_out", ()):
        what = f"{title(left['type']).zh} {left['type']}"
        yield f"  未见 left out  {what} {left['event'][:16]}: {left['reason']}"


def _merger(event: dict[str, Any]) -> Iterator[str]:
    """That this matter goes on in another one, or another one in this."""
    matters = event.get("matters", {})
    if "into" in matters and not event["withdrawn_by"] and not event["outside"]:
        ended = f"{matters['merged']}  → " if "merged" in matters else ""
        yield f"并案 merger    {ended}并入 into {matters['into']}"


def _event(event: dict[str, Any], places: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield f"  {event_line(event)}"
    yield from _indented(_indented(_in_words(event)))
    if place := places.get(event["event"]):
        for reason, digest in place["after"].items():
            yield f"      {reason} {digest[:16]}"
        yield f"      digest {event['event'][:16]}, admitted {place['admitted_at']}"
        for level, since in place.get("had", {}).items():
            yield f"      {shown(LEVELS, level)} {since}"


def set_aside_lines(held: dict[str, Any]) -> Iterator[str]:
    """That a chain is set aside, and why."""
    since = f"自 since {held['since']}, " if held["since"] else ""
    yield f"暂停计算 set aside  {since}{held['reason']}"
    yield "  事件照常保存，期限与发现停留在此前的状态 its events are kept, its terms stand as they were"


def obligation_lines(
    duty: dict[str, Any], now: datetime, *, case: str = "", why: bool = False
) -> Iterator[str]:
    """One obligation on one line: how long is left, who owes what; with `why` its readings below.

    One that cannot be shown is said to be so.
    """
    if unread := not_readable_line(duty):
        return iter((unread,))
    named = f"{duty.get('rule')} {duty.get('id')}"
    return iter(lines_or_reason(named, lambda: _obligation(duty, now, case, why)))


def _obligation(duty: dict[str, Any], now: datetime, case: str, why: bool) -> Iterator[str]:
    owed_to = "、".join(agency(name).zh for name in duty["owed_to"])
    who = f"{agency(duty['owed_by']).zh} {duty['owed_by']} → {owed_to} {', '.join(duty['owed_to'])}"
    what = find_clock(duty["rule"]).title.text
    parts = [f"{duty['rule']}  {_until(duty, now)}", who, what + _about(duty), case, who_says(duty)]
    yield "  ".join(part for part in parts if part)
    if why:
        yield from _readings(duty)


def _until(duty: dict[str, Any], now: datetime) -> str:
    """The state of a duty, the end of its term, and how long that is from now."""
    state = shown(DUTY_STATES, duty["state"])
    first, last = (datetime.fromisoformat(duty[name]) for name in ("due_earliest", "latest_possible"))
    left = f"  {left_text(first, last, now)}" if duty["state"] in RUNNING else ""
    return f"{state}{left}  至 until {_ends(duty)}"


def _ends(duty: dict[str, Any]) -> str:
    """The first end and the latest possible one; `~`: not certain yet."""
    first, last = (end_text(datetime.fromisoformat(duty[key])) for key in ("due_earliest", "latest_possible"))
    mark = " ~" if any(reading["provisional"] for reading in duty["readings"]) else ""
    return (first if first == last else f"{first} / {last}") + mark + unsure_mark(duty)


def duty_line(duty: dict[str, Any]) -> str:
    """One obligation on one line, without what depends on the day on which it is looked at."""
    what, state = find_clock(duty["rule"]).title.text, shown(DUTY_STATES, duty["state"])
    return f"{duty['rule']}  {_speaker(duty['owed_by'])}  {what}  {state}  至 until {_ends(duty)}"


def _readings(duty: dict[str, Any]) -> Iterator[str]:
    yield from (f"  {line}" for line in duty_why(duty))
    yield f"  应作 duty: {' | '.join(duty['duty'])}"
    yield f"  起算 from {duty['started_at']}"
    for reading in duty["readings"]:
        why, mark = reading["why"], "~" if reading["provisional"] else " "
        counted = word(READINGS, reading["name"]).zh
        due = end_text(datetime.fromisoformat(reading["due"]))
        yield f"   {mark}{reading['name']:<16} {due}  {counted}:{why['zh']}"
        yield f"    {'':<16} {'':<16}  {why['en']}"
        if reading["provisional"]:
            latest = end_text(datetime.fromisoformat(reading["latest_possible"]))
            yield f"    {'':<16} {latest}  最迟可能 at the latest"
    if duty["awaits_receipt"]:
        yield "  ~ 暂定:待义务单位签收  provisional until whoever owes has signed for it"
    elif any(reading["provisional"] for reading in duty["readings"]):
        yield "  ~ 暂定,未核实:待节假日安排公布  provisional, not verified until holidays are published"
    if duty["met"]:
        yield f"  履行 met by claim {duty['met']['by_claim']}, provably {duty['met']['provably']}"


def _about(duty: dict[str, Any]) -> str:
    """What only some duties say: whom they are about, that the term has not begun or stands still."""
    said = [
        ("suspect", "嫌疑主体 about"),
        ("waits_until", "起算前等待至 waits until"),
        ("stands_since", "中止自 stands still since"),
    ]
    return "".join(f"   {label} {duty[name]}" for name, label in said if duty[name])


def finding_lines(finding: dict[str, Any], *, case: str = "") -> Iterator[str]:
    """One finding: both accounts, why, what would settle it, and its id, by which it is answered.

    One that cannot be shown is said to be so.
    """
    if unread := not_readable_line(finding):
        return iter((unread,))
    named = f"{finding.get('rule')} {finding.get('id')}"
    return iter(lines_or_reason(named, lambda: _finding(finding, case)))


def article_text(article: dict[str, Any]) -> str:
    """Where something stands: an article of a law, or a source that is none."""
    known = clock_table().instruments.get(article["instrument"])
    name = word(instruments(), article["instrument"]).zh
    if known is not None and not known.is_law:
        return f"source: {name} ({article['instrument']})"
    return f"law: {name}第{article['article']}条 ({article['instrument']} {article['article']})"


def _finding(finding: dict[str, Any], case: str) -> Iterator[str]:
    yield f"{_headline(finding)}  {case}".rstrip()
    yield f"  发现 finding {finding['id']}  {who_says(finding)}".rstrip()
    yield f"  {finding['because']['zh']}"
    yield f"  {finding['because']['en']}"
    for account in finding["accounts"]:
        source = f"  (事件 event {account['event'][:16]})" if account.get("event") else ""
        yield f"    {_speaker(account['agency'])}  {_value(account.get('value'))}{source}"
    yield from (f"    依据 {article_text(article)}" for article in finding["law"])
    if suggestion := finding.get("suggestion"):
        yield f"    建议 suggestion: {_speaker(suggestion['by'])} → {in_both(title(suggestion['type']))}"
    yield from (f"    {line}" for line in finding_why(finding))
    for said in finding.get("words", ()):
        text = f": {said['text']}" if said["text"] else ""
        yield f"    {_speaker(said['agency'])}  {shown(FINDING_WORDS, said['said'])}  {said['at']}{text}"


def finding_line(finding: dict[str, Any]) -> str:
    """One finding on one line: rule, severity, state, and why."""
    return f"{_headline(finding)}  {finding['because']['zh']}"


def _headline(finding: dict[str, Any]) -> str:
    severity, state = shown(SEVERITIES, finding["severity"]), shown(FINDING_STATES, finding["state"])
    return f"{finding['rule']}  {severity}  {state}"


def event_line(event: dict[str, Any]) -> str:
    """One event on one line: its day or time, what it is, who said it, what became of it."""
    called = title(event["type"])
    return f"{_day(event)}  {called.zh} {event['type']}  {event['source']}{_marks(event)}"


def _in_words(event: dict[str, Any]) -> Iterator[str]:
    """What an event of a case is about, what its officers wrote, and what it changes."""
    for name, target in event.get("about", {}).items():
        if name != "in_reply_to":
            yield f"{ABOUT[name]} {name} {target[:16]}"
    for name, text in event.get("texts", {}).items():
        yield f"{TEXTS[name]} {name}: {text}"
    for name, matters in event.get("matters", {}).items():
        yield f"{MATTERS[name]} {name}: {matters}"
    for change in event.get("changes", ()):
        yield f"改为 {change['field']}: {change['was']} → {change['is']}"


def _suspects(suspects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for suspect in suspects:
        charges = "; ".join(
            f"{_charge(charge['article'])} {status(charge['status'])}" for charge in suspect["charges"]
        )
        yield f"  {suspect['name']}   {charges}"
        for charge in suspect["charges"]:
            yield from (f"      {line}" for line in moves(charge.get("history", ())))


def _charge(article: str | None) -> str:
    if article is None:
        return in_both(NO_CHARGE)
    known = crimes().get(article)
    return article if known is None else f"{article} {known.title.zh}"


def _amounts(amounts: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = list(amounts)
    if not rows:
        return
    yield ""
    yield "金额 amounts (各方账目 side by side)"
    yield from (f"  {sum_line(row)}" for row in rows)


def sum_line(row: dict[str, Any]) -> str:
    """The accounts of one figure side by side."""
    period = row.get("period")
    when = "" if not period else f" {period['from']} – {period['to']}"
    values = "   ".join(
        f"{_speaker(account['agency'])} {money(Decimal(account['value']), row['currency']).zh}"
        for account in row["accounts"]
    )
    compared = shown(COMPARISONS, row["comparison"])
    return f"{shown(BASES, row['basis'])}{when}: {values}   [{compared}]"


def status(symbol: str | None) -> str:
    """The state of a case or charge in both languages."""
    return shown(STATUSES, symbol) if symbol else "–"


def _speaker(name: str) -> str:
    return f"{agency(name).zh} {name}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{_field(name)}: {_named(name, item)}" for name, item in value.items())
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    return "–" if value is None else str(value)


def _field(name: str) -> str:
    return f"{ACCOUNT_FIELDS[name].zh} {name}" if name in ACCOUNT_FIELDS else name


def _named(field: str, value: Any) -> str:
    if field == "basis":
        return shown(BASES, str(value))
    if field == "type":
        return f"{title(str(value)).zh} {value}"
    if field == "period" and isinstance(value, dict):
        return f"{value['from']} – {value['to']}"
    if field in ("value", "factor"):
        return f"{Decimal(value):,}"
    return _value(value)


def _day(event: dict[str, Any]) -> str:
    text: str = event["time"]
    shown = text[:10] if event["precision"] == "day" else text[:16].replace("T", " ")
    return shown + ("~" if event["date_basis"] == "assumed" else " ")


def _marks(event: dict[str, Any]) -> str:
    marks = []
    if event["corrected_by"]:
        marks.append("已更正 corrected")
    if event["withdrawn_by"]:
        marks.append("已撤回 withdrawn")
    if event["outside"]:
        marks.append("非参与方,不生效 from outside, without effect")
    return f"  [{', '.join(marks)}]" if marks else ""


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"
