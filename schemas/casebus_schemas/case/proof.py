"""When a time that an agency claims lies so far from the bus's own that the difference may decide a term."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from casebus_schemas.law.calendar import beijing_day

from .chain import ChainEvent

_ON_THE_WAY = timedelta(hours=1)
"""An event of the hour is on its way: terms in hours are not contested for so little."""


_TO_COME = frozenset({"due_at"})
"""Fields of times that lie ahead by nature."""


def late_claims(event: ChainEvent) -> Iterator[tuple[str, datetime]]:
    """Times of the past that an event names, though they lie on a later day than itself or its admission.

    With corrected facts it was last admitted with its correction. What is to come is named otherwise.
    """
    said_at, admitted_at = event.occurred_at, event.last_said_at
    if said_at > admitted_at and beijing_day(said_at) > beijing_day(admitted_at):
        yield "time", said_at
    first = min(said_at, admitted_at)
    for name, value in event.data.items():
        past = name.endswith("_at") and name not in _TO_COME and isinstance(value, datetime)
        if past and value > first and beijing_day(value) > beijing_day(first):
            yield name, value


RECEIVED = "received_at"
"""The field with which a receipt says when its speaker had what it answers."""


def before_it_was_sent(receipt: ChainEvent, sent: ChainEvent | None) -> datetime | None:
    """When a receipt claims to have had what it answers, if that is an earlier day than the sending."""
    claimed = receipt.data.get(RECEIVED)
    if sent is None or not isinstance(claimed, datetime):
        return None
    return claimed if beijing_day(claimed) < beijing_day(claimed_time(sent)) else None


def claimed_time(event: ChainEvent) -> datetime:
    """When it happened by its claim: not after the bus had it, whatever it says."""
    return min(event.occurred_at, event.admitted_at)


def is_apart(claimed: datetime, admitted: datetime, limit: str) -> bool:
    """Whether a term of that limit ends at another time if it is counted from the admission.

    Terms in days count from the day; those in hours (`PT24H`) from the hour.
    """
    if claimed == admitted:
        return False
    if limit.startswith("PT"):
        return abs(admitted - claimed) > _ON_THE_WAY
    return beijing_day(claimed) != beijing_day(admitted)


def proven_time(event: ChainEvent) -> datetime:
    """When an event happened at the latest: as claimed if it was admitted on that day, else the admission."""
    same_day = beijing_day(event.occurred_at) == beijing_day(event.admitted_at)
    return event.occurred_at if same_day else event.admitted_at
