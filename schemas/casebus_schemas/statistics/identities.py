"""Who is the same person within one chain, whatever the order of the papers."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """How one paper lists a suspect."""

    agency: str
    ref: str
    kind: str
    name: str | None
    tokens: frozenset[bytes]


class Person(NamedTuple):
    """One person of a chain, by a key that holds for this set of papers; legal or natural."""

    key: str
    legal: bool


def entry_of(agency: str, suspect: Mapping[str, Any]) -> Entry:
    """An entry of a decoded body."""
    tokens = frozenset(bytes(token) for token in suspect.get("tokens") or ())
    return Entry(agency, suspect["ref"], suspect.get("kind", "unknown"), suspect.get("name"), tokens)


def identify(entries: Iterable[Entry]) -> dict[Entry, Person]:
    """Whom each entry means.

    Entries that share a match token, directly or through others, are one person. One without tokens is
    whoever has that official name; with neither, whoever the same agency lists under that reference. Two
    with tokens of which none agrees are two persons, whatever their names.
    """
    found = sorted(set(entries), key=lambda e: (e.agency, e.ref, e.name or "", sorted(e.tokens), e.kind))
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
    legal = {keys[entry] for entry in found if entry.kind == "legal"}
    natural = {keys[entry] for entry in found if entry.kind == "natural"}
    return {entry: Person(key, key in legal and key not in natural) for entry, key in keys.items()}


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


def _first_by(keys: Mapping[Entry, str], feature: Any) -> dict[Any, str]:
    """The smallest key of those entries that have a feature."""
    found: dict[Any, str] = {}
    for entry, key in keys.items():
        value = feature(entry)
        if value is not None:
            found[value] = min(key, found.get(value, key))
    return found
