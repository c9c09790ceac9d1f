"""Which crime it is to launder the gains of a predicate crime: article 191, 312 or none of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys, read_yaml, text, texts

FILE = "predicates.yaml"
NO_CRIME = "none"
LAUNDERING_ARTICLES = ("191", "312")

Gains = Literal["self", "others"]


@dataclass(frozen=True, slots=True)
class LaunderingCrime:
    """The article that fits, None where it is no crime of its own; and whether that was read in a text."""

    article: str | None
    verified: bool


Predicates = Mapping[tuple[str, Gains], LaunderingCrime]
"""By the predicate's article without paragraphs, and by whose gains they are."""


@cache
def predicates() -> Predicates:
    """Those of this package, read once for the process."""
    return read_predicates((files(__package__) / FILE).read_text(encoding="utf-8"))


def read_predicates(source: str) -> Predicates:
    """Reads the text of a predicates.yaml. Raises UsageError naming the row that is not right."""
    found: dict[tuple[str, Gains], LaunderingCrime] = {}
    rows = read_yaml(FILE, source)
    if not isinstance(rows, list) or not rows:
        raise UsageError(FILE, found=repr(rows)[:100], expected="a list of rows")
    for number, row in enumerate(rows, 1):
        where = f"{FILE}: row {number}"
        known_keys(where, row, required=("articles", "others", "self"))
        own, foreign = (_crime(f"{where}: {key}", row[key]) for key in ("self", "others"))
        for article in texts(where, "articles", row["articles"]):
            if (article, "self") in found:
                raise UsageError(f"{where}: articles", found=article, expected="each article in one row")
            found[article, "self"], found[article, "others"] = own, foreign
    return MappingProxyType(found)


def crime_of(predicate: str, gains: Gains) -> LaunderingCrime | None:
    """The crime of laundering the gains of a predicate such as 180(4); None where no row knows it."""
    return predicates().get((predicate.partition("(")[0], gains))


def _crime(where: str, entry: Any) -> LaunderingCrime:
    known_keys(where, entry, required=("article", "verified"))
    article = text(where, "article", entry["article"])
    if article not in (*LAUNDERING_ARTICLES, NO_CRIME):
        expected = ", ".join((*LAUNDERING_ARTICLES, NO_CRIME))
        raise UsageError(f"{where}: article", found=article, expected=f"one of {expected}")
    if not isinstance(entry["verified"], bool):
        raise UsageError(f"{where}: verified", found=repr(entry["verified"]), expected="true or false")
    return LaunderingCrime(None if article == NO_CRIME else article, entry["verified"])
