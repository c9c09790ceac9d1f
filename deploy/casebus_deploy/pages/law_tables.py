"""The tables of docs/law.md: crimes, filing standards, what laundering of which gains is, approvals."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from casebus_schemas.law.approvals import NeededApproval, needed_approvals
from casebus_schemas.law.charges import crimes
from casebus_schemas.law.predicates import predicates
from casebus_schemas.law.thresholds import Threshold, thresholds
from casebus_schemas.texts.symbols import BASES, GAINS, figure, in_both, word

_CRIMES = """\
The crimes that cases are about (`law/charges.yaml`). Events name the article. The numbers are those of two
code tables of police systems, read in public converters and not in the tables: none of them is verified.
Who sends one is told the article.
"""
_STANDARDS = """\
From which amount on (CNY) a case is filed, by article of the Criminal Law and the day of the act
(`law/thresholds.yaml`). Standards have circumstances beside amounts: a figure advises and never decides.
"""
_PREDICATES = """\
Which article fits the laundering of the gains of a predicate crime, by its article and by whose gains
they are (`law/predicates.yaml`).
"""
_APPROVALS = """\
Which events the law lets an agency say only once somebody above the officer has approved them
(`law/approvals.yaml`); what lifts the limit of a clock is such an approval itself. A desk asks for a second
officer then ([liaison-officer.md](liaison-officer.md)); an agency's own system sees to it itself.
"""


def tables() -> Iterator[str]:
    """The tables as Markdown."""
    yield "## Crimes"
    yield ""
    yield _CRIMES
    yield "| article | crime | numbers (not verified) |"
    yield "|---|---|---|"
    for known in crimes().values():
        yield f"| {known.article} | {in_both(known.title)} | {', '.join(known.codes)} |"
    yield ""
    yield "## Filing standards"
    yield ""
    yield _STANDARDS
    yield "| article | acts | any of | with an aggravation | law |"
    yield "|---|---|---|---|---|"
    for texts in thresholds().values():
        yield from map(_standard, texts)
    yield ""
    yield "## Predicates of laundering"
    yield ""
    yield _PREDICATES
    yield "| predicate | whose gains | article |"
    yield "|---|---|---|"
    for (article, gains), crime in predicates().items():
        called = crime.article or "不另成罪 no crime of its own"
        yield f"| {article} | {in_both(word(GAINS, gains))} | {called}{_unsure(verified=crime.verified)} |"
    yield ""
    yield "## Approvals before an event"
    yield ""
    yield _APPROVALS
    yield "| said by | events | who approves | law |"
    yield "|---|---|---|---|"
    yield from map(_approval, needed_approvals())
    yield ""


def _approval(one: NeededApproval) -> str:
    law = ", ".join(f"[{article.instrument}](#instruments) {article.article}" for article in one.law)
    types = ", ".join(f"`{type}`" for type in one.types)
    return f"| {one.by} | {types} | {in_both(one.approver)} | {law}{_unsure(verified=one.verified)} |"


def _standard(threshold: Threshold) -> str:
    until = threshold.until or ""
    source = f"[{threshold.source.instrument}](#instruments) {threshold.source.article}"
    cells = (
        threshold.article,
        f"{threshold.since} – {until}",
        _figures(threshold.plain),
        _figures(threshold.aggravated),
        f"{source}{_unsure(verified=threshold.verified)}",
    )
    return f"| {' | '.join(cells)} |"


def _figures(given: Mapping[str, Decimal]) -> str:
    return "; ".join(f"{in_both(word(BASES, basis))} {figure(value)}" for basis, value in given.items())


def _unsure(*, verified: bool) -> str:
    return "" if verified else " (not verified)"
