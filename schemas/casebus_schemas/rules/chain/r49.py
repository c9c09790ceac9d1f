"""R49: a case sleeps: it has not ended, and nothing was said in it for longer than any term there runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from casebus_schemas.case.accounts import ABOUT_THE_BUS, Tracks, status_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import ALL_TYPES, Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.event_types import MOST_QUIET_DAYS
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import STATUSES, agency, word

from ..finding import said
from ..folded_case import Case
from ..rule import Found, Rule

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC) - timedelta(days=MOST_QUIET_DAYS)
"""What is of later days never sleeps: no day comes after them."""

RULE = Rule(
    RuleId("R49"),
    title=Sentence("案件长期无进展", "a case asleep"),
    scopes=("chain",),
    cls="state",
    severity="info",
    looks_at=("time",),
    each="quiet",
    acts=Sentence("最后陈述的机关", "the agency that spoke last"),
    mends=Sentence("报告进展,或作出使案件终结的决定", "word of its progress, or the decision that ends it"),
    closes=Sentence("案件再有事件时", "with the next event of the case"),
    law=(Article("house-rule", "-"),),
)
"""It is listed and disturbs nobody. How many days are long stands in events.yaml, by the case's state."""


@RULE.over_time
def asleep(case: Case, now: datetime) -> Iterator[Found]:
    """The case, if its state asks for more and its last event was admitted long enough ago."""
    quiet = case.kept(Quiet)
    last = quiet.last
    if last is None or last.admitted_at >= _LAST_DAY:
        return
    status = quiet.status
    days = case.catalog.quiet_days.get(status or "")
    if days is None or now < (since := last.admitted_at + timedelta(days=days)):
        return
    state, who, day = word(STATUSES, status or ""), agency(last.agency), beijing_day(last.admitted_at)
    yield Found(
        subject="asleep",
        causes=[last],
        accounts=[said(last)],
        because=Sentence(
            f"案件状态为{state.zh},自{day}{who.zh}最后陈述以来已{days}日无任何事件",
            f"the case is {state.en}, and nothing was said in it for {days} days since {who.en} spoke "
            f"on {day}",
        ),
        opened_at=since,
    )


def stirs(event: ChainEvent) -> bool:
    """Whether an event is of the matter: what is said of findings and terms wakes no case."""
    return event.family not in ABOUT_THE_BUS


def turns(last_at: datetime, catalog: Catalog) -> tuple[datetime, ...]:
    """When the case may have slept too long, whatever its state is."""
    if last_at >= _LAST_DAY:
        return ()
    return tuple(last_at + timedelta(days=days) for days in sorted(set(catalog.quiet_days.values())))


class Quiet(Kept):
    """The state of a case, and the event of its matter that the bus had last."""

    types = ALL_TYPES

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._tracks = Tracks(folded.suspects, catalog, histories=False)
        self._read = 0
        self._last: ChainEvent | None = None

    def add(self, event: ChainEvent) -> None:
        """Takes the next event that stands."""
        if stirs(event):
            self._tracks.apply(event)

    @property
    def status(self) -> str | None:
        """The state of the case."""
        return status_of(self.folded, self._tracks)

    @property
    def last(self) -> ChainEvent | None:
        """Of all that was said of the matter, what no longer stands too."""
        order, known = self.folded.order, self._last
        for place in range(self._read, len(order)):
            event = order[place]
            if stirs(event) and not self.folded.belonging.is_outside(event):
                known = event if known is None else max(known, event, key=_admission)
        self._read, self._last = len(order), known
        return known


def _admission(event: ChainEvent) -> tuple[datetime, bytes]:
    return (event.admitted_at, event.digest)
