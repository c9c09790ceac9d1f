"""Where a matter ends: cancelled for all whom it concerns, or going on in another one."""

from collections.abc import Iterable, Iterator
from functools import cache

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.event_types import Ends

from .chain import ChainEvent, as_uuid
from .fold import Folded
from .placing import reference_of, references_of


def ends_matter(event: ChainEvent) -> bool:
    """Whether the event ends its matter, for whom it lists, or for all if it lists nobody."""
    when = _when().get(event.type)
    return when == "always" or (when == "elsewhere" and goes_on_elsewhere(event))


def goes_on_elsewhere(event: ChainEvent) -> bool:
    """Whether a merger says that this very chain goes on in another one."""
    into = event.data.get("into") or {}
    listed = [as_uuid(one.get("chain")) for one in event.data.get("merged") or ()]
    if None not in listed and listed and event.chain not in map(str, listed):
        return False
    if (chain := as_uuid(into.get("chain"))) is not None:
        return str(chain) != event.chain
    number = into.get("ref")
    own = {reference.normal for reference in references_of(event.envelope, event.source)}
    if number is None:
        return False
    into_number = reference_of(number).normal
    bare = {reference._replace(issuer=reference.issuer.partition("/")[0]) for reference in own}
    return into_number not in own | bare


def ended_by(
    cause: ChainEvent, endings: Iterable[ChainEvent], folded: Folded, person: int | None
) -> ChainEvent | None:
    """The first of these events with which the matter has ended for a person, or for all of the cause's."""
    concerned: set[int] | None = None
    ended: set[int] = set()
    for event in endings:
        if not event.data.get("suspects"):
            return event
        if concerned is None:
            concerned = set(_concerned(cause, folded)) if person is None else {person}
        ended.update(_numbers(event, folded))
        if concerned <= ended:
            return event
    return None


def _concerned(cause: ChainEvent, folded: Folded) -> Iterator[int]:
    """Whom the cause lists; if nobody, whom those events list that it answers."""
    if cause.data.get("suspects"):
        yield from _numbers(cause, folded)
        return
    for digest in folded.thread(cause):
        yield from _numbers(folded.by_digest[digest], folded)


def _numbers(event: ChainEvent, folded: Folded) -> Iterator[int]:
    for suspect in event.data.get("suspects") or ():
        person = folded.suspects.find(event, suspect["ref"])
        if person is not None:
            yield person.number


@cache
def _when() -> dict[str, Ends]:
    return {type: event.ends for type, event in Catalog.load().types.items() if event.ends is not None}
