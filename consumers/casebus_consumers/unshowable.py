"""What cannot be shown is said to be so, with the reason, and the rest is shown."""

from collections.abc import Callable, Iterable

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
