"""Chains that belong together: parts of one case, cases merged into one, one security, one party."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal, NamedTuple

from .accounts import ABOUT_THE_BUS
from .chain import ChainEvent, as_uuid
from .fold import Folded

KinKind = Literal["split", "merged", "security", "party"]

MOST_CHAINS = 50
"""How many chains of one kin are compared, the root and those that came first."""
MOST_EVENTS = 2_000
"""How many events they may have together: chains behind these are left out, and that is said (R09)."""
MOST_KEYS = 100
"""How many keys of one kind an event gives, the first in their order."""

SPLIT, MERGED = "referral.split", ("referral.merged", "clue.merged")
REFERRED, APPROVED, FILED = "referral.submitted", "referral.approved", "referral.filed"
COMMITTED, PENALISED = "administrative.commitment_accepted", "administrative.penalty_decided"
_MENDS = ("referral.corrected", "referral.withdrawn", "administrative.corrected")
_ENDS = (
    "referral.not_filed",
    "referral.returned_not_competent",
    "progress.cancelled",
    "administrative.commitment_ended",
    *MERGED,
)


class KinKey(NamedTuple):
    """What makes chains kin, and by which text: a chain's id, a security, a match token of a party."""

    kind: KinKind
    text: str


_Given = Iterator[tuple[str, tuple[str, ...]]]
"""Texts of keys, each with the other chains that belong to it."""


def _split(event: ChainEvent) -> _Given:
    if event.type == SPLIT:
        into = [as_uuid(part["into"].get("chain")) for part in event.data.get("parts") or ()]
        yield event.chain, tuple(str(chain) for chain in into if chain is not None)


def _merged(event: ChainEvent) -> _Given:
    if event.type in MERGED:
        into = as_uuid((event.data.get("into") or {}).get("chain"))
        ended = [as_uuid(one.get("chain")) for one in event.data.get("merged") or ()]
        if into is not None:
            yield str(into), (str(into), *(str(chain) for chain in ended if chain is not None))


def _security(event: ChainEvent) -> _Given:
    security = event.data.get("security") or {}
    if event.type == REFERRED and security.get("code"):
        yield f"{security['market']} {security['code']}", ()


def _party(event: ChainEvent) -> _Given:
    if event.type in (COMMITTED, REFERRED, FILED):
        for token in sorted(tokens_of(event)):
            yield token.hex(), ()
    elif event.type == PENALISED and (mark := mark_of(event)) is not None:
        yield mark.hex(), ()


class _Kind(NamedTuple):
    """By which types chains become kin, what an event gives, and which types may change what is found.

    A chain with an event of a type `alone` shows something by itself.
    """

    types: frozenset[str]
    of: Callable[[ChainEvent], _Given]
    moved_by: frozenset[str] | None
    """None: any of the matter."""
    alone: frozenset[str] = frozenset()


KINDS: Mapping[KinKind, _Kind] = {
    "split": _Kind(frozenset((SPLIT,)), _split, None, alone=frozenset((SPLIT,))),
    "merged": _Kind(frozenset(MERGED), _merged, None),
    "security": _Kind(frozenset((REFERRED,)), _security, frozenset((REFERRED, *_MENDS, *MERGED))),
    "party": _Kind(
        frozenset((COMMITTED, REFERRED, FILED, PENALISED)),
        _party,
        frozenset((COMMITTED, REFERRED, FILED, PENALISED, APPROVED, *_MENDS, *_ENDS)),
        alone=frozenset((PENALISED,)),
    ),
}
KIN_TYPES = frozenset().union(*(kind.types for kind in KINDS.values()))
"""Types by which chains become kin: only of these is read what they say."""


def tokens_of(event: ChainEvent) -> set[bytes]:
    """The match tokens of all whom an event lists."""
    return {bytes(token) for one in event.data.get("suspects") or () for token in one.get("tokens") or ()}


def mark_of(event: ChainEvent) -> bytes | None:
    """The token by which a penalty is held against referrals in other chains, None where nobody has one.

    The smallest of the first party that has any, so that it is found once.
    """
    for one in event.data.get("suspects") or ():
        if one.get("tokens"):
            return bytes(min(one["tokens"]))
    return None


