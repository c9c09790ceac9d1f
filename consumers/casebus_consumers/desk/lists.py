"""The lists of the desk as tables for a file: the same rows as on the page, all of them, names masked."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from casebus_schemas.case.as_of import LEVELS
from casebus_schemas.times import beijing_text

from .asked import Asked
from .board import CaseLine, is_running
from .notices import SIGHTS as INBOX_SIGHTS
from .pages.accesses import sought_of
from .pages.cases import found_cases
from .pages.findings import SIGHTS as FINDING_SIGHTS
from .pages.findings import found_findings
from .pages.insiders import insiders as insiders_known
from .pages.insiders import until_of
from .pages.search import results
from .search_index import Hit
from .shown.access_rows import row_of as access_row
from .shown.due_rows import SIGHTS as DUE_SIGHTS
from .shown.due_rows import chosen
from .shown.findings_list import answered_by, finding_title, opened_at, severity_of
from .shown.found import by_of
from .shown.inbox_rows import row_of as inbox_row
from .shown.names import case_name
from .shown.terms import duty_title, ends_of

MOST = 50_000
"""Rows of a file; if there are more its last row says so."""
_AT_ONCE = 500
_NONE_BELOW = 2**62
Row = Sequence[object]


def inbox(asked: Asked) -> Iterator[Row]:
    """Notices of the sight and speaker that are shown."""
    w, notices = asked.words, asked.desk.notices
    yield _heads(
        asked, "time", "from", "what", "content", "case", "chain", "role", "read", "signed", "digest"
    )
    sight, before = asked.query("see", tuple(INBOX_SIGHTS)) or "all", None
    speaker = asked.query("from", tuple(notices.speakers()))
    while lines := notices.listed(sight, speaker=speaker, before=before, limit=_AT_ONCE):
        bodies = notices.bodies([line.seq for line in lines])
        for line in lines:
            row = inbox_row(line, bodies.get(line.seq, {}), asked.glance, asked.desk.agency, w)
            at = "" if line.at is None else beijing_text(line.at)
            state = (_yes(line.read, asked), _yes(line.signed, asked))
            yield at, row.who, row.title, row.summary, row.case, line.chain, row.role, *state, line.digest
        before = lines[-1].seq
        if before == 0:
            return


def due(asked: Asked) -> Iterator[Row]:
    """Terms of the state that is shown."""
    w, cases = asked.words, asked.glance.cases
    yield _heads(
        asked, "case", "chain", "term", "rule", "state", "owed_by", "owed_to", "begun", "earliest", "latest"
    )
    for duty in chosen(asked.glance, asked.desk.agency, asked.query("state", DUE_SIGHTS) or "all"):
        first, last = ends_of(duty)
        yield (
            case_name(cases[duty["chain"]], w),
            duty["chain"],
            duty_title(duty, w),
            duty["rule"],
            w.word("duty", duty["state"]),
            w.agency(duty["owed_by"]),
            w.listed([w.agency(one) for one in duty["owed_to"]]),
            duty["started_at"],
            beijing_text(first),
            beijing_text(last),
        )


def cases(asked: Asked) -> Iterator[Row]:
    """Cases that fit what is looked for, the last event first."""
    w = asked.words
    yield _heads(asked, "case", "chain", "number", "security", "state", "last", "terms", "findings")
    for one in found_cases(asked):
        yield (
            *_case(one, asked),
            w.word("status", one.status),
            "" if one.last is None else beijing_text(one.last),
            sum(1 for duty in one.duties if is_running(duty)),
            sum(1 for finding in one.findings if finding["state"] != "closed"),
        )


def findings(asked: Asked) -> Iterator[Row]:
    """Findings of the sight that is shown."""
    w, cases = asked.words, asked.glance.cases
    yield _heads(
        asked, "severity", "rule", "finding", "content", "case", "chain", "state", "we_said", "opened", "id"
    )
    for one in found_findings(asked, asked.query("see", FINDING_SIGHTS) or "open"):
        said = answered_by(one, asked.desk.agency)
        yield (
            severity_of(one, w).text,
            one["rule"],
            finding_title(one, w),
            w.say(one["because"]),
            case_name(cases[one["chain"]], w),
            one["chain"],
            w.word("finding", one["state"]),
            "" if said is None else w.word("said", said["said"]),
            beijing_text(opened_at(one)),
            one["id"],
        )


def search(asked: Asked) -> Iterator[Row]:
    """Every event that is found."""
    w = asked.words
    yield _heads(asked, "case", "chain", "number", "security", "time", "from", "event", "found_by", "digest")
    hits, more = results(asked)
    for hit in hits:
        yield (*_case_of(hit, asked), beijing_text(hit.at), w.agency(hit.agency), *_event(hit, asked))
    if more:
        yield (w("lists.more_than", n=len(hits)),)


def accesses(asked: Asked) -> Iterator[Row]:
    """Accesses that are sought, the newest first."""
    yield _heads(asked, "nth", "time", "officer", "role", "act", "what", "reason")
    sought, before = sought_of(asked)[0], _NONE_BELOW
    while found := asked.desk.accesses.before(before, _AT_ONCE, sought):
        for one in found:
            row = access_row(one, asked)
            yield row.number, beijing_text(row.at), row.officer, row.role, row.act, row.object, row.reason
        before = found[-1]["number"]


def insiders(asked: Asked) -> Iterator[Row]:
    """Who could know of the cases about a security."""
    w = asked.words
    yield _heads(asked, "case", "chain", "agency", "units", *LEVELS, "events", "handling", "readers")
    code = asked.query("security")
    for one in () if code is None else insiders_known(asked, code, until_of(asked)[0]):
        since = [beijing_text(one.since[level]) if level in one.since else "" for level in LEVELS]
        readers = "; ".join(f"{reader.name} {beijing_text(reader.at)}" for reader in one.readers)
        case = case_name(asked.glance.cases[one.chain], w)
        who = (w.agency(one.agency), w.listed(list(one.units)))
        yield case, one.chain, *who, *since, len(one.events), one.handling, readers


LISTS: Mapping[str, tuple[Callable[[Asked], Iterator[Row]], bool]] = {
    "inbox": (inbox, False),
    "due": (due, False),
    "cases": (cases, False),
    "findings": (findings, False),
    "search": (search, True),
    "insiders": (insiders, True),
    "accesses": (accesses, True),
}
"""By name: its rows, the first of them its heads, and whether only auditors may have it."""


def rows_of(name: str, asked: Asked) -> list[Row]:
    """Heads and rows of a list; the last one says so where there are more."""
    found: list[Row] = []
    _ = asked.glance  # first of all: with it the desk takes in what has come
    for row in LISTS[name][0](asked):
        if len(found) > MOST:
            found.append((asked.words("lists.more_than", n=MOST),))
            break
        found.append(row)
    return found


def _heads(asked: Asked, *names: str) -> Row:
    return [asked.words(f"lists.{name}") for name in names]


def _yes(value: bool, asked: Asked) -> str:
    return asked.words("facts.yes") if value else asked.words("facts.no")


def _case(case: CaseLine, asked: Asked) -> tuple[object, ...]:
    w = asked.words
    return (
        case_name(case, w),
        case.chain,
        w.listed(list(case.names["numbers"])),
        w.listed(list(case.names["securities"])),
    )


def _case_of(hit: Hit, asked: Asked) -> tuple[object, ...]:
    return _case(asked.glance.cases[hit.chain], asked)


def _event(hit: Hit, asked: Asked) -> tuple[object, ...]:
    return asked.words.title(hit.type), by_of(hit, asked) or "", hit.digest
