"""What people call a case: its numbers, the names of its suspects, its security."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from casebus_schemas.case.chain import ChainEvent

_SHORT = 8
"""Characters of a chain id that are shown."""


@dataclass(frozen=True, slots=True)
class CaseNames:
    """Numbers, suspects and securities of a case, each once, in the order in which they were said."""

    numbers: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    securities: tuple[str, ...] = ()

    def every(self) -> Iterator[str]:
        """All names of the case."""
        yield from (*self.numbers, *self.suspects, *self.securities)

    def line(self, chain: str) -> str:
        """The case on one line: number, names, security, and the beginning of its chain id."""
        names = "、".join(self.suspects[:2])
        if len(self.suspects) > 2:
            names += f" 等{len(self.suspects)}人 and {len(self.suspects) - 2} more"
        return " · ".join(
            part for part in (*self.numbers[:1], names, *self.securities[:1], chain[:_SHORT]) if part
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "numbers": list(self.numbers),
            "suspects": list(self.suspects),
            "securities": list(self.securities),
        }


def names_of(events: Iterable[ChainEvent], agency: str | None = None) -> CaseNames:
    """What these events call their case, as far as an agency was told of them."""
    numbers: dict[str, None] = {}
    suspects: dict[str, None] = {}
    securities: dict[str, None] = {}
    for event in events:
        if agency is not None and agency not in event.audience:
            continue
        for reference in event.envelope.get("local_refs") or ():
            numbers[str(reference["value"])] = None
        for suspect in event.data.get("suspects") or ():
            if suspect["name"]:
                suspects[str(suspect["name"])] = None
        security = event.data.get("security") or {}
        if called := " ".join(str(security[part]) for part in ("code", "name") if security.get(part)):
            securities[called] = None
    return CaseNames(tuple(numbers), tuple(suspects), tuple(securities))
