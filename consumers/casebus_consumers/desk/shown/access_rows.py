"""Rows of the log of accesses, in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from casebus_consumers.desk.words import Words, all_texts
from casebus_schemas.times import to_datetime

from .names import case_name

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked

_CASE = re.compile(r"(?:/cases/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(/.*)?\Z")


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One access; `href` leads to what was opened, where that is a page of a case."""

    number: int
    at: datetime
    officer: str
    role: str
    act: str
    object: str
    href: str | None
    reason: str


def row_of(access: Mapping[str, Any], asked: "Asked") -> AccessRow:
    """A row; a case by its name, masked."""
    w, said = asked.words, str(access["object"] or "")
    href, found = None, _CASE.match(said)
    if found is not None and (case := asked.glance.cases.get(found[1])) is not None:
        href = f"/cases/{found[1]}"
        said = case_name(case, w) + (f"{w.gap}{_shortened(found[2])}" if found[2] else "")
    return AccessRow(
        access["number"],
        to_datetime(access["at_ms"]),
        access["officer"],
        w(f"frame.role_{access['role']}"),
        act_word(access["act"], w),
        said,
        href,
        str(access["reason"] or ""),
    )


def act_word(act: str, w: Words) -> str:
    """What an act is called; one that has no word of its own as it is written."""
    key = f"accesses.act_{act.replace('-', '_')}"
    return w(key) if key in all_texts() else act


def _shortened(path: str) -> str:
    """The rest of an address without the ends of digests."""
    return re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1…", path)
