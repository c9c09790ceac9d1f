"""What a rule of one chain is given: the folded events, the clocks that they started, the duties."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.kept import K, kept_of
from casebus_schemas.case.obligations import Obligation, Start, obligations, starts
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.frozen import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Case:
    """One folded chain with its duties, and the catalogue that says what each type of event means.

    `started` are all clocks that events started, `duties` those of them from which a term can be counted.
    A rule about each start, duty, answer or repeat is also given a case narrowed to some of them: `only` is
    then the event that it is about.
    """

    folded: Folded
    started: tuple[Start, ...]
    duties: tuple[Obligation, ...]
    catalog: Catalog = field(default_factory=Catalog.load)
    only: ChainEvent | None = None

    @property
    def said(self) -> Sequence[ChainEvent]:
        """The events to look at, as they were said, in the chain's order."""
        return self.folded.order if self.only is None else (self.only,)

    @property
    def standing(self) -> Sequence[ChainEvent]:
        """The events to look at that still speak, with their facts as corrected."""
        if self.only is None:
            return self.folded.standing
        return () if self.folded.is_idle(self.only) else (self.only,)

    def kept(self, kind: type[K]) -> K:
        """What a rule keeps of the events that stand: it reads each of them once, however often it is run."""
        return kept_of(kind, self.folded, self.catalog)

    @classmethod
    def of(
        cls,
        events: Iterable[ChainEvent] | Folded,
        law_of: date | None = None,
        catalog: Catalog | None = None,
    ) -> "Case":
        """The case that these events make, its clocks under the law of then or of another day."""
        folded = events if isinstance(events, Folded) else fold(events)
        index = ChainIndex(folded)
        started = tuple(starts(index, law_of))
        return cls(folded, started, tuple(obligations(index, started)), catalog or Catalog.load())
