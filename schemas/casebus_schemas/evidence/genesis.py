"""The genesis file: the first keys of a bus, which its members have agreed on before it says a word.

Its SHA-256 stands in the first key event of bus.key. Only the reader brings the file, from whom he trusts;
nothing that is to be judged may hold its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.signing import key_id

from .algorithms import by_name
from .key_entry import KeyEntry
from .signed_note import COSIGNATURE, ED25519, VerifierKey
from .trust_policy import TrustPolicy

FIRST_LINE = "casebus genesis v1"
BUS = "bus"
MOST_BYTES = 1 << 20
_EXPECTED = "'ledger ORIGIN', 'log VKEY', 'witness NAME VKEY' or 'key HOLDER ALGORITHM HEX', each kind sorted"


def read_genesis(file: Path) -> "Genesis":
    """The content of a genesis file. Raises UsageError."""
    try:
        return Genesis.parse(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}", found=error.strerror, expected="a genesis file") from error


class PinnedKey(NamedTuple):
    """A key by which a holder begins: an agency, or `bus` for its operator and its services."""

    holder: str
    algorithm: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """As in signature blocks and key events."""
        return key_id(self.public, by_name(self.algorithm).number)


class GenesisVerdict(NamedTuple):
    """A history of keys by a genesis file, in sentences: what does not hold, and what is not pinned."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Genesis:
    """The content of a genesis file. Equal contents have equal bytes."""

    ledger: str
    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    keys: tuple[PinnedKey, ...]

    @classmethod
    def of(
        cls,
        ledger: str,
        logs: Iterable[VerifierKey],
        witnesses: Mapping[str, VerifierKey],
        keys: Iterable[PinnedKey],
    ) -> "Genesis":
        """The genesis of these keys. Raises UsageError if one of them serves two purposes, or is no key."""
        made = cls(
            ledger,
            tuple(sorted(logs, key=str)),
            MappingProxyType(dict(sorted(witnesses.items()))),
            tuple(sorted(keys)),
        )
        return cls.parse(made.to_bytes(), "the genesis to be written")

    @classmethod
    def parse(cls, raw: bytes, where: str = "the genesis") -> "Genesis":
        """Reads a file. Raises UsageError that names the line, what it holds and what was expected."""
        if len(raw) > MOST_BYTES:
            raise UsageError(
                f"{where} is too long", found=f"{len(raw)} bytes", expected=f"at most {MOST_BYTES}"
            )
        lines = raw.decode("utf-8", "surrogateescape").split("\n")
        if lines[0] != FIRST_LINE or lines[-1]:
            raise UsageError(
                f"{where} is no genesis file",
                found=repr(lines[0][:80]),
                expected=f"{FIRST_LINE!r} and lines that each end in a newline",
            )
        ledgers: list[str] = []
        logs: list[VerifierKey] = []
        witnesses: dict[str, VerifierKey] = {}
        keys: list[PinnedKey] = []
        purposes: dict[bytes, int] = {}
        for number, line in enumerate(lines[1:-1], start=2):
            try:
                match line.split(" "):
                    case ["ledger", origin] if origin.isprintable():
                        ledgers.append(origin)
                        continue
                    case ["log", vkey]:
                        logs.append(_vkey(vkey, ED25519))
                        public = logs[-1].public
                    case ["witness", name, vkey] if name.isprintable() and name not in witnesses:
                        witnesses[name] = _vkey(vkey, COSIGNATURE)
                        public = witnesses[name].public
                    case ["key", holder, algorithm, digits] if holder.isprintable():
                        keys.append(PinnedKey(holder, algorithm, bytes.fromhex(digits)))
                        public = keys[-1].public
                        by_name(algorithm).check_public(public)
                    case _:
                        raise ValueError(_EXPECTED)
                first = purposes.setdefault(public, number)
                if first != number:
                    raise ValueError(
                        f"a key of its own: one key, one purpose, this one stands in line {first}"
                    )
            except ValueError as error:
                raise UsageError(
                    f"{where}, line {number}", found=repr(line[:120]), expected=str(error)[:300]
                ) from error
        if len(ledgers) != 1 or not any(key.holder == BUS for key in keys):
            raise UsageError(
                f"{where} is not whole",
                found=f"{len(ledgers)} lines 'ledger', holders {sorted({key.holder for key in keys})}",
                expected="one ledger, and keys of the bus",
            )
        found = cls(ledgers[0], tuple(logs), MappingProxyType(witnesses), tuple(keys))
        if found.to_bytes() != raw:
            raise UsageError(f"{where} is not as it is written", expected=_EXPECTED)
        return found

    def to_bytes(self) -> bytes:
        """The file."""
        lines = [FIRST_LINE, f"ledger {self.ledger}", *(f"log {key}" for key in sorted(self.logs, key=str))]
        lines += [f"witness {name} {self.witnesses[name]}" for name in sorted(self.witnesses)]
        lines += [f"key {key.holder} {key.algorithm} {key.public.hex()}" for key in sorted(self.keys)]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file: what stands at the beginning of bus.key, and what people compare."""
        return sha256(self.to_bytes()).digest()

    def names(self, holder: str) -> bool:
        """Whether the holder was there at the beginning."""
        return any(key.holder == holder for key in self.keys)

    def pins(self, holder: str, identifier: bytes) -> bool:
        """Whether the holder begins with the key of this id."""
        return any(key.holder == holder and key.key_id == identifier for key in self.keys)

    def judge(self, keys: Iterable[KeyEntry], ledger: str | None) -> GenesisVerdict:
        """Whether a history of keys, those of one holder in the order of their announcement, begins so.

        `ledger` is the origin of the ledger that holds it, None where that is not known: a bus can go on with
        a ledger of another name, when Kafka was put back.
        """
        problems, notes = [], []
        if ledger not in (None, self.ledger):
            notes.append(f"the bus began with the ledger {self.ledger}, this is {ledger}")
        first: dict[str, KeyEntry] = {}
        for key in keys:
            if key.readmitted:
                notes.append(
                    f"{key.agency}: its key {_short(key)} was admitted by the operator, not by the genesis"
                )
            else:
                first.setdefault(key.agency, key)
        begun_with = first[BUS].genesis if BUS in first else None
        if begun_with != self.digest:
            found = "no genesis" if begun_with is None else f"the genesis {begun_with.hex()}"
            problems.append(f"bus.key begins with {found}, expected the genesis {self.digest.hex()}")
        pinned = {key.holder for key in self.keys}
        for holder, key in sorted(first.items()):
            if holder not in pinned:
                notes.append(f"{holder}: the genesis pins no key, {_short(key)} is believed as its first")
            elif not self.pins(holder, key.key_id):
                problems.append(f"{holder}: its first key {_short(key)} is not one that the genesis pins")
        notes += [
            f"{holder}: pinned by the genesis, and has announced no key"
            for holder in sorted(pinned - set(first))
        ]
        return GenesisVerdict(tuple(problems), tuple(notes))

    def beyond(self, policy: TrustPolicy) -> tuple[str, ...]:
        """Logs and witnesses of a policy whose keys are not those of the beginning, in sentences."""
        known = {key.public for key in (*self.logs, *self.witnesses.values())}
        return tuple(
            f"the policy's key of {one.name} is not one of the genesis: was it exchanged since?"
            for one in (*policy.logs, *policy.witnesses.values())
            if one.key.public not in known
        )


def _vkey(text: str, kind: int) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.kind != kind:
        raise ValueError(f"a key of signature type {kind:#04x}, found {key.kind:#04x}")
    return key


def _short(key: KeyEntry) -> str:
    return key.key_id.hex()[:16] + "…"
