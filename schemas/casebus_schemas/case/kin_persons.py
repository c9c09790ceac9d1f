"""Who is the same person in chains that are kin, as the papers of all of them tell him apart."""

from collections.abc import Iterable, Mapping

from .chain import ChainEvent
from .persons import Entry, Person, entry_of, identify


class KinPersons:
    """Everybody whom these events list, each event of its chain, under one key for all chains.

    A match token or, without one, the official name makes one person of entries in two chains; a reference
    means somebody within its own chain only.
    """

    def __init__(self, events: Iterable[ChainEvent]) -> None:
        self._entries: dict[tuple[bytes, str], Entry] = {}
        self._of_ref: dict[tuple[str, str, str], Entry] = {}
        self._of_chain: dict[tuple[str, str], Entry] = {}
        for event in events:
            for suspect in event.data.get("suspects") or ():
                entry = entry_of(f"{event.chain}/{event.agency}", suspect)
                self._entries[event.digest, entry.ref] = entry
                self._of_ref[event.chain, event.agency, entry.ref] = entry
                self._of_chain.setdefault((event.chain, entry.ref), entry)
        self._persons = identify(self._entries.values())

    def listed(self, event: ChainEvent) -> dict[str, Person]:
        """Whom an event lists, by key."""
        found: dict[str, Person] = {}
        for suspect in event.data.get("suspects") or ():
            person = self._persons[self._entries[event.digest, suspect["ref"]]]
            found.setdefault(person.key, person)
        return found

    def of_ref(self, event: ChainEvent, ref: str) -> Person | None:
        """Whom an event means by a reference: its own entry, its agency's, or that of the chain."""
        entry = (
            self._entries.get((event.digest, ref))
            or self._of_ref.get((event.chain, event.agency, ref))
            or self._of_chain.get((event.chain, ref))
        )
        return None if entry is None else self._persons[entry]

    def charges(self, events: Iterable[ChainEvent]) -> Mapping[str, set[str]]:
        """By person the articles that these events charge him with."""
        found: dict[str, set[str]] = {}
        for event in events:
            for charge in event.data.get("charges") or ():
                person = self.of_ref(event, charge["suspect"])
                if person is not None:
                    found.setdefault(person.key, set()).add(charge["article"])
        return found
