"""Scope labels: which crimes a figure counts in, as data with its source."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from casebus_schemas.errors import UsageError
from casebus_schemas.law import Sentence

FUTURES_MARKETS = frozenset({"CFFEX", "SHFE", "DCE", "CZCE", "INE", "GFEX"})
"""Markets on which no securities are traded (casebus.Market)."""

_ARTICLE = re.compile(r"[1-9][0-9]{0,2}(-[1-9])?(\([1-9]\))?\Z")


class Charged(NamedTuple):
    """A charge as far as a scope asks: the article, and whether the conduct was on a futures market."""

    article: str
    futures: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """A label and what it means.

    `articles` None: any crime, charged or not. `crimes` is how many crimes the label covers, None for any.
    """

    id: str
    label: Sentence
    articles: frozenset[str] | None
    bare: frozenset[str]
    crimes: int | None
    futures: bool
    verified: bool
    since: date | None

    def holds(self, charges: Iterable[Charged]) -> bool:
        """Whether one of the charges is in scope."""
        return self.articles is None or any(self._covers(charge) for charge in charges)

    def within(self, other: "Scope") -> bool:
        """Whether whatever is in this scope is also in the other one."""
        if other.articles is None:
            return True
        if self.articles is None or (self.futures and not other.futures):
            return False
        return all(other._covers(Charged(article, False)) for article in self.articles | self.bare)

    def unclear(self, charge: Charged) -> bool:
        """Whether a charge names an article without paragraph of which only some paragraphs are in scope."""
        if self.articles is None or self._covers(charge):
            return False
        return any(article.startswith(f"{charge.article}(") for article in self.articles)

    def to_json(self) -> dict[str, Any]:
        """The label with its meaning, as it travels with every figure."""
        return {
            "id": self.id,
            "label": self.label.text,
            "crimes": self.crimes,
            "articles": None if self.articles is None else sorted(self.articles),
            "futures": self.futures,
            "verified": self.verified,
        }

    def _covers(self, charge: Charged) -> bool:
        if charge.futures and not self.futures:
            return False
        whole = charge.article.partition("(")[0]
        return bool((self.articles or frozenset()) | self.bare) and (
            charge.article in (self.articles or ())
            or charge.article in self.bare
            or whole in (self.articles or ())
        )


ANY = Scope("any", Sentence("不限罪名", "any crime"), None, frozenset(), None, True, True, None)


def scopes() -> Mapping[str, Scope]:
    """All named scopes, `any` last."""
    return _load()[0]


def law_version() -> str:
    """Short hash of the list of scopes: part of every figure's version."""
    return _load()[1]


def find_scope(text: str) -> Scope:
    """A scope by id or label (either language), or one of articles.

    `182,180(1)` are these articles on any market, `securities:182` the part of that scope. Raises UsageError
    if the text names none.
    """
    named = {
        name: scope
        for scope in scopes().values()
        for name in (scope.id, scope.label.zh, scope.label.en, scope.label.text)
    }
    if text in named:
        return named[text]
    base, colon, listed = text.rpartition(":")
    articles = [part.strip() for part in listed.split(",")]
    within = named.get(base, ANY if not colon else None)
    if within is None or not all(_ARTICLE.match(article) for article in articles):
        raise UsageError(
            "not a scope that a figure can have",
            found=repr(text[:100]),
            expected=", ".join(scopes())
            + ", one of their labels, or articles such as 182,180(1) or securities:182",
        )
    return _of_articles(articles, within)


def _of_articles(articles: list[str], within: Scope) -> Scope:
    chosen = sorted(set(articles))
    zh, en = "刑法第" + "、".join(chosen) + "条", "Criminal Law Art. " + ", ".join(chosen)
    if within.articles is not None:
        zh, en = f"{within.label.zh}中{zh}", f"{within.label.en} under {en}"
        chosen = [article for article in chosen if within.holds([Charged(article, False)])]
    name = ",".join(chosen)
    return Scope(
        id=name if within.articles is None else f"{within.id}:{name}",
        label=Sentence(zh, en),
        articles=frozenset(chosen),
        bare=frozenset(),
        crimes=len(chosen),
        futures=within.futures,
        verified=within.verified,
        since=within.since,
    )


@cache
def _load() -> tuple[Mapping[str, Scope], str]:
    text = files(__package__).joinpath("scopes.yaml").read_text(encoding="utf-8")
    found = {name: _scope(name, entry) for name, entry in yaml.safe_load(text).items()}
    return {**found, ANY.id: ANY}, sha256(text.encode()).hexdigest()[:12]


def _scope(name: str, entry: Mapping[str, Any]) -> Scope:
    return Scope(
        id=name,
        label=Sentence(entry["label"]["zh"], entry["label"]["en"]),
        articles=frozenset(entry["articles"]),
        bare=frozenset(entry["bare"]),
        crimes=entry["crimes"],
        futures=entry["futures"],
        verified=entry["verified"],
        since=entry["since"],
    )
