"""How cases, persons and charges are called on a page, personal names masked."""

from collections.abc import Mapping, Sequence
from typing import Any

from casebus_consumers.desk.board import CaseLine
from casebus_consumers.desk.masking import masked_name
from casebus_consumers.desk.words import Count, Words
from casebus_schemas.agencies import Members
from casebus_schemas.law.charges import crime_called

_MOST = 3


def case_name(case: CaseLine, w: Words, *, open: bool = False) -> str:
    """A case by its suspects, else its security, number, or the beginning of its chain id."""
    names = case.names
    if suspects := names["suspects"]:
        called = [one if open else masked_name(one) for one in suspects[:2]]
        more = len(suspects) - len(called)
        return w.listed(called) + (f" {w('names.more', n=Count(more))}" if more else "")
    for kind in ("securities", "numbers"):
        if names[kind]:
            return names[kind][0]
    return w("names.case", id=case.chain[:8])


def case_facts(case: CaseLine, w: Words) -> str:
    """Number and security of a case, in a line."""
    return w.gap.join((*case.names["numbers"][:2], *case.names["securities"][:1]))


def persons_text(suspects: Sequence[Mapping[str, Any]], w: Words) -> str:
    """The suspects of an event."""
    called = [masked_name(str(one["name"])) for one in suspects[:_MOST] if one.get("name")]
    more = len(suspects) - len(called)
    return w.listed(called) + (f" {w('names.more', n=Count(more))}" if more else "")


def witness_name(name: str, w: Words) -> str:
    """One who cosigns the ledger: a member, or another office of agencies.yaml; else as it is written."""
    for witness in Members.load().witnesses:
        if witness.id == name:
            return w.say(witness.name)
    return w.agency(name)


def charge_text(article: str | None, w: Words, *, long: bool = False) -> str:
    """A charge by its article of the Criminal Law; with `long` its name too."""
    if article is None:
        return w("names.no_charge")
    number, _, paragraph = article.partition("(")
    number, _, sub = number.partition("-")
    if w.language == "zh":
        said = f"第{number}条" + (f"之{_numeral(sub)}" if sub else "")
        said += f"第{_numeral(paragraph.rstrip(')'))}款" if paragraph else ""
    else:
        said = f"art. {article}"
    known = crime_called(article) if long else None
    return f"{w.say(known.title)} {said}" if known is not None else said


def _numeral(text: str) -> str:
    return "〇一二三四五六七八九"[int(text)] if text.isdigit() and len(text) == 1 else text
