"""A partition of the accounts under a transaction's lock: where it stands, and what is said in its name."""

from dataclasses import dataclass

LINKS = -1
"""In place of an admission partition: fence, streams and outbox of what is found across chains."""
FIGURES = -2
"""The same of what is found of published figures."""
_PRODUCERS = {LINKS: "reconciler-links", FIGURES: "reconciler-figures"}


@dataclass(slots=True)
class Fence:
    """An admission partition under this transaction's lock."""

    partition: int
    next_offset: int
    revision: int
    incarnation: int
    next_no: int

    @property
    def producer(self) -> str:
        """The producer of what is announced about this partition's chains, or about several."""
        return f"{_PRODUCERS.get(self.partition, f'reconciler-p{self.partition}')}.{self.incarnation}"
