"""Cases, obligations and findings as text for a person, Chinese and English side by side."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from casebus_schemas.law.clocks import find_clock, instruments
from casebus_schemas.texts.symbols import (
    ACCOUNT_FIELDS,
    AS_OF,
    BASES,
    COMPARISONS,
    DUTY_STATES,
    FINDING_STATES,
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


def case_lines(case: dict[str, Any]) -> Iterator[str]:
    """A whole case: state, suspects and charges, accounts side by side, clocks, findings, events."""
    yield f"案件链 chain   {case['chain']}"
    yield f"状态 status    {status(case['status'])}   (截至 at {case['at']})"
    if held := case.get("set_aside"):
        yield from set_aside_lines(held)
    if asked := case.get("as_of"):
        yield "所见 as known   " + "   ".join(
            f"{shown(AS_OF, name)} {value}" for name, value in asked.items() if value
        )
    security = case.get("security")
    if security:
        yield "证券 security  " + " ".join(str(part) for part in security.values() if part)
    yield from _suspects(case["suspects"])
    yield from _amounts(case["amounts"])
    if case["obligations"]:
        yield ""
        yield "期限 obligations"
        for duty in case["obligations"]:
            yield from _indented(obligation_lines(duty))
    if case["findings"]:
        yield ""
        yield "核对发现 findings"
        for finding in case["findings"]:
            yield from _indented(finding_lines(finding))
    yield ""
    yield "事件 events"
    places = {entry["event"]: entry for entry in case.get("why", ())}
    for event in case["events"]:
        called = title(event["type"])
        yield f"  {_day(event)}  {called.zh} {event['type']}  {event['source']}{_marks(event)}"
        if place := places.get(event["event"]):
            for reason, digest in place["after"].items():
                yield f"      {reason} {digest[:16]}"
            yield f"      digest {event['event'][:16]}, admitted {place['admitted_at']}"
            for level, since in place.get("had", {}).items():
                yield f"      {shown(LEVELS, level)} {since}"
    for left in case.get("left_out", ()):
        what = f"{title(left['type']).zh} {left['type']}"
        yield f"  未见 left out  {what} {left['event'][:16]}: {left['reason']}"


def set_aside_lines(held: dict[str, Any]) -> Iterator[str]:
    """That a chain is set aside, and why."""
    since = f"自 since {held['since']}, " if held["since"] else ""
    yield f"暂停计算 set aside  {since}{held['reason']}"
    yield "  事件照常保存，期限与发现停留在此前的状态 its events are kept, its terms stand as they were"


def obligation_lines(duty: dict[str, Any]) -> Iterator[str]:
    """One obligation: who owes what to whom, until when in each reading."""
    what = " | ".join(duty["duty"])
    state = shown(DUTY_STATES, duty["state"])
    owed_to = "、".join(agency(name).zh for name in duty["owed_to"])
    called = find_clock(duty["rule"]).title.text
    yield f"{duty['rule']}  {state}  {agency(duty['owed_by']).zh} → {owed_to}: {called}"
    yield f"  {duty['owed_by']} → {', '.join(duty['owed_to'])}: {what}"
    yield f"  起算 from {duty['started_at']}" + _about(duty)
    first, last = duty["due_earliest"], duty["due_latest"]
    yield f"  最早 earliest {first}" + ("" if first == last else f"   最迟 latest {last}")
    for reading in duty["readings"]:
        why, mark = reading["why"], "~" if reading["provisional"] else " "
        counted = word(READINGS, reading["name"]).zh
        yield f"   {mark}{reading['name']:<16} {reading['due']}  {counted}:{why['zh']}"
        yield f"    {'':<16} {'':<25}  {why['en']}"
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


def finding_lines(finding: dict[str, Any]) -> Iterator[str]:
    """One finding: both accounts, why, and what would settle it."""
    state = shown(FINDING_STATES, finding["state"])
    severity = shown(SEVERITIES, finding["severity"])
    yield f"{finding['rule']}  {severity}  {state}  {finding['chain']}"
    yield f"  {finding['because']['zh']}"
    yield f"  {finding['because']['en']}"
    for account in finding["accounts"]:
        source = f"  (事件 event {account['event'][:16]})" if account.get("event") else ""
        yield f"    {_speaker(account['agency'])}  {_value(account.get('value'))}{source}"
    for article in finding["law"]:
        name = word(instruments(), article["instrument"]).zh
        yield f"    依据 law: {name}第{article['article']}条 ({article['instrument']} {article['article']})"
    if suggestion := finding.get("suggestion"):
        yield f"    建议 suggestion: {_speaker(suggestion['by'])} → {in_both(title(suggestion['type']))}"
    for said in finding.get("words", ()):
        text = f": {said['text']}" if said["text"] else ""
        yield f"    {_speaker(said['agency'])}  {shown(FINDING_STATES, said['said'])}  {said['at']}{text}"


def _suspects(suspects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for suspect in suspects:
        charges = "; ".join(
            f"{charge['article'] or in_both(NO_CHARGE)} {status(charge['status'])}"
            for charge in suspect["charges"]
        )
        yield f"  {suspect['name']}   {charges}"


def _amounts(amounts: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = list(amounts)
    if not rows:
        return
    yield ""
    yield "金额 amounts (各方账目 side by side)"
    for row in rows:
        period = row.get("period")
        when = "" if not period else f" {period['from']} – {period['to']}"
        values = "   ".join(
            f"{_speaker(account['agency'])} {money(Decimal(account['value']), row['currency']).zh}"
            for account in row["accounts"]
        )
        compared = shown(COMPARISONS, row["comparison"])
        yield f"  {shown(BASES, row['basis'])}{when}: {values}   [{compared}]"


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
