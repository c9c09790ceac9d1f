"""Who is the same suspect in different agencies' papers: by match tokens, then by official name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .chain import ChainEvent, Digest


@dataclass(slots=True)
class Person:
    """One suspect of a chain, natural or legal, as far as the papers tell him apart from others."""

    number: int
    tokens: set[bytes] = field(default_factory=set)
    names: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first official name used for him; his number where no paper gives one."""
        return self.names[0] if self.names else f"#{self.number}"


class Suspects:
    """The suspects of a chain, found by walking its events in their order.

    Two entries are one person if they share a token; or, where at least one of them has no token, if the
    official name is the same. Two with tokens of which none agrees are two persons, whatever their names.
    """

    def __init__(self, events: Iterable[ChainEvent]) -> None:
        self.persons: list[Person] = []
        self._of: dict[tuple[Digest, str], Person] = {}
        for event in events:
            for entry in event.data.get("suspects") or ():
                self._of[event.digest, entry["ref"]] = self._person(entry)

    def find(self, event: ChainEvent, ref: str | None) -> Person | None:
        """Whom a reference (`S1`) in an event means; None where the event lists no such suspect."""
        return self._of.get((event.digest, ref)) if ref is not None else None

    def listed(self, event: ChainEvent) -> list[Person]:
        """Whom an event lists, each once, in its order."""
        found: dict[int, Person] = {}
        for entry in event.data.get("suspects") or ():
            person = self._of[event.digest, entry["ref"]]
            found.setdefault(person.number, person)
        return list(found.values())

    def _person(self, entry: Mapping[str, Any]) -> Person:
        tokens = {bytes(token) for token in entry.get("tokens") or ()}
        name = entry.get("name")
        person = self._by_token(tokens) or self._by_name(name, tokens)
        if person is None:
            person = Person(len(self.persons) + 1)
            self.persons.append(person)
        person.tokens |= tokens
        if name and name not in person.names:
            person.names.append(name)
        return person

    def _by_token(self, tokens: set[bytes]) -> Person | None:
        return next((person for person in self.persons if person.tokens & tokens), None)

    def _by_name(self, name: str | None, tokens: set[bytes]) -> Person | None:
        if not name:
            return None
        for person in self.persons:
            if name in person.names and not (tokens and person.tokens):
                return person
        return None
