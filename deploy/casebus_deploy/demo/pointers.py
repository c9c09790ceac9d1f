"""What stands in a scenario for what is known once earlier steps are said: their digests and chains."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args
from uuid import UUID

PointerKind = Literal["digest_of", "digests_of", "chain_of"]
"""The digest of a step in hex; SHA-256 of the sorted digests of several, by which a statement of account says
what it holds of a chain; the chain in which a step stands."""


class Said(NamedTuple):
    """What became of a published step: the event's chain id and digest."""

    chain: UUID
    digest: bytes


def steps_named(value: object) -> Iterator[str]:
    """The labels of all earlier steps to which somebody's data point."""
    if (pointer := _pointer(value)) is not None:
        yield from pointer[1]
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from steps_named(one)
    elif isinstance(value, list):
        for one in value:
            yield from steps_named(one)


def resolved(value: Any, said: Callable[[str], Said]) -> Any:
    """The data with what each step was published as in place of the pointers to it."""
    if (pointer := _pointer(value)) is not None:
        kind, labels = pointer
        found = [said(label) for label in labels]
        if kind == "chain_of":
            return str(found[0].chain)
        if kind == "digest_of":
            return found[0].digest.hex()
        return sha256(b"".join(sorted(one.digest for one in found))).hexdigest()
    if isinstance(value, Mapping):
        return {name: resolved(one, said) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, said) for one in value]
    return value


def _pointer(value: object) -> tuple[str, list[str]] | None:
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((kind, named),) = value.items()
    if kind not in get_args(PointerKind):
        return None
    return kind, [str(label) for label in named] if kind == "digests_of" else [str(named)]
