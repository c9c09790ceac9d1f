"""Compares all heads that anybody was shown: what is final, who withholds, which size has two roots."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from casebus_schemas.evidence.cosignature import cosigned_times
from casebus_schemas.evidence.epoch import read_epoch_headers
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.submission import Submission
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.evidence.witness import Accepted, Declined, read_signed
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.records import Record

WITHHELD_AFTER_S = 15.0
"""How long a witness may take for an epoch before it is said to withhold its cosignature."""
LEDGER = "bus.checkpoint"


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One witness of the policy: the largest size that it cosigned, when (seconds since 1970 UTC).

    `withheld_since_ms`: when the oldest epoch was sealed that it should have cosigned and has not.
    """

    name: str
    size: int
    cosigned_at: int | None
    withheld_since_ms: int | None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; times in ISO 8601."""
        since = self.withheld_since_ms
        return {
            "witness": self.name,
            "size": self.size,
            "cosigned_at": None if self.cosigned_at is None else _time(self.cosigned_at * 1000),
            "withheld_since": None if since is None else _time(since),
        }


@dataclass(frozen=True, slots=True)
class SplitView:
    """Two heads of one size that the log signed, with who showed each: only a dishonest log has both."""

    size: int
    ours: SignedNote
    theirs: SignedNote
    shown_by: tuple[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with both notes."""
        return {
            "size": self.size,
            "shown_by": list(self.shown_by),
            "notes": [str(self.ours), str(self.theirs)],
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How the ledger's heads stand: sizes 0 where there is none yet."""

    ledger: str
    size: int
    provisional: int
    final: int
    final_note: SignedNote | None
    witnesses: tuple[WitnessStanding, ...]
    splits: tuple[SplitView, ...]
    unknown: int
    """Records that the log or a witness should have signed, and has not."""

    @property
    def withheld(self) -> tuple[WitnessStanding, ...]:
        """Witnesses that withhold their cosignature."""
        return tuple(one for one in self.witnesses if one.withheld_since_ms is not None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "ok": not self.splits,
            "ledger": self.ledger,
            "size": self.size,
            "provisional": self.provisional,
            "final": self.final,
            "final_checkpoint": None if self.final_note is None else str(self.final_note),
            "witnesses": [one.to_json() for one in self.witnesses],
            "split_views": [one.to_json() for one in self.splits],
            "unknown": self.unknown,
        }


@dataclass(slots=True)
class _Head:
    note: SignedNote
    sealed_at_ms: int | None
    by: dict[str, int]


class CosignedHeads:
    """Takes records of bus.checkpoint and of cosignatures in, in any order, and says how all stands."""

    def __init__(self, final: TrustPolicy, provisional: TrustPolicy, most: int | None = None) -> None:
        """`most` bounds the heads remembered; None remembers all."""
        self._most = most
        self._final = final
        self._provisional = provisional
        self._ledger = final.logs[0].key.name
        self._keys = {self._ledger: [one.key for one in final.logs]}
        self._heads: dict[int, dict[bytes, _Head]] = {}
        self._shown_by: dict[bytes, str] = {}
        self._last: dict[str, tuple[int, int]] = {}
        self._splits: dict[int, SplitView] = {}
        self._unknown = 0

    def checkpoints(self, records: Iterable[Record]) -> None:
        """Records of bus.checkpoint."""
        for record in records:
            try:
                note = Submission.parse(record.value or b"").note
                leaf, _ = read_epoch_headers(record.headers)
            except ValueError:
                self._unknown += 1
                continue
            found = read_signed(note, self._keys)
            if isinstance(found, Declined):
                self._unknown += 1
                continue
            self._add(found, LEDGER).sealed_at_ms = leaf.sealed_at_ms

    def cosignatures(self, witness: str, records: Iterable[Record]) -> None:
        """Records of a witness's topic."""
        known = self._final.witnesses.get(witness)
        for record in records:
            try:
                note = SignedNote.parse(record.value or b"")
                times = () if known is None else cosigned_times(known.key, note)
            except ValueError:
                self._unknown += 1
                continue
            found = read_signed(note, self._keys)
            if not times or isinstance(found, Declined):
                self._unknown += 1
                continue
            head = self._add(found, witness)
            head.by[witness] = min(times)
            head.note = head.note.with_signatures(note.signatures)
            size = found.checkpoint.size
            if size >= self._last.get(witness, (0, 0))[0]:
                self._last[witness] = (size, min(times))

    def standing(self, now_ms: int) -> Standing:
        """How all stands at a time in ms since 1970 UTC."""
        shown = [
            size for size, heads in self._heads.items() if any(one.sealed_at_ms for one in heads.values())
        ]
        newest = max(shown, default=0)
        final = self._largest(self._final)
        return Standing(
            ledger=self._ledger,
            size=newest,
            provisional=max(self._largest(self._provisional), final),
            final=final,
            final_note=None if not final else next(iter(self._reached(self._final, final))).note,
            witnesses=tuple(self._witness(name, now_ms) for name in self._final.witnesses),
            splits=tuple(self._splits[size] for size in sorted(self._splits)),
            unknown=self._unknown,
        )

    def _add(self, found: Accepted, who: str) -> _Head:
        size, root = found.checkpoint.size, found.checkpoint.root
        heads = self._heads.setdefault(size, {})
        if root in heads:
            return heads[root]
        head = heads[root] = _Head(found.note, None, {})
        self._shown_by[root] = who
        if len(heads) > 1 and size not in self._splits:
            first, second = list(heads)[:2]
            shown_by = (self._shown_by[first], self._shown_by[second])
            self._splits[size] = SplitView(size, heads[first].note, heads[second].note, shown_by)
        while self._most is not None and len(self._heads) > self._most:
            for forgotten in self._heads.pop(min(self._heads)):
                self._shown_by.pop(forgotten, None)
        return head

    def _reached(self, policy: TrustPolicy, size: int) -> list[_Head]:
        heads = self._heads.get(size, {}).values()
        return [head for head in heads if policy.is_reached_by(head.by)]

    def _largest(self, policy: TrustPolicy) -> int:
        return next((size for size in sorted(self._heads, reverse=True) if self._reached(policy, size)), 0)

    def _witness(self, name: str, now_ms: int) -> WitnessStanding:
        size, at = self._last.get(name, (0, None))
        # A split view is no reason to cosign: what is withheld then is no fault of the witness.
        waiting = [
            head.sealed_at_ms
            for one, heads in self._heads.items()
            if one > size
            for head in heads.values()
            if head.sealed_at_ms is not None
        ]
        since = min(waiting, default=None)
        late = since is not None and now_ms - since > WITHHELD_AFTER_S * 1000
        return WitnessStanding(name, size, at, since if late else None)


def _time(time_ms: int) -> str:
    return to_datetime(time_ms).isoformat(timespec="milliseconds")


def witnesses_in_words(standing: Standing) -> Mapping[str, str]:
    """For each witness that withholds its cosignature: since when, for a person."""
    return {
        one.name: f"cosigned size {one.size} of {standing.size}; nothing since {_time(one.withheld_since_ms)}"
        for one in standing.withheld
        if one.withheld_since_ms is not None
    }
