"""Which cases an agency said or heard something of since its files were looked at last."""

from typing import NamedTuple

from casebus_consumers.own.store import OwnStore
from casebus_producers.outbox.outbox import Outbox

_SAID = "SELECT DISTINCT aggregateid FROM outbox WHERE position > ? AND aggregatetype <> 'key'"
_ANSWERED = """
SELECT DISTINCT o.aggregateid FROM receipt r JOIN outbox o ON o.digest = r.digest
WHERE r.seq > ? AND o.aggregatetype <> 'key'
"""
_ENDS = (
    "SELECT coalesce(max(position), 0) FROM outbox",
    "SELECT coalesce(max(seq), -1) FROM receipt",
)


class Ends(NamedTuple):
    """Numbers of the last notice, the last event of its own, and the last receipt that an agency has."""

    inbox: int
    outbox: int
    receipts: int


def ends_of(store: OwnStore, outbox: Outbox) -> Ends:
    """Where they end now. The inbox is asked first: what comes later is seen the next time."""
    inbox = store.last_seq()
    with outbox.reading() as connection:
        own, receipts = (connection.execute(query).fetchone()[0] for query in _ENDS)
    return Ends(inbox, own, receipts)


def chains_between(store: OwnStore, outbox: Outbox, before: Ends, now: Ends) -> set[str]:
    """The chains of what stands behind `before`. An inbox that ends earlier than before was read anew."""
    found = set(store.chains_after(before.inbox)) if now.inbox > before.inbox else set()
    with outbox.reading() as connection:
        if now.outbox > before.outbox:
            found |= {row[0] for row in connection.execute(_SAID, (before.outbox,))}
        if now.receipts > before.receipts:
            found |= {row[0] for row in connection.execute(_ANSWERED, (before.receipts,))}
    return found
