"""R04: an agency uses one id for events that differ, within a chain or in several; none of them wins."""

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_keys import MOST_READ, Linked
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from ..finding import account
from ..folded_case import Case
from ..rule import NEVER_CLOSES, Found, Rule
from ..wording import MOST_NAMED, accounts_of

RULE = Rule(
    RuleId("R04"),
    title=Sentence("同一标识内容不同", "one id, different contents"),
    scopes=("chain", "across"),
    cls="arrival",
    severity="high",
    looks_at=("ids",),
    keys=("event-id",),
    acts=Sentence("使用该标识的机关", "the agency that used the id"),
    mends=Sentence(
        "查明发件箱是否被恢复或改写;内容有误的,以新标识更正或撤回",
        "find out whether an outbox was restored or rewritten; correct what is wrong under a new id",
    ),
    closes=NEVER_CLOSES,
)


@RULE.over_case
def reused_in_chain(case: Case) -> Iterator[Found]:
    """Each id of the chain with several contents by the agency whose id it is; all are kept."""
    return case.kept(SharedIds).found()


class SharedIds(Kept):
    """What was found of each id, made again where it was used once more."""

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._known: dict[tuple[str, UUID], tuple[int, Found]] = {}

    def found(self) -> Iterator[Found]:
        """One for each id."""
        for key, events in self.folded.shared_ids.items():
            known = self._known.get(key)
            if known is None or known[0] != len(events):
                known = self._known[key] = (len(events), _reused(key, events))
            yield known[1]


def _reused(key: tuple[str, UUID], events: Sequence[ChainEvent]) -> Found:
    speaker, event_id = key
    some = events[:MOST_READ]
    return Found(
        subject=f"{speaker}\n{event_id}",
        causes=nsmallest(2, some, key=lambda event: event.sort_key),
        named_by=(),
        accounts=accounts_of(some),
        because=Sentence(
            f"标识{event_id}被用于{len(events)}个内容不同的事件,均予保留",
            f"id {event_id} is used by {len(events)} events that differ; all are kept",
        ),
    )


@RULE.across_chains
def reused_across(linked: Linked) -> Iterator[Found]:
    """An agency's id that stands in several chains, with its events.

    Within one chain the case's own part finds it. The finding belongs to the chain in which the id was used
    again first, and opens then: so it stays when the id is used once more.
    """
    events = linked.events
    again = next(event for event in events if event.chain != events[0].chain)
    who = agency(again.agency)
    least = ("至少", "at least ") if linked.cut else ("", "")
    yield Found(
        chain=again.chain,
        subject=linked.key.text,
        causes=[events[0], again],
        accounts=[
            account(
                event,
                {
                    "type": event.type,
                    "time": beijing_text(event.occurred_at),
                    "digest": event.digest.hex(),
                    "chain": event.chain,
                },
            )
            for event in events[:MOST_NAMED]
        ],
        because=Sentence(
            f"{who.zh}的标识{again.id}在{least[0]}{linked.chains}个案链中用于{least[0]}{len(events)}个内容不同的事件,"
            "均予保留",
            f"id {again.id} of {who.en} is used in {least[1]}{linked.chains} chains "
            f"by {least[1]}{len(events)} events that differ; all are kept",
        ),
        opened_at=again.admitted_at,
    )
