"""When a term ends and how long that is from now, as a person counts it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from casebus_schemas.times import in_beijing

_AT_LEAST = timedelta(milliseconds=1)


def end_text(due: datetime) -> str:
    """The end of a term: one at midnight is 24:00 of the day that is over then."""
    local = in_beijing(due)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local - _AT_LEAST:%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"


def unsure_mark(duty: Mapping[str, Any]) -> str:
    """That the limit of a duty was read in no text of the law."""
    return "  未核实 not verified" if duty.get("verified") is False else ""


def days_left(due: datetime, now: datetime) -> int:
    """Days from today to the last day of a term; 0 on the last day, negative after it."""
    return (in_beijing(due - _AT_LEAST).date() - in_beijing(now).date()).days


def left_text(first: datetime, last: datetime, now: datetime) -> str:
    """How long is left until the first and the last reading of a term, in both languages."""
    if now >= last:
        over = (in_beijing(now).date() - in_beijing(last - _AT_LEAST).date()).days
        return f"已逾期{over}天 {_days(over)} overdue"
    until, at_most = max(days_left(first, now), 0), days_left(last, now)
    if at_most == 0:
        return "今天到期 due today"
    if until == at_most:
        return f"还剩{until}天 {_days(until)} left"
    return f"还剩{until}至{at_most}天 {until} to {_days(at_most)} left"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
