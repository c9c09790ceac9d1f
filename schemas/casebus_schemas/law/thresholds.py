"""From which amount on a case is filed, by article and by the day of the act: it only advises."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text

from .clocks import Article

FILE = "thresholds.yaml"
_FIGURE = re.compile(r"[1-9]\d*\Z")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A text on one article, in force from `since` up to, not including, `until`; yuan by basis."""

    article: str
    since: date
    until: date | None
    source: Article
    plain: Mapping[str, Decimal]
    aggravated: Mapping[str, Decimal]
    verified: bool

    @property
    def lowest(self) -> Mapping[str, Decimal]:
        """By basis, the amount below which no item of the text is fulfilled."""
        return {**self.plain, **self.aggravated}


@cache
def thresholds() -> Mapping[str, tuple[Threshold, ...]]:
    """Those of this package by article, the oldest text first; read once for the process."""
    return read_thresholds((files(__package__) / FILE).read_text(encoding="utf-8"))


def threshold_on(article: str, day: date) -> Threshold | None:
    """The text on an article in force on a day, None where none is known."""
    for known in thresholds().get(article, ()):
        if known.since <= day and (known.until is None or day < known.until):
            return known
    return None


def read_thresholds(source: str) -> Mapping[str, tuple[Threshold, ...]]:
    """Reads the text of a thresholds.yaml. Raises UsageError naming the article that is not right."""
    return MappingProxyType(
        {
            text(FILE, "article", article): tuple(_texts(str(article), dated))
            for article, dated in entries(FILE, read_yaml(FILE, source))
        }
    )


def _texts(article: str, dated: Any) -> Iterator[Threshold]:
    where = f"{FILE}: {article}"
    listed = list(entries(where, dated))
    days = [day for day, _ in listed]
    if not all(isinstance(day, date) for day in days) or days != sorted(days):
        raise UsageError(where, found=", ".join(map(str, days)), expected="days, the oldest first")
    for (since, entry), until in zip(listed, [*days[1:], None], strict=True):
        here = f"{where}: {since}"
        known_keys(here, entry, required=("instrument", "item", "from", "verified"), optional=("aggravated",))
        if not isinstance(entry["verified"], bool):
            raise UsageError(f"{here}: verified", found=repr(entry["verified"]), expected="true or false")
        yield Threshold(
            article,
            since,
            until,
            Article(text(here, "instrument", entry["instrument"]), text(here, "item", entry["item"])),
            _figures(f"{here}: from", entry["from"]),
            _figures(f"{here}: aggravated", entry["aggravated"]) if "aggravated" in entry else {},
            entry["verified"],
        )


def _figures(where: str, given: Any) -> Mapping[str, Decimal]:
    found = {}
    for basis, figure in entries(where, given):
        if not isinstance(figure, str) or not _FIGURE.match(figure):
            raise UsageError(
                f"{where}: {basis}", found=repr(figure), expected='yuan as text, such as "500000"'
            )
        found[str(basis)] = Decimal(figure)
    return found


_MEASURED = ("illegal_gain", "avoided_loss", "loss", "funds_raised")
"""What is large enough for a crime whatever the conduct was; turnover and margin depend on it."""


class Reached(NamedTuple):
    """An amount in yuan that reaches the filing standard of every article that measures its basis."""

    basis: str
    value: Decimal
    highest: Decimal


def amounts_stated(data: Mapping[str, Any], said_on: date) -> tuple[dict[str, Decimal], date]:
    """The largest amount in yuan of each basis among an event's facts, and the last day of the act.

    Where no amount names a period that is the day of the event.
    """
    stated: dict[str, Decimal] = {}
    days = []
    for amount in data.get("amounts") or ():
        if amount["currency"] == "CNY":
            stated[amount["basis"]] = max(stated.get(amount["basis"], amount["value"]), amount["value"])
            if amount["period"] is not None:
                days.append(amount["period"]["to"])
    return stated, max(days, default=said_on)


def reached_by(data: Mapping[str, Any], said_on: date) -> Reached | None:
    """The first amount that is enough for a crime whatever the article is; None if none is known to be."""
    stated, day = amounts_stated(data, said_on)
    for basis in _MEASURED:
        highest = highest_on(basis, day)
        if highest is not None and stated.get(basis, Decimal(0)) >= highest:
            return Reached(basis, stated[basis], highest)
    return None


def highest_on(basis: str, day: date) -> Decimal | None:
    """The amount that is enough whatever the article is; None while some article's figure is not known."""
    found = []
    for article, texts in thresholds().items():
        if not any(basis in known.plain for known in texts):
            continue
        in_force = threshold_on(article, day)
        if in_force is None or basis not in in_force.plain:
            return None
        found.append(in_force.plain[basis])
    return max(found, default=None)
