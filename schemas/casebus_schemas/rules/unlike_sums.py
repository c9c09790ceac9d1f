"""Figures of which those of several cases together are another sum: what is found of a split and a merger."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.amounts import CONDUCT, Stated, stated_by
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.law import Sentence
from casebus_schemas.texts.symbols import BASES, agency, money, word

from .finding import Suggestion, account
from .rule import Found

_MOST_SHOWN = 10
Words = Callable[[Sentence, Sentence, Sentence, Sentence], Sentence]
"""Makes the words of a finding from whose figure it is, of what, how much it is, and the sum."""


def figures_of(events: Sequence[ChainEvent]) -> dict[tuple[str, object], Stated]:
    """The last figure of each agency and kind about the conduct."""
    return {
        (stated.agency, stated.kind): stated
        for event in events
        for stated in stated_by(event)
        if stated.kind.basis in CONDUCT
    }


class UnlikeSums:
    """Figures of one case, each held against the sum of those of others."""

    def __init__(self) -> None:
        self._wrong: list[tuple[Stated, Decimal]] = []
        self._used: list[ChainEvent] = []

    def add(self, stated: Stated, others: Sequence[Stated], total: Decimal) -> None:
        """Takes a figure that is not the sum of these."""
        self._wrong.append((stated, total))
        self._used.extend((stated.event, *(one.event for one in others)))

    def found(
        self, by: ChainEvent, name: str, words: Words, suggestion: Callable[[ChainEvent], Suggestion | None]
    ) -> Iterator[Found]:
        """One finding of all of them, told by the first; `name` is that of the sum in the accounts."""
        if not self._wrong:
            return
        stated, total = self._wrong[0]
        said, sum_ = (money(value, stated.kind.currency) for value in (stated.value, total))
        yield Found(
            subject="amounts",
            causes=[by, stated.event],
            uses=self._used,
            chain=by.chain,
            accounts=[
                account(
                    one.event, {**one.kind.to_json(), "value": plain(one.value), name: plain(of)}, *self._used
                )
                for one, of in self._wrong[:_MOST_SHOWN]
            ],
            because=words(agency(stated.agency), word(BASES, stated.kind.basis), said, sum_),
            suggestion=suggestion(stated.event),
        )


def total_of(given: Sequence[Stated]) -> Decimal:
    """The sum of figures."""
    return sum((one.value for one in given), Decimal(0))
