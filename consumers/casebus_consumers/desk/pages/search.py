"""Search: events and cases by any identifier, agency, time, type and security."""

from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.identifiers import plain
from casebus_consumers.desk.masking import masked_name, masked_text
from casebus_consumers.desk.search_index import MOST, Hit, Wanted
from casebus_consumers.desk.shown.found import Found, found_of
from casebus_consumers.desk.shown.names import case_facts, case_name
from casebus_schemas.admission.resident_ids import holds_resident_id
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_end, read_time

_ON_A_PAGE = 40
_BUILDING_S = 1.0
"""How long a search waits for the index to take in what has come."""


def show(asked: Asked) -> Response:
    """The form, and what was found."""
    index = asked.desk.index
    waiting = index.take(for_s=_BUILDING_S)
    wanted, wrong = wanted_of(asked)
    hits, more = ([], False) if wanted is None else index.find(wanted)
    found = found_of(hits, asked)
    page = max(asked.number("page") or 1, 1)
    if wanted is not None:
        asked.desk.accesses.note(asked.officer, "searched", _noted(asked))
    return asked.page(
        "search.html",
        values={name: asked.query(name) or "" for name in ("q", "agency", "type", "security", "from", "to")},
        types=sorted(index.types(), key=asked.words.title),
        agencies=index.agencies(),
        waiting=waiting,
        wrong=wrong,
        asked_for=wanted is not None,
        cases=found[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE],
        total=len(found),
        events=len(hits),
        more=more,
        most=MOST,
        page=page,
        pages=-(-len(found) // _ON_A_PAGE),
        announced=_announced(asked),
        case_name=lambda case: case_name(case, asked.words, open=asked.open(case.chain)),
        case_facts=lambda case: case_facts(case, asked.words),
    )


def wanted_of(asked: Asked) -> tuple[Wanted | None, str | None]:
    """What is looked for, None where nothing is; and what about it is wrong, in words."""
    w, said = asked.words, dict[str, Any]()
    wrong = None
    text = asked.query("q")
    if text is not None and holds_resident_id(text):
        # It would stand in the address, in the browser's history and in logs on the way.
        text, wrong = None, w("search.no_identity_numbers")
    for name, member, read in (("from", "since", read_time), ("to", "until", read_end)):
        given = asked.query(name)
        if given is None:
            continue
        try:
            said[member] = read(given)
        except (UsageError, ValueError, OverflowError):
            wrong = w("case.no_time", text=given)
    wanted = Wanted(
        text,
        asked.query("agency"),
        asked.query("type"),
        asked.query("security"),
        tokens=asked.may("unmask"),
        **said,
    )
    limits = (wanted.text, wanted.agency, wanted.type, wanted.security, wanted.since, wanted.until)
    nothing = all(one is None for one in limits) or (wanted.text is not None and not plain(wanted.text))
    return (None if nothing else wanted), wrong


def results(asked: Asked) -> tuple[list[Hit], bool]:
    """Every event that the query of a request finds, and whether there are more."""
    asked.desk.index.take()
    wanted, _ = wanted_of(asked)
    return ([], False) if wanted is None else asked.desk.index.find(wanted)


def _noted(asked: Asked) -> str:
    """What was looked for, as the log of accesses keeps it: without whole names and numbers of persons."""
    parts = []
    for name in ("q", "agency", "type", "security", "from", "to"):
        if value := asked.query(name):
            shown = masked_name(masked_text(value)) if name == "q" else value
            parts.append(f"{name}={shown[:80]}")
    return " ".join(parts)


def _announced(asked: Asked) -> list[Found]:
    """Cases of a finding or a term whose id was given."""
    text = (asked.query("q") or "").lower()
    every = [*asked.glance.findings, *asked.glance.duties]
    of = {one["chain"] for one in every if one["id"] == text}
    return [Found(asked.glance.cases[chain], [], 0, None) for chain in sorted(of)]


PAGES = (Page("/audit", "audit", show),)
