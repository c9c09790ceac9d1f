"""R04: one id is used by events that differ, within a chain or in several; none of them wins."""

from collections.abc import Iterable, Iterator
from heapq import nsmallest

from casebus_schemas.case.chain import ChainEvent, distinct
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
    acts=Sentence("使用该标识的机关", "the agency that used the id"),
    mends=Sentence(
        "查明发件箱是否被恢复或改写;内容有误的,以新标识更正或撤回",
        "find out whether an outbox was restored or rewritten; correct what is wrong under a new id",
    ),
    closes=NEVER_CLOSES,
)


@RULE.over_case
def reused_in_chain(case: Case) -> Iterator[Found]:
    """Each id of the chain with several contents; both are kept."""
    for event_id, events in case.folded.shared_ids.items():
        yield Found(
            subject=str(event_id),
            causes=nsmallest(2, events, key=lambda event: event.sort_key),
            named_by=(),
            accounts=accounts_of(events),
            because=Sentence(
                f"标识{event_id}被用于{len(events)}个内容不同的事件,均予保留",
                f"id {event_id} is used by {len(events)} events that differ; all are kept",
            ),
        )


@RULE.across_chains
def reused_across(events: Iterable[ChainEvent]) -> Iterator[Found]:
    """Each (agency, id) that stands in several chains, with all its events.

    Within one chain the case's own part finds it. A function of the set of events: which of them the bus
    read first does not matter, since the chains of one agency lie on different partitions. The finding
    belongs to the chain of the event that was admitted last.
    """
    of_id: dict[tuple[str, str], list[ChainEvent]] = {}
    for event in distinct(events).values():
        of_id.setdefault((event.agency, str(event.id)), []).append(event)
    for group in of_id.values():
        chains = {event.chain for event in group}
        if len(chains) > 1:
            yield _across(group, len(chains))


def _across(events: list[ChainEvent], chains: int) -> Found:
    last = max(events, key=lambda event: (event.admitted_at, event.digest))
    who = agency(last.agency)
    return Found(
        chain=last.chain,
        subject=f"{last.agency}\n{last.id}",
        causes=[last],
        named_by=(),
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
            for event in nsmallest(MOST_NAMED, events, key=lambda event: event.sort_key)
        ],
        because=Sentence(
            f"{who.zh}的标识{last.id}在{chains}个案链中用于{len(events)}个内容不同的事件,均予保留",
            f"id {last.id} of {who.en} is used in {chains} chains by {len(events)} events that differ; "
            "all are kept",
        ),
    )
