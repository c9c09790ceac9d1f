"""Lines of a log that say the same again, as one line with how often: who tries for hours fills no page."""

import re
from collections.abc import Iterable

READ = 2000
"""Newest lines of a log that are looked at."""
_NUMBER = re.compile(r"\d+")


def summarised(lines: Iterable[str], most: int) -> tuple[str, ...]:
    """At most so many lines, newest first, each with how often the same was said, and since when.

    `lines` come newest first and begin with a time. The same is what differs in numbers alone: ports, counts.
    """
    found: dict[str, tuple[str, int, str]] = {}
    for line in lines:
        at, _, said = line.partition(" ")
        key = _NUMBER.sub("0", said)
        newest, times, _ = found.get(key, (line, 0, at))
        found[key] = (newest, times + 1, at)
    return tuple(
        newest if times == 1 else f"{newest} ({times} 次 times since {since})"
        for newest, times, since in list(found.values())[:most]
    )
