"""What cannot be shown is said to be so, with the reason, and the rest is shown."""

from collections.abc import Callable, Iterable
from typing import Any

_MOST = 200
"""Characters of a reason."""


def reason_of(error: Exception) -> str:
    """Why something could not be shown, for whoever has to tell the operator."""
    return f"{type(error).__name__}: {error}"[:_MOST]


def lines_or_reason(what: str, lines: Callable[[], Iterable[str]]) -> list[str]:
    """The lines of one thing; where they cannot be made, one line that names it and says why."""
    try:
        return list(lines())
    except Exception as error:  # noqa: BLE001 - whatever stands in it, the reader still sees the rest
        return [f"{what}  无法显示 cannot be shown: {reason_of(error)}"]


def not_readable(
    id: str, chain: str, rule: str, error: Exception, agency: str | None = None
) -> dict[str, Any]:
    """What stands in a list for a stored duty or finding that cannot be read; members as in records.md 5.

    Whether it concerns an agency is not known: an agency is told that there is one, not which, and not why.
    """
    if agency is not None:
        nothing = dict.fromkeys(("id", "rule", "chain", "state"))
        return {**nothing, "not_readable": "the operator's list says why"}
    return {"id": id, "rule": rule, "chain": chain, "state": None, "not_readable": reason_of(error)}


def not_readable_line(entry: dict[str, Any]) -> str | None:
    """The line for such an entry on a screen, None for every other one."""
    if "not_readable" not in entry:
        return None
    named = " ".join(part for part in (entry["rule"], entry["id"]) if part)
    chain = f"  案件链 chain {entry['chain']}" if entry["chain"] else ""
    return f"{named}{chain}  无法读取 cannot be read: {entry['not_readable']}".strip()
