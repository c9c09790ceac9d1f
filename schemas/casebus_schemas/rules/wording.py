"""Words that several rules use: lists that stay short however long the papers are, limits, causes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from heapq import nsmallest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.obligations import Obligation, Step
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence, Term
from casebus_schemas.law.calendar import NOTICE_MARGIN, beijing_day
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.small_types import Agency

from .finding import Account, Suggestion, said

MOST_NAMED = 10
"""How many suspects or events a finding names; it counts the rest. A page of names helps nobody to act."""

NOTHING = Sentence("", "")

_UNITS = {
    "hours": ("小时", "hour"),
    "days": ("日", "day"),
    "working_days": ("个工作日", "working day"),
    "months": ("个月", "month"),
}


LONGEST_NAME = 100
"""Characters of a name in a finding; the event holds all of it."""


def short(name: str) -> str:
    """A name as a finding shows it."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def named(names: Sequence[str]) -> Sentence:
    """At most ten names, and how many more there are."""
    first, rest = [short(name) for name in names[:MOST_NAMED]], len(names) - MOST_NAMED
    zh, en = "、".join(first), ", ".join(first)
    return Sentence(f"{zh}等{len(names)}名", f"{en} and {rest} more") if rest > 0 else Sentence(zh, en)


def few(field: str, names: Sequence[str]) -> dict[str, object]:
    """The same as a field of an account: at most ten names, and `<field>_in_all` where there are more."""
    cut = {f"{field}_in_all": len(names)} if len(names) > MOST_NAMED else {}
    return {field: [short(name) for name in names[:MOST_NAMED]], **cut}


def accounts_of(events: Iterable[ChainEvent]) -> list[Account]:
    """That each event was said: at most ten of them, but one of every agency."""
    known = list(events)
    first: dict[str, ChainEvent] = {}
    for event in known:
        other = first.get(event.agency)
        if other is None or event.sort_key < other.sort_key:
            first[event.agency] = event
    kept = {event.digest: event for event in nsmallest(MOST_NAMED, known, key=_order)}
    heard = {event.agency for event in kept.values()}
    kept.update((event.digest, event) for agency, event in first.items() if agency not in heard)
    return [said(event) for event in sorted(kept.values(), key=_order)]


def _order(event: ChainEvent) -> tuple[datetime, bytes]:
    return event.sort_key


@lru_cache(maxsize=256)
def limit_in_words(limit: str) -> Sentence:
    """A limit such as `P30D`, `P1M15D` or `-P7D` as one says it."""
    term = Term.parse(limit)
    if term.count < 0:
        return Sentence(f"届满前{-term.count}日", f"{-term.count} days before the end")
    parts = [(term.count, term.unit)]
    if term.extra_days:
        parts.append((term.extra_days, "days"))
    zh = "零".join(f"{count}{_UNITS[unit][0]}" for count, unit in parts)
    en = " and ".join(f"{count} {_UNITS[unit][1]}{'s' if count > 1 else ''}" for count, unit in parts)
    return Sentence(zh, en)


def unverified(duty: Obligation) -> Sentence:
    """What to add where the limit of a duty is law that nobody has read in its text."""
    known = clock_table().instruments
    if duty.version.verified or not any(known[one.instrument].is_law for one in duty.version.source):
        return NOTHING
    return Sentence("(期限未核实)", " (its limit is not verified)")


def until_published(duty: Obligation, rung: Step) -> Sentence:
    """What to add where a reading is provisional: how long the bus waited before it said so."""
    if not any(reading.provisional for reading in rung.readings):
        return NOTHING
    days = NOTICE_MARGIN.days
    if duty.awaits_receipt:
        return Sentence(
            f"(暂定:尚无该机关的签收回执,自送达收件箱起算,已另留{days}日余地)",
            f" (provisional: no receipt of that agency is there, counted from the arrival in its inbox, "
            f"{days} days of margin have passed)",
        )
    return Sentence(
        f"(暂定:部分年份的节假日安排尚未收录,已另留{days}日余地)",
        f" (provisional: holidays of a year are not published here yet, {days} days of margin have passed)",
    )


def creditors_of(duty: Obligation) -> tuple[str, ...]:
    """The agencies to which a duty is owed: they hear of its findings though they have no account in them."""
    return tuple(dict.fromkeys(party.agency for party in duty.creditors if party.agency is not None))


def claimed_and_admitted(duty: Obligation) -> Sentence:
    """The two times that make a duty contested: of its answer, or else of its start."""
    end = duty.met_by or duty.moot_by
    if end is not None and beijing_day(end.occurred_at) != beijing_day(end.admitted_at):
        claimed, admitted = beijing_day(end.occurred_at), beijing_day(end.admitted_at)
        return Sentence(
            f"以更早的日期答复:所称{claimed},总线收到{admitted},二者分处期限两侧,无法证实",
            f"answered with an earlier date: claimed {claimed}, admitted {admitted}; its term ended between",
        )
    claimed, admitted = beijing_day(duty.started_at), beijing_day(duty.cause.admitted_at)
    return Sentence(
        f"起算日期只有所称:所称{claimed},总线收到{admitted},是否逾期取决于此",
        f"its start is claimed only: claimed {claimed}, admitted {admitted}; that decides whether it is late",
    )


def correction_by(event: ChainEvent, catalog: Catalog) -> Suggestion | None:
    """That whoever said an event corrects it, if its type can be corrected and by him."""
    type = catalog.correction_of(event.type, event.agency)
    return Suggestion(type, Agency(event.agency)) if type else None
