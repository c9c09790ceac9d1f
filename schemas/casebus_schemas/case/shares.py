"""How much of what each agency says in a chain is computed: nobody can use up the share of another."""

from collections.abc import Iterable

from .chain import ChainEvent

MOST_EVENTS = 4_000
MOST_BYTES = 3 * 1024 * 1024
"""What is computed of one agency's words in a chain: events, bytes of their values. The rest is kept only."""


class Shares:
    """What each agency has said in a chain so far, of all its events in the order of their admission.

    `full` are the agencies of which an event came that is no longer computed; then none of theirs is.
    """

    def __init__(self) -> None:
        self.full: set[str] = set()
        self._said: dict[str, tuple[int, int]] = {}

    def takes(self, event: ChainEvent) -> bool:
        """Whether the next event is computed; it counts as said."""
        agency = event.agency
        if agency in self.full:
            return False
        events, size = self._said.get(agency, (0, 0))
        self._said[agency] = (events + 1, size + event.size)
        if events >= MOST_EVENTS or size + event.size > MOST_BYTES:
            self.full.add(agency)
        return agency not in self.full


def computed(events: Iterable[ChainEvent]) -> list[ChainEvent]:
    """Those events of a chain that are computed, of all in the order of their admission."""
    shares = Shares()
    return [event for event in events if shares.takes(event)]
