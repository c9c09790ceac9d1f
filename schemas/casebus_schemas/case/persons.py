"""Who is the same suspect in different agencies' papers, whatever the order of the papers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .chain import ChainEvent, Digest


class Entry(NamedTuple):
    """How one paper lists a suspect."""

    agency: str
    ref: str
    kind: str
    name: str | None
    tokens: frozenset[bytes]


class Person(NamedTuple):
    """One suspect of a chain, as far as the papers tell him apart from others.

    `number` counts in the order of appearance, `key` depends on the set of papers only; `names` are the
    official ones in their order; `legal` says whether he is listed as a legal person, never as a natural one.
    """

    number: int
    key: str
    names: tuple[str, ...]
    legal: bool

    @property
    def name(self) -> str:
        """The first official name used for him; his number where no paper gives one."""
        return self.names[0] if self.names else f"#{self.number}"


_NO_TOKENS: frozenset[bytes] = frozenset()


def entry_of(agency: str, suspect: Mapping[str, Any]) -> Entry:
    """An entry of a decoded body."""
    given = suspect.get("tokens")
    tokens = frozenset(bytes(token) for token in given) if given else _NO_TOKENS
    return Entry(agency, suspect["ref"], suspect.get("kind", "unknown"), suspect.get("name"), tokens)


def identify(entries: Iterable[Entry]) -> dict[Entry, Person]:
    """Whom each entry means; persons are numbered in the order in which the entries first name them.

    Entries that share a match token, directly or through others, are one person. One without tokens is
    whoever has that official name; with neither, whoever the same agency lists under that reference. Two
    with tokens of which none agrees are two persons, whatever their names. Who is who depends on the set of
    entries, only the numbers on their order.
    """
    listed = list(dict.fromkeys(entries))
    keys = _keys(listed)
    of_key: dict[str, list[Entry]] = {}
    for entry in listed:
        of_key.setdefault(keys[entry], []).append(entry)
    persons = {}
    for number, (key, same) in enumerate(of_key.items(), 1):
        kinds = {entry.kind for entry in same}
        names = tuple(dict.fromkeys(entry.name for entry in same if entry.name))
        persons[key] = Person(number, key, names, "legal" in kinds and "natural" not in kinds)
    return {entry: persons[keys[entry]] for entry in listed}


def _keys(entries: Iterable[Entry]) -> dict[Entry, str]:
    """For each entry a key that all entries of the same person share."""
    found = sorted(entries, key=lambda e: (e.agency, e.ref, e.name or "", sorted(e.tokens), e.kind))
    roots = _roots(entry.tokens for entry in found)
    keys = {entry: f"token:{roots[min(entry.tokens)].hex()}" for entry in found if entry.tokens}
    named = _first_by(keys, lambda entry: entry.name)
    for entry in found:
        if not entry.tokens and entry.name:
            keys[entry] = named.get(entry.name, f"name:{entry.name}")
    listed = _first_by(keys, lambda entry: (entry.agency, entry.ref))
    for entry in found:
        if entry not in keys:
            place = (entry.agency, entry.ref)
            keys[entry] = listed.get(place, f"ref:{entry.agency}/{entry.ref}")
    return keys


def _roots(token_sets: Iterable[frozenset[bytes]]) -> dict[bytes, bytes]:
    """Each token with the smallest token that it hangs together with."""
    parents: dict[bytes, bytes] = {}

    def root(token: bytes) -> bytes:
        parents.setdefault(token, token)
        while parents[token] != token:
            parents[token] = parents[parents[token]]
            token = parents[token]
        return token

    for tokens in token_sets:
        for token in tokens:
            one, other = root(token), root(min(tokens))
            parents[max(one, other)] = min(one, other)
    return {token: root(token) for token in list(parents)}


def _first_by(keys: Mapping[Entry, str], feature: Callable[[Entry], object]) -> dict[object, str]:
    """The smallest key of those entries that have a feature."""
    found: dict[object, str] = {}
    for entry, key in keys.items():
        value = feature(entry)
        if value is not None:
            found[value] = min(key, found.get(value, key))
    return found


class _Identified:
    """Who is who so far, so that an entry by which nobody else changes costs no look at the others."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.persons = identify(entries)
        self._of_key = {person.key: person for person in self.persons.values()}
        self._roots = _roots(entry.tokens for entry in self.persons)
        self._kinds: dict[str, set[str]] = {}
        self._named: dict[str, str] = {}
        self._named_only: set[str] = set()
        self._listed: dict[tuple[str, str], str] = {}
        self._bare: set[tuple[str, str]] = set()
        for entry, person in self.persons.items():
            self._note(entry, person.key)

    def take(self, entry: Entry) -> Person | None:
        """Whom a new entry means, which is known from now on; None, and nothing is, if another changes."""
        key = self._key(entry)
        if key is None:
            return None
        before = self._of_key.get(key)
        kinds = {*self._kinds.get(key, ()), entry.kind}
        names = tuple(dict.fromkeys((*(before.names if before else ()), *filter(None, (entry.name,)))))
        number = before.number if before else len(self._of_key) + 1
        person = Person(number, key, names, "legal" in kinds and "natural" not in kinds)
        if before not in (None, person):
            return None
        self._of_key[key] = self.persons[entry] = person
        for token in entry.tokens:
            self._roots[token] = bytes.fromhex(key.removeprefix("token:"))
        self._note(entry, key)
        return person

    def _key(self, entry: Entry) -> str | None:
        """The key of a new entry (`_keys`); None if it gives an earlier one another key."""
        place = (entry.agency, entry.ref)
        if not entry.tokens and not entry.name:
            return self._listed.get(place, f"ref:{entry.agency}/{entry.ref}")
        if entry.tokens:
            known = {self._roots[token] for token in entry.tokens if token in self._roots}
            root = min(entry.tokens | known)
            if known - {root}:
                return None
            key = f"token:{root.hex()}"
            if entry.name in self._named_only and key < self._named.get(entry.name or "", "~"):
                return None
        else:
            key = self._named.get(str(entry.name), f"name:{entry.name}")
        return None if place in self._bare and key < self._listed.get(place, "~") else key

    def _note(self, entry: Entry, key: str) -> None:
        place = (entry.agency, entry.ref)
        self._kinds.setdefault(key, set()).add(entry.kind)
        if entry.tokens and entry.name:
            self._named[entry.name] = min(key, self._named.get(entry.name, key))
        elif entry.name:
            self._named_only.add(entry.name)
        if entry.tokens or entry.name:
            self._listed[place] = min(key, self._listed.get(place, key))
        else:
            self._bare.add(place)


