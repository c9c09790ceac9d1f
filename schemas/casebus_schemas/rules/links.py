"""Findings across chains: R04, one id of one agency with different contents in different chains. Pure."""

from collections.abc import Iterable

from casebus_schemas.case.chain import ChainEvent, distinct
from casebus_schemas.law import Sentence
from casebus_schemas.texts.symbols import agency
from casebus_schemas.times import beijing_text

from .finding import Finding, account, finding


def reused_across(events: Iterable[ChainEvent]) -> list[Finding]:
    """R04 for each (agency, event id) that stands in several chains, with all its events; none of them wins.

    Within one chain the chain's own rules find it. A function of the set of events: which of them the bus
    read first does not matter, since the chains of one agency lie on different partitions. The finding
    belongs to the chain of the event that was admitted last.
    """
    of_id: dict[tuple[str, str], list[ChainEvent]] = {}
    for event in distinct(events).values():
        of_id.setdefault((event.agency, str(event.id)), []).append(event)
    found = [_reused(group) for group in of_id.values() if len({event.chain for event in group}) > 1]
    return sorted(found, key=lambda one: (one.opened_at, str(one.id)))


def _reused(events: list[ChainEvent]) -> Finding:
    last = max(events, key=lambda event: (event.admitted_at, event.digest))
    chains = sorted({event.chain for event in events})
    who = agency(last.agency)
    return finding(
        "R04",
        chain=last.chain,
        subject=f"{last.agency}\n{last.id}",
        causes=events,
        severity="high",
        cls="arrival",
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
            for event in sorted(events, key=lambda event: event.sort_key)
        ],
        because=Sentence(
            f"{who.zh}的标识{last.id}在{len(chains)}个案链中用于{len(events)}个内容不同的事件,均予保留",
            f"id {last.id} of {who.en} is used in {len(chains)} chains by {len(events)} events that differ; "
            "all are kept",
        ),
    )
