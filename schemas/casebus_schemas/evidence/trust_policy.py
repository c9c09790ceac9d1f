"""Trust policies (C2SP tlog-policy): whose checkpoints count, and how many witnesses must have cosigned.

Only the reader brings a policy; nothing that is to be judged may hold its own. A file has one quorum line,
and a name is member of one group only. So "provisional" and "final" are two files that differ in a threshold.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from casebus_schemas.errors import UsageError

from .checkpoint import Checkpoint
from .cosignature import cosigned_times
from .signed_note import COSIGNATURE, ED25519, SignedNote, VerifierKey

NONE = "none"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Known:
    """A log or a witness that a policy knows; `name` is the policy's own word for a witness."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Has witnessed a checkpoint if at least `threshold` of its members, witnesses or groups, have."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says of a checkpoint.

    `witnesses` are those that cosigned, by the policy's names, with the earliest time in seconds since 1970
    UTC. `problem` says in one sentence why the checkpoint is not accepted; None if it is.
    """

    checkpoint: Checkpoint | None
    log: VerifierKey | None = None
    witnesses: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    problem: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether a log of the policy signed it and the quorum cosigned it."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Logs, witnesses and groups in their order in the file, and the name of the quorum."""

    logs: tuple[Known, ...]
    witnesses: Mapping[str, Known]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, raw: bytes, where: str = "the policy") -> "TrustPolicy":
        """Reads a policy file. Raises UsageError that names the line, what it holds and what was expected.

        Stricter than the specification in one point: a key may not be a log's and a witness's at once.
        """
        reader = _Reader(where)
        # Names are octets; those that are no UTF-8 survive as they are.
        lines = raw.decode("utf-8", "surrogateescape").split("\n")
        for number, line in enumerate(lines[:-1], start=1):
            reader.read(number, line)
        if lines[-1]:
            reader.fail(len(lines), lines[-1], "a newline at its end: the file may have been cut off")
        if reader.quorum is None:
            raise UsageError(
                f"{where} has no quorum",
                expected="one line 'quorum NAME', or 'quorum none' where no witness is asked for",
            )
        return cls(
            tuple(reader.logs),
            MappingProxyType(reader.witnesses),
            MappingProxyType(reader.groups),
            reader.quorum,
        )

    def is_reached_by(self, witnesses: Collection[str]) -> bool:
        """Whether cosignatures of these witnesses, by the policy's names, make the quorum."""
        reached = {name for name in self.witnesses if name in witnesses} | {NONE}
        for name, group in self.groups.items():
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(name)
        return self.quorum in reached

    def judge(self, note: SignedNote) -> Verdict:
        """Whether a signed note is a checkpoint of a known log with a quorum. Never raises ValueError.

        A line that claims to be by a known key and does not hold makes the whole note worthless.
        """
        try:
            checkpoint = Checkpoint.parse(note.text)
        except ValueError as error:
            return Verdict(None, problem=f"not a checkpoint: {error}")
        try:
            log = next((one.key for one in self.logs if _signed(one.key, checkpoint, note)), None)
            times = {name: cosigned_times(one.key, note) for name, one in self.witnesses.items()}
        except ValueError as error:
            return Verdict(checkpoint, problem=str(error))
        witnesses = MappingProxyType({name: min(found) for name, found in times.items() if found})
        problem = None
        if log is None:
            known = ", ".join(str(one.key.name) for one in self.logs) or "none"
            problem = f"no log of the policy has signed for {checkpoint.origin!r}; it knows {known}"
        elif not self.is_reached_by(witnesses):
            named = ", ".join(witnesses) or "nobody"
            problem = f"the quorum {self.quorum!r} is not reached: cosigned by {named}"
        return Verdict(checkpoint, log, witnesses, problem)


def _signed(key: VerifierKey, checkpoint: Checkpoint, note: SignedNote) -> bool:
    # The key's name is the identity of the log: a log may not sign for another origin.
    return key.name == checkpoint.origin and note.is_signed_by(key)


def policy_text(logs: Iterable[VerifierKey], witnesses: Mapping[str, VerifierKey], threshold: int) -> str:
    """The file of a policy by which any `threshold` of the witnesses make the quorum.

    Raises UsageError if that is no policy.
    """
    lines = [f"log {key}" for key in logs]
    lines += [f"witness {name} {key}" for name, key in witnesses.items()]
    lines += [f"group witnesses {threshold} {' '.join(witnesses)}", "quorum witnesses"]
    text = "".join(f"{line}\n" for line in lines)
    TrustPolicy.parse(text.encode(), "the policy to be written")
    return text


class _Reader:
    """What has been read of a policy file so far."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.logs: list[Known] = []
        self.witnesses: dict[str, Known] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()
        self._keys: dict[bytes, int] = {}
        self._number = 0
        self._line = ""

    def read(self, number: int, line: str) -> None:
        """Reads one line. Raises UsageError."""
        self._number, self._line = number, line
        if found := _CONTROL.search(line):
            self._expected(f"no control characters but tab and newline, found {found[0]!r}")
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            return
        kind, rest = words[0], words[1:]
        if kind == "log" and len(rest) in (1, 2):
            key = self._key(rest[0], ED25519)
            self.logs.append(Known(key.name, key, *rest[1:]))
        elif kind == "witness" and len(rest) in (2, 3):
            name = self._new_name(rest[0])
            self.witnesses[name] = Known(name, self._key(rest[1], COSIGNATURE), *rest[2:])
        elif kind == "group" and len(rest) >= 3:
            self._group(rest[0], rest[1], rest[2:])
        elif kind == "quorum" and len(rest) == 1:
            if self.quorum is not None:
                self._expected("one quorum line in a file: another quorum is another file")
            self.quorum = rest[0] if rest[0] == NONE else self._known_name(rest[0])
        else:
            self._expected(
                "'log VKEY [URL]', 'witness NAME VKEY [URL]', 'group NAME all|any|K NAME…' or 'quorum NAME'"
            )

    def fail(self, number: int, line: str, expected: str) -> None:
        """Raises UsageError for this line."""
        raise UsageError(f"{self.where}, line {number}", found=repr(line[:120]), expected=expected)

    def _expected(self, expected: str) -> None:
        self.fail(self._number, self._line, expected)

    def _key(self, text: str, kind: int) -> VerifierKey:
        try:
            key = VerifierKey.parse(text)
        except ValueError as error:
            raise UsageError(f"{self.where}, line {self._number}: {error}") from error
        if key.kind != kind:
            self._expected(
                f"a key of signature type {kind:#04x}, found {key.kind:#04x}: logs have 0x01, witnesses 0x04"
            )
        first = self._keys.setdefault(key.public, self._number)
        if first != self._number:
            self._expected(f"a key of its own for each log and witness; this one stands in line {first}")
        return key

    def _new_name(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            self._expected(f"a name that is not taken: {name!r} is")
        return name

    def _known_name(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            self._expected(f"names that stand above: {name!r} does not")
        return name

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            self._known_name(member)
            if member in self._members:
                self._expected(f"each name as a member once only: {member!r} is one already")
            self._members.add(member)
        numbers = {"all": len(members), "any": 1}
        if threshold not in numbers and not _THRESHOLD.fullmatch(threshold):
            self._expected("'all', 'any' or a decimal number after the group's name")
        count = numbers.get(threshold) or int(threshold)
        if count > len(members):
            self._expected(f"at most {len(members)} of {len(members)} members")
        self.groups[self._new_name(name)] = Group(count, tuple(members))