class Suspects:
    """The suspects of a chain, as its events list them in their order.

    Events may be added: what the papers said so far is looked at again only if one lists an entry by which
    somebody known is another person.
    """

    def __init__(self, events: Iterable[ChainEvent] = ()) -> None:
        self._entries: dict[tuple[Digest, str], Entry] = {}
        self._identified = _Identified(())
        self._of_number: dict[int, Person] = {}
        self.revision = 0
        new = [entry for event in events for entry in self._enter(event)]
        if new:
            self._identified = _Identified(new)
        self._of_number = {person.number: person for person in self._persons.values()}

    @property
    def persons(self) -> list[Person]:
        """Everybody, in the order of appearance."""
        return list(self._of_number.values())

    def person(self, number: int) -> Person:
        """The person of a number."""
        return self._of_number[number]

    def add(self, event: ChainEvent) -> None:
        """Takes the next event. `revision` rises if somebody known is another person by it."""
        self._identify(self._enter(event))

    def find(self, event: ChainEvent, ref: str | None) -> Person | None:
        """Whom a reference (`S1`) in an event means; None where the event lists no such suspect."""
        entry = self._entries.get((event.digest, ref)) if ref is not None else None
        return self._persons[entry] if entry is not None else None

    def listed(self, event: ChainEvent) -> list[Person]:
        """Whom an event lists, each once, in its order."""
        found: dict[int, Person] = {}
        for suspect in event.data.get("suspects") or ():
            person = self._persons[self._entries[event.digest, suspect["ref"]]]
            found.setdefault(person.number, person)
        return list(found.values())

    def names_in(self, event: ChainEvent) -> dict[int, str]:
        """Whom an event lists, by number, each as that event calls him and no other paper."""
        found: dict[int, str] = {}
        for suspect in event.data.get("suspects") or ():
            person = self._persons[self._entries[event.digest, suspect["ref"]]]
            found.setdefault(person.number, suspect.get("name") or suspect["ref"])
        return found

    @property
    def _persons(self) -> dict[Entry, Person]:
        return self._identified.persons

    def _enter(self, event: ChainEvent) -> list[Entry]:
        """Keeps an event's entries; those that no paper had."""
        suspects = event.data.get("suspects")
        if not suspects:
            return []
        new: dict[Entry, None] = {}
        for suspect in suspects:
            entry = entry_of(event.agency, suspect)
            self._entries[event.digest, entry.ref] = entry
            if entry not in self._persons:
                new[entry] = None
        return list(new)

    def _identify(self, new: Sequence[Entry]) -> None:
        """Takes new entries."""
        for entry in new:
            person = self._identified.take(entry)
            if person is None:
                self._identify_anew(new)
                return
            self._of_number[person.number] = person

    def _identify_anew(self, new: Iterable[Entry]) -> None:
        known = self._persons
        self._identified = _Identified((*known, *new))
        self._of_number = {person.number: person for person in self._persons.values()}
        if any(self._persons[entry] != person for entry, person in known.items()):
            self.revision += 1
