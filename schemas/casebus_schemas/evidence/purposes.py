"""One key, one purpose: which keys of key topics serve another holder or another purpose, too."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .key_entry import KeyEntry


class SharedKey(NamedTuple):
    """A key with a second purpose; `other` says which."""

    key: KeyEntry
    other: str

    def __str__(self) -> str:
        return f"a key of {self.key.agency} is that of {self.other}, too: one key, one purpose"


def shared_keys(keys: Iterable[KeyEntry], others: Mapping[bytes, str]) -> Iterator[SharedKey]:
    """The keys that stand in `others` as well: public keys, and what each is for."""
    for key in keys:
        if (other := others.get(key.public)) is not None:
            yield SharedKey(key, other)


def announced_by_two(keys: Iterable[KeyEntry]) -> Iterator[str]:
    """Keys that two holders have announced, in sentences.

    Who announces another's public key has not the private one, and nobody sees which of them has it: so both
    are named, and both keys count.
    """
    holders: dict[bytes, list[str]] = {}
    for key in keys:
        holders.setdefault(key.public, []).append(key.agency)
    for public, found in holders.items():
        if len(found) > 1:
            yield f"{' and '.join(found)} have announced the same key, {public.hex()[:16]}…"
