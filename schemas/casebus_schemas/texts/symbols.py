"""The words for people: what symbols of the bus's JSON are called in Chinese and in English."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, read_yaml, texts

from .sentence import Sentence

FILE = "symbols.yaml"

Words = Mapping[str, Sentence]
"""The symbols of one enumeration and what each is called."""


@cache
def symbols() -> Mapping[str, Words]:
    """Every enumeration of symbols.yaml by name; those of Avro bear the name of their type."""
    source = (files("casebus_schemas") / "texts" / FILE).read_text(encoding="utf-8")
    return MappingProxyType(read_symbols(source))


def read_symbols(source: str) -> dict[str, Words]:
    """Reads the text of a symbols.yaml. Raises UsageError for a symbol that lacks a word in a language."""
    return {
        name: _words(name, entry)
        for name, entry in entries("symbols.yaml", read_yaml("symbols.yaml", source))
    }


def _words(name: str, entry: Any) -> Words:
    where = f"{FILE}: {name}"
    found = {}
    for symbol, said in entries(where, entry):
        pair = texts(where, str(symbol), said)
        if len(pair) != 2 or not all(pair):
            raise UsageError(f"{where}: {symbol}", found=repr(said), expected="[Chinese, English]")
        found[symbol] = Sentence(*pair)
    return MappingProxyType(found)


ACCOUNT_FIELDS = symbols()["AccountField"]
"""Fields of an account in a finding."""
ACCESS_KINDS = symbols()["AccessKind"]
ANNEX_KINDS = symbols()["AnnexKind"]
AS_OF = symbols()["AsOf"]
BASES = symbols()["AmountBasis"]
COMPARISONS = symbols()["Comparison"]
DUTY_STATES = symbols()["ObligationState"]
FINDING_CLASSES = symbols()["FindingClass"]
FINDING_STATES = symbols()["FindingState"]
FINDING_WORDS = symbols()["FindingWord"]
GAINS = symbols()["Laundering"]
LAUNDERING_STATES = symbols()["LaunderingState"]
LEVELS = symbols()["Level"]
MARKETS = symbols()["Market"]
READINGS = symbols()["ReadingName"]
RECIPIENT_ROLES = symbols()["Role"]
REFUSAL_CODES = symbols()["RefusalCode"]
RULE_SCOPES = symbols()["RuleScope"]
SEVERITIES = symbols()["Severity"]
ASSET_STATES = symbols()["AssetState"]
ASSET_KINDS = symbols()["AssetKind"]
STAGES = symbols()["Stage"]
STATUSES: Words = Catalog.load().states
STEPS = symbols()["Step"]
TRACK_FACTS = symbols()["TrackFact"]
TRACK_WORDS = {"kind": symbols()["RecommendationKind"], "effect": symbols()["ComplianceEffect"]}
"""Facts of a track beside the charges that are symbols themselves."""
WORTHS = symbols()["WorthBasis"]
"""How the worth of an asset is known."""
NO_CHARGE = Sentence("未列罪名", "no charge stated")
"""Of a suspect whom a paper names without a charge."""

_FACTORS = {
    Decimal(100): Sentence("一百", "hundred"),
    Decimal(10_000): Sentence("一万", "ten thousand"),
    Decimal(100_000_000): Sentence("一亿", "hundred million"),
}


def word(words: Words, symbol: str) -> Sentence:
    """What a symbol is called; the symbol itself where nobody has named it."""
    return words.get(symbol) or Sentence(symbol, symbol)


def shown(words: Words, symbol: str) -> str:
    """What a symbol is called, in both languages on one line of a screen."""
    return in_both(word(words, symbol))


def in_both(said: Sentence) -> str:
    """A name in both languages on one line of a screen; once where both are the same."""
    return said.zh if said.zh == said.en else f"{said.zh} {said.en}"


def agency(name: str) -> Sentence:
    """An agency's name."""
    return Members.load().name(name) or Sentence(name, name)


def title(type: str) -> Sentence:
    """What a type of event is called."""
    known = Catalog.load().types.get(type)
    return known.title if known else Sentence(type, type)


def quoted(type: str) -> Sentence:
    """The same within a sentence."""
    called = title(type)
    return Sentence(f"“{called.zh}”", f"“{called.en}”")


def figure(value: Decimal) -> str:
    """An amount with its thousands apart."""
    return f"{value:,.2f}"


def money(value: Decimal, currency: str) -> Sentence:
    """An amount with its currency."""
    yuan = "元" if currency == "CNY" else f" {currency}"
    return Sentence(f"{figure(value)}{yuan}", f"{currency} {figure(value)}")


def unit(factor: Decimal) -> Sentence:
    """The unit in which figures are often given, 万元 or 亿元; of a hundred the two places of 分."""
    if factor == 100:
        return Sentence("分(或小数点错两位)", "fen, or with its decimal point two places off")
    return Sentence("万元" if factor == 10_000 else "亿元", f"units of {_FACTORS[factor].en} yuan")


def times(factor: Decimal) -> Sentence:
    """How many times one figure is another."""
    zh = _FACTORS[factor].zh
    article = _FACTORS[factor].en if factor == 10_000 else f"a {_FACTORS[factor].en}"
    return Sentence(f"{zh}倍", f"{article} times")