def kin_of(event: ChainEvent) -> Iterator[tuple[KinKey, tuple[str, ...]]]:
    """The keys that an event gives, each with the chains that become kin by it, its own the first."""
    for kind, known in KINDS.items():
        for text, others in islice(known.of(event), MOST_KEYS):
            yield KinKey(kind, text), tuple(dict.fromkeys((event.chain, *others[:MOST_CHAINS])))


def moves(kind: KinKind, type: str) -> bool:
    """Whether an event of this type may change what is found of kin; a word on a finding may."""
    moved_by, family = KINDS[kind].moved_by, type.partition(".")[0]
    if family in ABOUT_THE_BUS:
        return family == "finding"
    return moved_by is None or type in moved_by


@dataclass(frozen=True, slots=True)
class Kin:
    """Chains with one key, folded, the root first where the key names it, then in the order of their keys.

    `first` is the event that made them kin; `left_out` says that some chains were too large to be compared.
    """

    key: KinKey
    first: ChainEvent
    chains: Mapping[str, Folded]
    left_out: bool = False

    @property
    def root(self) -> Folded | None:
        """The chain that the key itself names."""
        return self.chains.get(self.key.text)


class Fitting(NamedTuple):
    """The chains of a key that are compared, and whether others had to be left out."""

    chains: tuple[str, ...]
    left_out: bool


def fitting(key: KinKey, since: Iterable[tuple[datetime, bytes, str]], size: Callable[[str], int]) -> Fitting:
    """Which chains are compared, of all with the time and event by which each came to the key.

    The root, then those that came first: whoever comes later leaves out himself. `size` counts a chain's
    events.
    """
    first: dict[str, tuple[datetime, bytes]] = {}
    for at, digest, chain in since:
        first[chain] = min((at, digest), first.get(chain, (at, digest)))
    ordered = sorted(first, key=lambda chain: (chain != key.text, first[chain], chain))
    left, kept = MOST_EVENTS, []
    for chain in ordered[:MOST_CHAINS]:
        events = size(chain)
        if events <= left:
            left -= events
            kept.append(chain)
    return Fitting(tuple(kept), len(kept) < len(ordered))


def kin_keys(events: Iterable[ChainEvent]) -> dict[KinKey, list[tuple[ChainEvent, tuple[str, ...]]]]:
    """All keys that events give, with the events that give them."""
    found: dict[KinKey, list[tuple[ChainEvent, tuple[str, ...]]]] = {}
    for event in events:
        if event.type in KIN_TYPES:
            for key, chains in kin_of(event):
                found.setdefault(key, []).append((event, chains))
    return found


def all_kin(folded: Mapping[str, Folded], events: Mapping[str, int] | None = None) -> Iterator[Kin]:
    """All kin among these chains; `events` says how many each has, by default those that are folded."""
    given = kin_keys(event for one in folded.values() for event in one.events)
    for key, known in sorted(given.items(), key=lambda item: item[0]):
        rows = [(event.admitted_at, event.digest, chain) for event, chains in known for chain in chains]
        if is_alone(key, (chain for _, _, chain in rows), lambda c, types: _says(folded.get(c), types)):
            continue
        first = min((event for event, _ in known), key=lambda event: (event.admitted_at, event.digest))
        fits = fitting(key, rows, lambda c: events.get(c, 0) if events is not None else _size(folded.get(c)))
        yield Kin(key, first, {c: folded[c] for c in fits.chains if c in folded}, fits.left_out)


def is_alone(key: KinKey, chains: Iterable[str], says: Callable[[str, Collection[str]], bool]) -> bool:
    """Whether there is nothing to compare: it takes two chains, or one that shows something by itself.

    `says` tells whether a chain has an event of any of some types.
    """
    known, alone = set(chains), KINDS[key.kind].alone
    return len(known) < 2 and not (alone and any(says(chain, alone) for chain in known))


def _says(folded: Folded | None, types: Collection[str]) -> bool:
    return folded is not None and any(folded.standing_of.get(type) for type in types)


def _size(folded: Folded | None) -> int:
    return 0 if folded is None else sum(1 for _ in folded.events)


def as_told(folded: Folded, agency: str) -> list[ChainEvent]:
    """What stands in a chain as far as an agency said it or was told of it, in the chain's order."""
    return [event for event in folded.standing if agency in event.audience]


def facts(event: ChainEvent, name: str) -> Iterable[Any]:
    """A list among an event's facts."""
    return event.data.get(name) or ()
