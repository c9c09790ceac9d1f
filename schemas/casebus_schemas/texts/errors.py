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
    pointer = getattr(error, "pointer", None)
    place = "" if pointer is None else f"{pointer or '/'}: "
    message = clause_in_chinese(error.message.removeprefix(place))
    if message is None:
        return None
    parts = [place + message]
    if error.found is not None:
        parts.append(f"实为 {_or_as_it_is(str(error.found))}")
    if error.expected is not None:
        parts.append(f"应为 {_or_as_it_is(str(error.expected))}")
    text = "，".join(parts).replace("？，", "？")
    if error.topic is not None:
        text += f"（在 {error.topic}/{error.partition}/{error.offset}）"
    return f"{text}；{_or_as_it_is(error.remedy)}" if error.remedy else text


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
