"""Cases, obligations and findings as text for a person, Chinese and English side by side."""

from collections.abc import Iterable, Iterator
from typing import Any

STATES = {
    "open": "未到期 open",
    "due": "今日到期 due",
    "contested": "有争议 contested",
    "overdue": "逾期 overdue",
    "met": "已履行 met",
    "moot": "已消灭 moot",
}
FINDING_STATES = {"open": "待处理 open", "closed": "已关闭 closed"}


def case_lines(case: dict[str, Any]) -> Iterator[str]:
    """A whole case: state, suspects and charges, accounts side by side, clocks, findings, events."""
    yield f"案件链 chain   {case['chain']}"
    yield f"状态 status    {case['status']}   (截至 at {case['at']})"
    security = case.get("security")
    if security:
        yield "证券 security  " + " ".join(str(part) for part in security.values() if part)
    yield from _suspects(case["suspects"])
    yield from _amounts(case["amounts"])
    if case["obligations"]:
        yield "\n期限 obligations"
        for duty in case["obligations"]:
            yield from _indented(obligation_lines(duty))
    if case["findings"]:
        yield "\n核对发现 findings"
        for finding in case["findings"]:
            yield from _indented(finding_lines(finding))
    yield "\n事件 events"
    places = {entry["event"]: entry for entry in case.get("why", ())}
    for event in case["events"]:
        yield f"  {_day(event)}  {event['type']:<36} {event['source']}{_marks(event)}"
        if place := places.get(event["event"]):
            for reason, digest in place["after"].items():
                yield f"      {reason} {digest[:16]}"
            yield f"      digest {event['event'][:16]}, admitted {place['admitted_at']}"


def obligation_lines(duty: dict[str, Any]) -> Iterator[str]:
    """One obligation: who owes what to whom, until when in each reading."""
    what = " | ".join(duty["duty"])
    state = STATES.get(duty["state"], duty["state"])
    yield f"{duty['rule']}  {state}  {duty['owed_by']} → {','.join(duty['owed_to'])}: {what}"
    yield f"  起算 from {duty['started_at']}"
    first, last = duty["due_earliest"], duty["due_latest"]
    yield f"  最早 earliest {first}" + ("" if first == last else f"   最迟 latest {last}")
    for reading in duty["readings"]:
        zh, _, en = reading["why"].partition(" / ")
        mark = "~" if reading.get("provisional") else " "
        yield f"   {mark}{reading['name']:<16} {reading['due']}  {zh}"
        if en:
            yield f"    {'':<16} {'':<25}  {en}"
    if any(reading.get("provisional") for reading in duty["readings"]):
        yield "  ~ 暂定,未核实:待节假日安排公布  provisional, not verified until holidays are published"
    if duty["met"]:
        yield f"  履行 met by claim {duty['met']['by_claim']}, provably {duty['met']['provably']}"


def finding_lines(finding: dict[str, Any]) -> Iterator[str]:
    """One finding: both accounts, why, and what would settle it."""
    state = FINDING_STATES.get(finding["state"], finding["state"])
    yield f"{finding['rule']}  {finding['severity']}  {state}  {finding['chain']}"
    zh, _, en = finding["because"].partition(" / ")
    yield f"  {zh}"
    if en:
        yield f"  {en}"
    for account in finding["accounts"]:
        source = f"  (事件 event {account['event'][:16]})" if account.get("event") else ""
        yield f"    {account['agency']:<6} {_value(account.get('value'))}{source}"
    for article in finding["law"]:
        yield f"    依据 law: {article['instrument']} {article['article']}"
    if suggestion := finding.get("suggestion"):
        yield f"    建议 suggestion: {suggestion['by']} → {suggestion['type']}"


def _suspects(suspects: Iterable[dict[str, Any]]) -> Iterator[str]:
    for suspect in suspects:
        charges = "; ".join(f"{charge['article'] or '–'} {charge['status']}" for charge in suspect["charges"])
        yield f"  {suspect['name']}   {charges}"


def _amounts(amounts: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = list(amounts)
    if not rows:
        return
    yield "\n金额 amounts (各方账目 side by side)"
    for row in rows:
        period = row.get("period")
        when = "" if not period else f" {period['from']} – {period['to']}"
        values = "   ".join(f"{account['agency']} {account['value']}" for account in row["accounts"])
        yield f"  {row['basis']}{when}: {values}   [{row['comparison']}]"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(item)}" for name, item in value.items())
    return "–" if value is None else str(value)


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
    return f"  [{', '.join(marks)}]" if marks else ""


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"
