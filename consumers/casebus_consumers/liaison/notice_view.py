"""Notices and receipts as lines for an officer, Chinese first, English beside it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from casebus_consumers.event_texts import ABOUT, MATTERS, TEXTS, matters_of, targets_of, texts_of
from casebus_consumers.unshowable import lines_or_reason
from casebus_producers.received.inbox_reader import ForgedNotice, Unreadable
from casebus_schemas.agencies import agency_of_source
from casebus_schemas.case.duty_said import with_latest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.texts.errors import text_in_chinese
from casebus_schemas.texts.symbols import (
    BASES,
    DUTY_STATES,
    FINDING_STATES,
    RECIPIENT_ROLES,
    REFUSAL_CODES,
    STAGES,
    money,
    shown,
    word,
)
from casebus_schemas.texts.symbols import agency as called
from casebus_schemas.times import in_beijing

from .due_text import end_text, unsure_mark
from .inbox import Told
from .sealed_view import sealed_lines


def notice_lines(notice: Told, catalog: Catalog) -> list[str]:
    """A notice as plain lines: number, when admitted, role, sender, title; then what it is about.

    One that cannot be shown is said to be so.
    """
    return lines_or_reason(f"#{notice.seq}", lambda: _lines(notice, catalog))


def _lines(notice: Told, catalog: Catalog) -> list[str]:
    if isinstance(notice, Unreadable):
        said = text_in_chinese(notice.problem)
        why = f"{said} / {notice.problem}" if said else notice.problem
        return [f"#{notice.seq}  无法读取 unreadable: {why}"]
    headers = notice.record.headers
    if isinstance(notice, ForgedNotice):
        head = f"#{notice.seq}  伪造，不可采信 FORGED, not to be believed: {notice.problem.text}"
        return [head, f"自称 claims to be  {_sender(headers.source)}  {_title(headers.type, catalog)}"]
    head = f"#{notice.seq}  {_moment(notice.record.admitted_at)}  {_role(notice.record.role)}  "
    head += f"{_sender(headers.source)}  {_title(headers.type, catalog)}"
    return [head, *_about(notice.event), *([] if notice.opened is None else sealed_lines(notice.opened))]


def plain_lines(notice: Told, catalog: Catalog) -> list[str]:
    """A notice as it goes into a pipe: what it is about stands indented below its head."""
    head, *rest = notice_lines(notice, catalog)
    return [head, *(f"    {line}" for line in rest)]


def receipt_line(receipt: Mapping[str, Any], catalog: Catalog) -> str:
    """A receipt as one plain line."""
    event = receipt["event"]
    title = _title(event["type"], catalog) if event["type"] else "?"
    line = f"{receipt['at']}  {shown(STAGES, receipt['stage'])}  {title}  {event['id'] or '-'}"
    if receipt["stage"] == "refused":
        return f"{line}  {refusal_text(receipt['code'], receipt['detail'])}"
    if receipt["stage"] == "admitted":
        told = ", ".join(f"{_name(n['agency'])} ({_role(n['role'])})" for n in receipt["notices"])
        return f"{line}  → {told or '—'}"
    if receipt["stage"] == "ledgered":
        sealed = receipt.get("sealed")
        epoch = f"  第 {sealed['epoch']} 期已封存 sealed in epoch {sealed['epoch']}" if sealed else ""
        return f"{line}  {receipt['log']} #{receipt['index']}{epoch}"
    return line


def refusal_text(code: str, detail: str) -> str:
    """Why something was refused: the code as it is called, and the detail in Chinese where that is known."""
    said = text_in_chinese(detail)
    return f"{code} {word(REFUSAL_CODES, code).zh}: " + (f"{said} / {detail}" if said else detail)


def _about(event: Mapping[str, Any]) -> list[str]:
    data = event["data"]
    envelope = data.get("envelope") or {}
    of_bus = data.get("findings") or data.get("obligations")
    # What the bus says is answered by the ids of its findings, not by that of the event that brings them.
    lines = [f"案链 chain {event['subject']}" + ("" if of_bus else f"   事件 event {event['id']}")]
    occurred = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    lines.append(f"发生 occurred {_moment(occurred, day=envelope.get('precision') == 'day')}")
    references = [f"{ref['issuer']} {ref['value']}" for ref in envelope.get("local_refs") or ()]
    if references:
        lines.append("文号 references " + "; ".join(references))
    for name, target in targets_of(envelope):
        lines.append(f"{ABOUT[name]} {name} {target}")
    if security := " ".join(filter(None, map((data.get("security") or {}).get, ("code", "name")))):
        lines.append(f"证券 security {security}")
    if suspects := data.get("suspects"):
        lines.append("嫌疑主体 suspects " + "; ".join(f"{s['name']} ({s['ref']})" for s in suspects))
    for amount in data.get("amounts") or ():
        figure = money(Decimal(str(amount["value"])), amount["currency"]).zh
        lines.append(f"金额 amount {shown(BASES, amount['basis'])} {figure}")
    for finding in data.get("findings") or ():
        lines.append(f"发现 finding {finding['id']}   规则 rule {finding['rule']}   {_state(finding)}")
        lines.extend((finding["because"]["zh"], finding["because"]["en"]))
    for duty in data.get("obligations") or ():
        ends = with_latest(duty)
        first, last = (datetime.fromisoformat(ends[name]) for name in ("due_earliest", "latest_possible"))
        owed = f"{_name(duty['owed_by'])} → {'、'.join(map(_name, duty['owed_to']))}"
        lines.append(f"规则 rule {duty['rule']}   {owed}   {shown(DUTY_STATES, duty['state'])}")
        until = "" if first == last else f" … {end_text(last)}"
        lines.append(f"期限 due {end_text(first)}{until}{unsure_mark(ends)}")
    lines.extend(f"{MATTERS[name]} {name} {text}" for name, text in matters_of(data))
    if spoken_of := data.get("finding"):
        lines.append(f"发现 finding {spoken_of}")
    lines.extend(f"{TEXTS[name]} {name}: {text}" for name, text in texts_of(data))
    return lines


def _state(finding: Mapping[str, Any]) -> str:
    return shown(FINDING_STATES, finding["state"]) if finding.get("state") else ""


def _moment(at: datetime, *, day: bool = False) -> str:
    local = in_beijing(at)
    return local.strftime("%Y-%m-%d" if day else "%Y-%m-%d %H:%M:%S")


def _title(type: str, catalog: Catalog) -> str:
    known = catalog.types.get(type)
    return type if known is None else f"{known.title_zh} {known.title_en}"


def _sender(source: str) -> str:
    try:
        agency = agency_of_source(source)
    except UsageError:
        return source
    unit = source.removeprefix(f"/{agency}").removeprefix("/")
    return _name(agency) + (f" ({unit})" if unit else "")


def _name(agency: str) -> str:
    return f"{called(agency).zh} {agency}"


def _role(role: str) -> str:
    return shown(RECIPIENT_ROLES, role)
