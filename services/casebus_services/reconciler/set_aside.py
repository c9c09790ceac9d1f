"""A chain that this program cannot compute: why it is set aside, and what is still done for it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol

from casebus_schemas.case.chain import ChainEvent, Digest
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.chain import r09
from casebus_schemas.rules.finding import Finding

from .hearing import Announcement, Turn, findings_said

TRIED_BY_NO_ORDER = -1


class SetAside(NamedTuple):
    """A chain with its events kept and nothing computed: since when, why, and which program failed.

    `ordered` is the offset of the operator's last order that was carried out for it.
    """

    chain: str
    partition: int
    since: datetime
    reason: str
    program: str
    ordered: int = TRIED_BY_NO_ORDER

    @property
    def kind(self) -> str:
        """The kind of error, without its place."""
        return self.reason.partition(" ")[0]


class OverBudget(Exception):
    """One event took a chain more processor time than a chain may take."""


def reason_of(error: BaseException) -> str:
    """Kind and place of an error. What it says is left out: it may quote the events."""
    place = _place(error.__traceback__)
    return type(error).__name__ + (f" at {place}" if place else "")


def program_of(catalog: Catalog) -> str:
    """Which program with which catalogue this is: where another one failed, this one may not."""
    return f"{_number()} {catalog.version}"


@lru_cache(maxsize=1)
def _number() -> str:
    try:
        return version("casebus")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "0"


def set_aside_said(finding: Finding, last: Digest) -> list[Announcement]:
    """Says that a chain is set aside, once for each time; `last` is the last event that it holds."""
    said = findings_said([Turn(None, finding)], finding.chain, last, finding.opened_at)
    return [_at_that_time(one, finding) for one in said]


def computed_again_said(finding: Finding, last: Digest, now: datetime) -> list[Announcement]:
    """Says to the same agencies that the chain could be computed again."""
    turn = Turn(finding, replace(finding, state="closed"))
    said = findings_said([turn], finding.chain, None, now, last, because=r09.COMPUTED_AGAIN)
    return [_at_that_time(one, finding) for one in said]


def _at_that_time(said: Announcement, finding: Finding) -> Announcement:
    return replace(said, subject=f"{said.subject}\n{finding.opened_at.isoformat()}")


class Kept(Protocol):
    """What is stored of a chain that is set aside."""

    def known_event(self, digest: Digest) -> ChainEvent | None:
        """A stored event as its headers show it."""

    def has_finding(self, finding: Finding) -> bool:
        """Whether the finding is entered."""


class HeldBook:
    """Stands for the book of a chain that is set aside: repeats and broken streams are still noticed."""

    def __init__(self, chain: str, kept: Kept) -> None:
        self.chain = chain
        self._kept = kept
        self._new: dict[Digest, ChainEvent] = {}
        self._found: dict[object, Finding] = {}

    def known(self, digest: Digest) -> ChainEvent | None:
        """The event of that digest, if the chain holds it."""
        return self._new.get(digest) or self._kept.known_event(digest)

    def note(self, outline: ChainEvent) -> None:
        """Takes an event as its headers show it."""
        self._new.setdefault(outline.digest, outline)

    def add(self, finding: Finding) -> list[Announcement]:
        """Enters a finding of the stream watch, once."""
        if finding.id in self._found or self._kept.has_finding(finding):
            return []
        self._found[finding.id] = finding
        return findings_said([Turn(None, finding)], self.chain, None, finding.opened_at)

    def findings(self) -> Collection[Finding]:
        """What was entered."""
        return self._found.values()


def _place(trace: TracebackType | None) -> str:
    """The innermost place of our own code."""
    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        parts = Path(code.co_filename).parts
        ours = [at for at, part in enumerate(parts) if part.startswith("casebus_")]
        if ours:
            found = f"{'/'.join(parts[ours[-1] :])}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
