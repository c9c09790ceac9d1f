"""Errors in Chinese: the clauses of those that an officer can meet are looked up in errors.yaml."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from casebus_schemas.errors import BusError
from casebus_schemas.strict_yaml import known_keys, read_yaml

FILE = "errors.yaml"
FILLED_IN = "{}"
"""Stands in a clause of errors.yaml for what the code fills in."""
_DETAIL = re.compile(
    r"(?P<place>/\S*: )?(?P<message>.+?)(, found (?P<found>.+?))?(, expected (?P<expected>.+?))?"
    r"( \(at (?P<where>\S+/\d+/\d+)\))?(; (?P<remedy>.+))?",
    re.DOTALL,
)
"""`BusError.detail` taken apart again."""
_GAP = re.compile(r"\{(\d*)\}")


@cache
def clauses() -> Mapping[str, Mapping[str, str]]:
    """The parts of errors.yaml: clauses in English, and what each is called in Chinese."""
    source = (files("casebus_schemas") / "texts" / FILE).read_text(encoding="utf-8")
    parts: dict[str, dict[str, str]] = read_yaml(FILE, source)
    known_keys(FILE, parts, required=("command_line", "errors"))
    return parts


def detail_in_chinese(error: BusError) -> str | None:
    """What `error.detail` says; None where its message is for operators and programmers only."""
    if (said := getattr(error, "zh", None)) is not None:
        return str(said)
    pointer = getattr(error, "pointer", None)
    place = "" if pointer is None else f"{pointer or '/'}: "
    where = None if error.topic is None else f"{error.topic}/{error.partition}/{error.offset}"
    message = error.message.removeprefix(place)
    return _put_together(place, message, error.found, error.expected, where, error.remedy)


def text_in_chinese(detail: str) -> str | None:
    """A `detail` that came as text, such as that of a receipt; None where its message is not known."""
    parts = _DETAIL.fullmatch(detail)
    if parts is None:
        return None
    names = ("message", "found", "expected", "where", "remedy")
    return _put_together(parts["place"] or "", *(parts[name] for name in names))


def _put_together(
    place: str, message: str, found: object, expected: object, where: str | None, remedy: str | None
) -> str | None:
    said = clause_in_chinese(message)
    if said is None:
        return None
    parts = [place + said]
    if found is not None:
        parts.append(f"实为 {_or_as_it_is(str(found))}")
    if expected is not None:
        parts.append(f"应为 {_or_as_it_is(str(expected))}")
    text = "，".join(parts).replace("？，", "？")
    if where is not None:
        text += f"（在 {where}）"
    return f"{text}；{_or_as_it_is(remedy)}" if remedy else text


def clause_in_chinese(text: str) -> str | None:
    """One clause, with what is filled in as it is; None where nobody has put it into Chinese."""
    for part in clauses().values():
        if (said := part.get(text)) is not None:
            return said
    for pattern, said in _patterns():
        if found := pattern.fullmatch(text):
            return _filled(said, [_or_as_it_is(value) for value in found.groups()])
    return None


def _or_as_it_is(text: str) -> str:
    return clause_in_chinese(text) or text


def _filled(said: str, values: list[str]) -> str:
    unnamed = iter(values)
    return _GAP.sub(lambda gap: values[int(gap[1])] if gap[1] else next(unnamed), said)


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Clauses with something filled in, those with most words of their own first."""
    every = [one for part in clauses().values() for one in part.items() if FILLED_IN in one[0]]
    every.sort(key=lambda one: -len(one[0].replace(FILLED_IN, "")))
    return [
        (re.compile("(.+?)".join(map(re.escape, english.split(FILLED_IN))), re.DOTALL), chinese)
        for english, chinese in every
    ]
