"""Who could know of the cases about a security, and since when (Securities Law art. 51 (7), (8))."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.identifiers import plain
from casebus_consumers.desk.search_index import Wanted
from casebus_consumers.desk.shown.names import case_name
from casebus_schemas.case.insiders import Insider, insiders_of
from casebus_schemas.errors import UsageError
from casebus_schemas.times import MILLISECOND, read_end

_MOST = 500
"""Cases that are looked at."""


def show(asked: Asked) -> Response:
    """The list for a security's code by the end of a day."""
    code = asked.query("security")
    until, wrong = until_of(asked)
    found = [] if code is None else insiders(asked, code, until)
    by_chain: dict[str, list[Insider]] = {}
    for one in found:
        by_chain.setdefault(one.chain, []).append(one)
    w, cases = asked.words, asked.glance.cases
    return asked.page(
        "insiders.html",
        code=code,
        wrong=wrong,
        until=until,
        cases=[(chain, case_name(cases[chain], w), found) for chain, found in by_chain.items()],
    )


def until_of(asked: Asked) -> tuple[datetime, str | None]:
    """The first instant after the day that is asked for, or after now; and what is no time."""
    given, after_now = asked.query("on"), asked.glance.now + MILLISECOND
    try:
        return (after_now if given is None else read_end(given)), None
    except (UsageError, ValueError, OverflowError):
        return after_now, asked.words("case.no_time", text=str(given))


def insiders(asked: Asked, code: str, until: datetime) -> list[Insider]:
    """Who had events of cases that name the security before a time, as far as this agency knows of it."""
    asked.desk.index.take()
    hits, _ = asked.desk.index.find(Wanted(security=code))
    chains = list(dict.fromkeys(hit.chain for hit in hits if hit.chain in asked.glance.cases))[:_MOST]
    found: list[Insider] = []
    for chain in chains:
        events = asked.desk.view.events(chain)
        for written in _codes(events, code):
            found += insiders_of(events, written, until)
    return found


def _codes(events: Any, code: str) -> list[str]:
    """The code as the events of a case write it."""
    said = {str((event.data.get("security") or {}).get("code") or "") for event in events}
    return sorted(one for one in said if one and plain(one) == plain(code))


PAGES = (Page("/audit/insiders", "audit", show),)
