"""Rows of the inbox: what a notice is, what it says in a line, and how urgent that is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from casebus_consumers.desk.board import CaseLine
from casebus_consumers.desk.desk import Glance
from casebus_consumers.desk.masking import masked_text
from casebus_consumers.desk.notices import Line
from casebus_consumers.desk.words import Count, Words
from casebus_consumers.event_texts import texts_of
from casebus_schemas.rules.register import RULES
from casebus_schemas.times import in_beijing

from .names import case_name, charge_text, persons_text
from .terms import Shade, duty_title, left_of, parties_of, span_of

_LONGEST = 110
"""Characters of what an officer wrote that a row shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One notice. `href` leads to all of it, `case` to its case."""

    line: Line
    time: str
    who: str
    title: str
    summary: str
    case: str
    state: Shade | None
    role: str

    @property
    def href(self) -> str:
        """Where all of it stands."""
        return f"/inbox/{self.line.seq}"


def days(rows: Sequence[Row]) -> Iterator[tuple[date | None, list[Row]]]:
    """Rows by the Beijing day on which they were admitted, in their order."""
    last: date | None = None
    group: list[Row] = []
    for row in rows:
        day = None if row.line.at is None else in_beijing(row.line.at).date()
        if group and day != last:
            yield last, group
            group = []
        last = day
        group.append(row)
    if group:
        yield last, group


def row_of(line: Line, body: Mapping[str, Any], glance: Glance, own: str, w: Words) -> Row:
    """A row of what the inbox holds at a number; `body` is its JSON, empty where it is no true notice."""
    case = glance.cases.get(line.chain or "")
    time = "" if line.at is None else w.clock(line.at)
    who = "" if line.speaker is None else w.short(line.speaker)
    if line.kind in ("forged", "unreadable"):
        title = w(f"inbox.{line.kind}")
        return Row(line, time, who, title, w(f"inbox.{line.kind}_why"), "", Shade(title, "danger"), "")
    data = body["event"]["data"]
    title, summary, state = _said(line, data, glance, own, w)
    called = case_name(case, w) if case is not None else ""
    return Row(line, time, who, title, summary, called, state, w.word("role", line.role))


def _said(
    line: Line, data: Mapping[str, Any], glance: Glance, own: str, w: Words
) -> tuple[str, str, Shade | None]:
    case = glance.cases.get(line.chain or "")
    if duties := data.get("obligations"):
        return _duties(duties, case, glance.now, own, w)
    if found := data.get("findings"):
        return _findings(line, found, case, w)
    return w.title(str(line.type)), summary_of(data, w), _term_of(line, case, glance.now, w)


def _duties(
    duties: Sequence[dict[str, Any]], case: CaseLine | None, now: datetime, own: str, w: Words
) -> tuple[str, str, Shade | None]:
    first = duties[0]
    now_known = {duty["id"]: duty for duty in (case.duties if case is not None else ())}
    current = now_known.get(first["id"], {"latest_possible": first["due_latest"], **first})
    title = w(f"inbox.term_{first['state']}", duty=duty_title(first, w))
    if len(duties) > 1:
        title += " " + w("inbox.more", n=Count(len(duties) - 1))
    summary = f"{parties_of(first, own, w)}{w.gap}{span_of(current, w, now)}"
    return title, summary, left_of(current, now, w)


def _findings(
    line: Line, found: Sequence[dict[str, Any]], case: CaseLine | None, w: Words
) -> tuple[str, str, Shade | None]:
    first = found[0]
    rule = RULES.get(first["rule"])
    title = w("inbox.finding" if line.type == "finding.opened" else "inbox.finding_gone")
    title += w.colon + (w.say(rule.title) if rule is not None else first["rule"])
    known = {one["id"]: one for one in (case.findings if case is not None else ())}
    now_state = known.get(first["id"], first)["state"]
    shade = "quiet" if now_state == "closed" else "danger" if first.get("severity") == "high" else "warning"
    return title, w.say(first["because"]), Shade(w.word("finding", now_state), shade)


def _term_of(line: Line, case: CaseLine | None, now: datetime, w: Words) -> Shade | None:
    """Of a notice that has started a term, how long that still is."""
    digest = line.digest
    for duty in case.duties if case is not None else ():
        if digest is not None and duty["cause"] == digest and duty["state"] not in ("met", "moot", "lapsed"):
            return left_of(duty, now, w)
    return None


def summary_of(data: Mapping[str, Any], w: Words) -> str:
    """What an event says, in a line: persons, charges, figures, what its officer wrote."""
    parts = []
    if suspects := data.get("suspects"):
        parts.append(persons_text(suspects, w))
    if charges := data.get("charges"):
        articles = list(dict.fromkeys(str(one["article"]) for one in charges if one.get("article")))
        parts.append(w.listed([charge_text(article, w) for article in articles[:3]]))
    for amount in (data.get("amounts") or ())[:2]:
        parts.append(f"{w.word('basis', amount['basis'])} {w.money(amount['value'], amount['currency'])}")
    for _, text in texts_of(data):
        parts.append(masked_text(text if len(text) <= _LONGEST else text[:_LONGEST] + "…").replace("\n", " "))
    numbers = [str(ref["value"]) for ref in (data.get("envelope") or {}).get("local_refs") or ()]
    parts.extend(numbers[:2])
    return w.gap.join(part for part in parts if part)


def figure_of(value: Any) -> Any:
    """The account of a finding as it stands in a notice: JSON in a text."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
