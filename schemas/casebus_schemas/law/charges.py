"""The crimes that cases are about: articles, names, and numbers in the code tables of police systems."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import entries, known_keys, read_yaml, text, texts
from casebus_schemas.texts.sentence import Sentence

FILE = "charges.yaml"


@dataclass(frozen=True, slots=True)
class Crime:
    """A crime by its article, as 180(4); `codes` are its numbers of six and eight digits, all unverified."""

    article: str
    title: Sentence
    codes: tuple[str, ...]


Crimes = Mapping[str, Crime]
"""By article."""


@cache
def crimes() -> Crimes:
    """Those of this package, read once for the process."""
    return read_crimes((files(__package__) / FILE).read_text(encoding="utf-8"))


def read_crimes(source: str) -> Crimes:
    """Reads the text of a charges.yaml. Raises UsageError naming the entry that is not right."""
    found: dict[str, Crime] = {}
    owners: dict[str, str] = {}
    for article, entry in entries(FILE, read_yaml(FILE, source)):
        where = f"{FILE}: {article}"
        known_keys(where, entry, required=("zh", "en"), optional=("codes",))
        codes = tuple(texts(where, "codes", entry["codes"])) if "codes" in entry else ()
        for code in codes:
            if not code.isascii() or not code.isdigit() or len(code) not in (6, 8):
                raise UsageError(f"{where}: codes", found=code, expected="six or eight digits")
            if (other := owners.setdefault(code, str(article))) != article:
                raise UsageError(
                    f"{where}: codes", found=f"{code} of {other}", expected="a code in one entry"
                )
        title = Sentence(text(where, "zh", entry["zh"]), text(where, "en", entry["en"]))
        found[str(article)] = Crime(str(article), title, codes)
    return MappingProxyType(found)


def crime_called(named: str) -> Crime | None:
    """The crime of an article, or of a number in a code table of police systems; None if none is known."""
    return crimes().get(named) or _by_code().get(named)


@cache
def _by_code() -> Mapping[str, Crime]:
    return {code: crime for crime in crimes().values() for code in crime.codes}
