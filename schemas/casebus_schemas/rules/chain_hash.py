"""The hash of a chain: what the signed events alone decide of it, whatever the order of their arrival."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256, shake_256
from struct import pack

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.law.clocks import SILENCE
from casebus_schemas.times import to_moment

from .finding import Finding

_DOMAIN = b"casebus/case/v1\n"
_NOBODY = bytes(32)
_SUM_BYTES = 256
"""Width of the duties' sum: to find another set of hashes of 2,048 bits with the same sum takes some 2^90
steps (Wagner's generalised birthday)."""
_SUM_MODULUS = 1 << (8 * _SUM_BYTES)


class ChainHash:
    """Carried on with the chain (docs/records.md 5 says the bytes).

    The events' row is chained in the chain's order; the duties' hashes are added, so that one duty more costs
    the same however many there are; findings stand sorted by id. Without times of the bus and the duties of
    silence that count from them, arrival findings, and findings or states that the time decides.
    """

    def __init__(self, folded: Folded) -> None:
        self._row = bytes(32)
        self._duties: dict[bytes, int] = {}
        self._of_start: dict[tuple[Digest, str], set[bytes]] = {}
        self._sum = 0
        self._findings: list[bytes] = []
        self._found: Counter[bytes] = Counter()
        for event in folded.order:
            self.event(event)

    def event(self, event: ChainEvent) -> None:
        """Takes the next event of the chain's order."""
        self._row = sha256(self._row + event.digest).digest()

    def duties(
        self,
        keys: Iterable[tuple[Digest, str]],
        duties: Mapping[tuple[Digest, str], Sequence[Obligation]],
    ) -> None:
        """Takes the duties of these starts, in place of those that it had of them."""
        for key in keys:
            now = [duty for duty in duties[key] if duty.clock.found_by != SILENCE]
            had, self._of_start[key] = self._of_start.get(key, set()), {duty.id.bytes for duty in now}
            for id in had - self._of_start[key]:
                self._sum = (self._sum - self._duties.pop(id)) % _SUM_MODULUS
            for duty in now:
                id, number = duty.id.bytes, _number(duty)
                self._sum = (self._sum + number - self._duties.get(id, 0)) % _SUM_MODULUS
                self._duties[id] = number

    def findings(self, gone: Iterable[Finding], new: Iterable[Finding]) -> None:
        """Takes what the events let be found now, in place of what is found no more."""
        for id in (found.id.bytes for found in new if found.cls == "state"):
            self._found[id] += 1
            if self._found[id] == 1:
                insort(self._findings, id)
        for id in (found.id.bytes for found in gone if found.cls == "state"):
            self._found[id] -= 1
            if not self._found[id]:
                del self._found[id], self._findings[bisect_left(self._findings, id)]

    def digest(self) -> bytes:
        """The hash of all that was taken."""
        duties = (pack(">I", len(self._duties)), self._sum.to_bytes(_SUM_BYTES, "big"))
        count = pack(">I", len(self._findings))
        return sha256(b"".join((_DOMAIN, self._row, *duties, count, *self._findings))).digest()


def _number(duty: Obligation) -> int:
    readings = duty.readings
    times = (
        duty.started_at,
        min(reading.due for reading in readings),
        max(reading.due for reading in readings),
    )
    if duty.started_at == duty.cause.admitted_at:  # counted from when the bus had it
        times = (duty.cause.occurred_at,) * 3
    elif duty.awaits_receipt:  # counted from when the bus had it, too
        times = (duty.started_at,) * 3
    met = duty.met_by.digest if duty.met_by else _NOBODY
    ended = duty.moot_by.digest if duty.moot_by else _NOBODY
    said = b"".join((duty.id.bytes, pack(">3q", *map(to_moment, times)), met, ended))
    return int.from_bytes(shake_256(said).digest(_SUM_BYTES), "big")
