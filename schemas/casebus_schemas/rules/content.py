"""What the events of a chain alone let be found, part by part, and what moves in it from event to event."""

from collections.abc import Iterator
from uuid import UUID

from casebus_schemas.case.chain import Digest
from casebus_schemas.small_types import RuleId

from .chain_hash import ChainHash
from .finding import Finding

Key = tuple[Digest, str]
"""A start (its event, its clock), or an answer that waits for its request (its event, nothing)."""
Part = tuple[RuleId, Key]
"""Findings of one rule about one start or answer; about the whole chain the key is `WHOLE`."""
WHOLE: Key = (b"", "")


class Content:
    """The findings of each part, told to the chain's hash as they come and go."""

    def __init__(self, hash: ChainHash) -> None:
        self._hash = hash
        self._of: dict[Part, tuple[Finding, ...]] = {}
        self._part_of: dict[UUID, Part] = {}

    def __iter__(self) -> Iterator[Finding]:
        """All findings."""
        for found in self._of.values():
            yield from found

    def holds(self, part: Part) -> bool:
        """Whether something is found in a part."""
        return part in self._of

    def set(self, part: Part, found: tuple[Finding, ...]) -> tuple[list[Finding], list[Finding]]:
        """Puts what a part finds now in the place of what it found; of both what is not the same object."""
        had = self._of.pop(part, ())
        if not had and not found:
            return [], []
        if found:
            self._of[part] = found
        before, now = set(map(id, had)), set(map(id, found))
        gone = [finding for finding in had if id(finding) not in now]
        new = [finding for finding in found if id(finding) not in before]
        self._hash.findings(gone, new)
        self._part_of.update((finding.id, part) for finding in new)
        return gone, new

    def beside(self, finding: UUID) -> tuple[Finding, ...]:
        """The findings of the part in which one was found last."""
        part = self._part_of.get(finding)
        return () if part is None else self._of.get(part, ())
