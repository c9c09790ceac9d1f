"""The pages that the head of every page leads to, each for who may open it, with what waits there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .asked import Asked
from .rights import Right
from .words import Count


@dataclass(frozen=True, slots=True)
class Entry:
    """One of them: `name` is also the key of its text in frame.yaml; `count` tells what waits, as text."""

    name: str
    path: str
    right: Right
    count: Callable[[Asked], str | None] = lambda _asked: None


def _unread(asked: Asked) -> str | None:
    number = asked.glance.unread["unread"]
    return asked.words("frame.unread", n=Count(number)) if number else None


def _due(asked: Asked) -> str | None:
    number = len(asked.glance.cases.running)
    return f"{number:,}" if number else None


def _findings(asked: Asked) -> str | None:
    cases = asked.glance.cases
    number = cases.once("open", lambda: sum(1 for one in cases.findings if one["state"] != "closed"))
    return f"{number:,}" if number else None


def _to_approve(asked: Asked) -> str | None:
    number = asked.desk.drafts.waiting() if asked.may("approve") else 0
    return asked.words("frame.to_approve", n=Count(number)) if number else None


ENTRIES: tuple[Entry, ...] = (
    Entry("inbox", "/inbox", "read", _unread),
    Entry("due", "/due", "read", _due),
    Entry("findings", "/findings", "read", _findings),
    Entry("cases", "/cases", "read"),
    Entry("compose", "/compose", "act", _to_approve),
    Entry("audit", "/audit", "audit"),
    Entry("operate", "/operate", "operate"),
    Entry("letters", "/dead-letters", "mend"),
)
AUDIT_PAGES: Mapping[str, str] = {
    "search": "/audit",
    "ledger": "/audit/ledger",
    "proofs": "/audit/proofs",
    "statistics": "/audit/statistics",
    "insiders": "/audit/insiders",
    "accesses": "/audit/accesses",
}
"""Addresses by the keys of their texts in audit.yaml."""


def entries(asked: Asked) -> list[Entry]:
    """Those that the officer may open."""
    return [entry for entry in ENTRIES if asked.may(entry.right)]


def first_path(asked: Asked) -> str:
    """Where an officer begins."""
    return next((entry.path for entry in entries(asked)), "/account")
