"""What fields of events and symbols are called: in Chinese by the schemas, in English by their names."""

from functools import cache
from typing import Any

from casebus_consumers.desk.words import Words
from casebus_schemas.texts.field_labels import field_labels
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.texts.symbols import symbols


@cache
def _chinese() -> dict[str, str]:
    """By `type.field` of an event (`referral.submitted.charges`), and by the field alone."""
    found: dict[str, str] = {}
    for name, said in field_labels().items():
        record, _, field = name.rpartition(".")
        kind, _, title = record.removeprefix("casebus.").rpartition(".")
        if not field or not field[0].islower():
            continue
        if kind:
            snake = "".join(f"_{one.lower()}" if one.isupper() else one for one in title).lstrip("_")
            found[f"{kind}.{snake}.{field}"] = said
        found.setdefault(field, said)
    return found


def label_of(name: str, type: str | None, w: Words) -> str:
    """A field of an event, or of a record within one."""
    english = name.replace("_", " ")
    if w.language == "en":
        return english[:1].upper() + english[1:] if type else english
    return _chinese().get(f"{type}.{name}") or _chinese().get(name) or english


@cache
def _symbols() -> dict[str, Sentence]:
    """Symbols that mean one thing wherever they stand."""
    found: dict[str, Sentence | None] = {}
    for words in symbols().values():
        for symbol, said in words.items():
            found[symbol] = said if found.get(symbol, said) == said else None
    return {symbol: said for symbol, said in found.items() if said is not None}


def plain_text(value: Any, w: Words) -> str:
    """A value: yes and no, symbols by what they are called, all else as it is."""
    if isinstance(value, bool):
        return w("facts.yes") if value else w("facts.no")
    if isinstance(value, str) and (said := _symbols().get(value)) is not None:
        return w.say(said)
    return str(value)
