"""The desk's own words, from texts/*.yaml: each in Chinese and English, one language at a time."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from casebus_schemas.agencies import BUS
from casebus_schemas.errors import UsageError
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.strict_yaml import entries, read_yaml, texts
from casebus_schemas.texts import symbols
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import in_beijing

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_FULL_WIDTH = {",": "，", ":": "：", ";": "；", "?": "？"}
_MARK = re.compile("(?<=[\u3400-\u9fff）”》])[,:;?] ?|[,:;?](?=[\u3400-\u9fff（“《])")
_BRACKETS = re.compile(r"(?<!\d)\(([^()]*)\)|\((\d*[^\d()][^()]*)\)")
"""But those of an article, 180(4)."""
_WEEKDAYS = Sentence("一二三四五六日", "Mon Tue Wed Thu Fri Sat Sun")
_WORDS = {
    "access": symbols.ACCESS_KINDS,
    "basis": symbols.BASES,
    "comparison": symbols.COMPARISONS,
    "duty": symbols.DUTY_STATES,
    "finding": symbols.FINDING_STATES,
    "said": symbols.FINDING_WORDS,
    "level": symbols.LEVELS,
    "reading": symbols.READINGS,
    "role": symbols.RECIPIENT_ROLES,
    "severity": symbols.SEVERITIES,
    "status": symbols.STATUSES,
    "step": symbols.STEPS,
}


class Count(int):
    """A number in a text: `{n}` writes it, `{n:day|days}` writes it with the word that fits in English."""

    def __format__(self, spec: str) -> str:
        one, several, *_ = (*spec.split("|"), "") if spec else ("", "")
        number = f"{int(self):,}"
        return f"{number} {one if self == 1 else several}" if one else number


def read_texts(name: str, source: str) -> dict[str, Sentence]:
    """The texts of a file, by `name.key`. Raises UsageError for one that lacks a language."""
    found = {}
    for key, said in entries(name, read_yaml(name, source)):
        if not isinstance(key, str):
            raise UsageError(f"{name}: a key that YAML reads as {key}", expected="a word in quotation marks")
        pair = texts(name, key, said)
        if len(pair) != 2 or not all(pair):
            raise UsageError(f"{name}: {key}", found=repr(said), expected="[Chinese, English]")
        found[f"{name}.{key}"] = Sentence(*pair)
    return found


@cache
def all_texts() -> Mapping[str, Sentence]:
    """Every text of the desk, by the name of its file, a dot and its key."""
    found: dict[str, Sentence] = {}
    for file in sorted((files(__package__) / "texts").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            found |= read_texts(file.name.removesuffix(".yaml"), file.read_text(encoding="utf-8"))
    return MappingProxyType(found)


class Words:
    """Everything that a page says, in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.other: Language = "en" if language == "zh" else "zh"
        self.tag = {"zh": "zh-CN", "en": "en"}[language]
        self.gap = "\u3000" if language == "zh" else "\u2003"
        """Between facts on a line."""
        self.colon = "：" if language == "zh" else ": "
        self.comma = "、" if language == "zh" else ", "

    def __call__(self, key: str, **values: Any) -> str:
        """A text of the desk with its gaps filled. Raises KeyError for a key that no file has."""
        said = self.say(all_texts()[key])
        filled = {name: Count(one) if type(one) is int else one for name, one in values.items()}
        return said.format(**filled) if filled else said

    def say(self, said: Sentence | Mapping[str, str]) -> str:
        """A sentence, or an object with `zh` and `en` from the bus's JSON."""
        pair = said if isinstance(said, Mapping) else {"zh": said.zh, "en": said.en}
        return _full_width(pair["zh"]) if self.language == "zh" else pair["en"]

    def word(self, kind: str, symbol: str | None) -> str:
        """What a symbol is called; – where there is none."""
        return "–" if symbol is None else self.say(symbols.word(_WORDS[kind], symbol))

    def agency(self, name: str) -> str:
        """An agency, or an office of one, by its name."""
        member, _, office = name.strip("/").partition("/")
        called = self.say(symbols.agency(member))
        return f"{called} {office}" if office else called

    def short(self, name: str) -> str:
        """An agency by its short name, where many stand side by side: English names are long."""
        member = name.strip("/").partition("/")[0]
        if self.language == "zh" or member == BUS:
            return self.say(symbols.agency(member))
        return member.upper()

    def title(self, type: str) -> str:
        """What a type of event is called."""
        return self.say(symbols.title(type))

    def listed(self, names: list[str]) -> str:
        """Some names in a row."""
        return self.comma.join(names)

    def law(self, instrument: str, article: str | None) -> str:
        """An article of a text of law; of a source that is no law its name."""
        known = clock_table().instruments.get(instrument)
        name = instrument if known is None else self.say(known.title)
        if not article or (known is not None and not known.is_law):
            return name
        return f"{name}第{article}条" if self.language == "zh" else f"{name}, art. {article}"

    # --- times and figures -------------------------------------------------------------------------------

    def day(self, moment: datetime | date, near: datetime | date | None = None) -> str:
        """The Beijing day, without its year where that is the year of `near`."""
        found = _day(moment)
        return f"{found:%m-%d}" if near is not None and found.year == _day(near).year else f"{found:%Y-%m-%d}"

    def clock(self, moment: datetime) -> str:
        """The Beijing time of day."""
        return f"{in_beijing(moment):%H:%M}"

    def time(self, moment: datetime) -> str:
        """Day and time in Beijing."""
        return f"{in_beijing(moment):%Y-%m-%d %H:%M}"

    def long_day(self, moment: datetime | date) -> str:
        """A day with its weekday, as a heading writes it."""
        found = _day(moment)
        if self.language == "zh":
            return f"{found.month}月{found.day}日 星期{self.weekday(found)}"
        return f"{self.weekday(found)} {found.day} {found:%B}"

    def weekday(self, moment: datetime | date) -> str:
        """The day of the week, short."""
        said = self.say(_WEEKDAYS)
        return (said if self.language == "zh" else said.split())[_day(moment).weekday()]

    def weekdays(self) -> Iterator[str]:
        """All of them from Monday on."""
        said = self.say(_WEEKDAYS)
        yield from said if self.language == "zh" else said.split()

    def figure(self, value: object) -> str:
        """An amount with its thousands apart and two places."""
        return symbols.figure(Decimal(str(value)))

    def money(self, value: object, currency: str = "CNY") -> str:
        """An amount with its currency."""
        return self.say(symbols.money(Decimal(str(value)), currency))


def language_of(cookie: str | None, accepts: str) -> Language:
    """The language that a reader chose, else the one that the browser asks for first, else Chinese."""
    for language in LANGUAGES:
        if cookie == language:
            return language
    first = accepts.split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


def _full_width(text: str) -> str:
    """Chinese text with the marks of Chinese print; figures and times keep theirs."""
    text = _BRACKETS.sub(lambda found: f"（{found[1] if found[1] is not None else found[2]}）", text)
    return _MARK.sub(lambda found: _FULL_WIDTH[found.group().strip()], text)


def _day(moment: datetime | date) -> date:
    return in_beijing(moment).date() if isinstance(moment, datetime) else moment
