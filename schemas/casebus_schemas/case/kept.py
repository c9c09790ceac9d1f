"""What a rule keeps of a chain's events, carried on with the fold: nobody reads all of them again."""

from typing import ClassVar, TypeVar

from casebus_schemas.catalogue.catalog import Catalog

from .chain import ChainEvent
from .fold import Folded

ALL_TYPES = frozenset({"*"})


class Kept:
    """What is kept of the events of some types or `ALL_TYPES`, in the chain's order.

    It is made with the fold and the catalogue, and made anew where somebody is another person than before.
    One of no types keeps what it made of other lists of the fold.
    """

    types: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        self.folded, self.catalog = folded, catalog

    def add(self, event: ChainEvent) -> None:
        """Takes the next event that stands."""


K = TypeVar("K", bound=Kept)


def kept_of(kind: type[K], folded: Folded, catalog: Catalog) -> K:
    """What is kept of the fold as it has grown: each event is read once, however often one asks."""
    revision = folded.suspects.revision
    known = folded.kept.pop(kind, None)
    if known is None or known[1] is not catalog or known[2] != revision:
        known = (kind(folded, catalog), catalog, revision, 0)
    note: K = known[0]
    read = known[3]
    standing, types = folded.standing, kind.types
    for place in range(read, len(standing)) if types else ():
        event = standing[place]
        if types is ALL_TYPES or event.type in types:
            note.add(event)
    # Only now: what failed on the way is made anew, and fails again.
    folded.kept[kind] = (note, catalog, revision, len(standing))
    return note
