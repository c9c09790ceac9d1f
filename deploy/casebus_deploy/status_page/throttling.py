"""Whom the embedded broker holds back by a quota now, from the lines that it writes about it."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

RECENT_S = 60.0
"""A quota is kept over windows of ten seconds, and a client is held back by 30 seconds at most."""

_LINE = re.compile(
    r"(\S+) Channel throttled for sensor \((?P<kind>[A-Za-z]+)-(?P<user>[^:)]+):.*\)\. "
    r"Delay time: \((?P<ms>[0-9]{1,9})\)\Z"
)
_KINDS = {"Produce": "写入 writing", "Fetch": "读取 reading", "Request": "代理处理时间 the broker's time"}


class HeldBack(NamedTuple):
    """One login and one quota of it: how often within the last minute, by how much at most, and when last."""

    user: str
    kind: str
    times: int
    most_ms: int
    last_s: float

    @property
    def text(self) -> str:
        """For a person."""
        what = _KINDS.get(self.kind, self.kind)
        return f"{self.user}: {what}, {self.times} x in the last minute, by up to {self.most_ms} ms"


def held_back(lines: Iterable[str], now: float) -> tuple[HeldBack, ...]:
    """Who was held back within the last minute before `now` (seconds since 1970 UTC), the most first."""
    found: dict[tuple[str, str], HeldBack] = {}
    for line in lines:
        if (match := _LINE.match(line)) is None:
            continue
        try:
            at = datetime.fromisoformat(match[1]).timestamp()
        except ValueError:
            continue
        if not 0 <= now - at <= RECENT_S:
            continue
        user, kind, delay = match["user"], match["kind"], int(match["ms"])
        one = found.get((user, kind), HeldBack(user, kind, 0, 0, at))
        found[user, kind] = HeldBack(user, kind, one.times + 1, max(one.most_ms, delay), max(one.last_s, at))
    return tuple(sorted(found.values(), key=lambda one: (-one.most_ms, one.user, one.kind)))
