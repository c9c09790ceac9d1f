"""What an event must name to mean anything: whom it goes to, what it corrects, suspects that it lists."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from casebus_schemas.catalogue.catalog import Catalog, EventSchema, EventType
from casebus_schemas.law.charges import crime_called

from .problem import Problem

_ARTICLE = re.compile(r"[1-9][0-9]{0,2}(-[1-9][0-9]?)?(\([1-9][0-9]?\))?")
"""An article of the Criminal Law: 182, 180(4), 169-1, 185-1(1)."""
_CHARGES = ("casebus.Charge", "casebus.ChargeResult")


def nameless(catalog: Catalog, event: EventType, speaker: str, envelope: Mapping[str, Any]) -> list[Problem]:
    """What the type must say in its envelope and the event does not."""
    if not event.names or speaker not in event.speakers:
        return []
    if "to" not in event.names:
        return [] if any(envelope[name] is not None for name in event.names) else [_points_nowhere(event)]
    may = _answerers(catalog, event.type) - {speaker}
    if any(address.partition("/")[0] in may for address in envelope["to"]):
        return []
    return [
        Problem(
            "bad-body",
            "/data/envelope/to",
            f"{event.type} ({event.title_zh}) goes to nobody who could answer it",
            found=", ".join(envelope["to"])[:80] or "nobody",
            expected="one of " + ", ".join(sorted(may)),
            remedy="name in data.envelope.to whom it goes to",
        )
    ]


def senseless(schema: EventSchema, data: Mapping[str, Any]) -> list[Problem]:
    """Suspects listed twice under one reference, charges of unlisted suspects, articles misspelt."""
    return list(_senseless(schema, data))


def _senseless(schema: EventSchema, data: Mapping[str, Any]) -> Iterator[Problem]:
    listed: set[str] = set()
    for index, suspect in enumerate(data.get("suspects") or ()):
        if suspect["ref"] in listed:
            yield _twice(f"/data/suspects/{index}/ref", suspect["ref"])
        listed.add(suspect["ref"])
    # A correction may speak of suspects whom the corrected event lists, a question of those of the chain.
    corrects = data["envelope"]["corrects"] is not None
    unlisted_are_known = not listed and (corrects or "suspects" not in data)
    for name, charges in _about_suspects(schema):
        for index, entry in enumerate(data[name] or ()):
            who = entry["suspect"]
            if who is not None and who not in listed and not unlisted_are_known:
                yield _nobody(f"/data/{name}/{index}/suspect", who, listed)
            if charges and _ARTICLE.fullmatch(entry["article"]) is None:
                yield _no_article(f"/data/{name}/{index}/article", entry["article"])


@lru_cache(maxsize=1024)
def _about_suspects(schema: EventSchema) -> tuple[tuple[str, bool], ...]:
    """The lists of a type whose entries each name a suspect, and whether they charge him with something."""
    found = []
    for field in schema.schema["fields"]:
        type = field["type"]
        items = type.get("items") if isinstance(type, dict) else None
        record = schema.definitions.get(items, {}) if isinstance(items, str) else items or {}
        if any(inner["name"] == "suspect" for inner in record.get("fields", ())):
            found.append((field["name"], record["name"] in _CHARGES))
    return tuple(found)


@lru_cache(maxsize=1024)
def _answerers(catalog: Catalog, type: str) -> frozenset[str]:
    """Who may say what answers this type; of a type that nothing answers, all members."""
    found = [event.speakers for event in catalog.types.values() if type in event.answers]
    return frozenset[str]().union(*found) if found else frozenset(catalog.members.all)


def _points_nowhere(event: EventType) -> Problem:
    return Problem(
        "bad-body",
        f"/data/envelope/{event.names[0]}",
        f"{event.type} ({event.title_zh}) names no earlier event",
        found="null",
        expected=f"the digest of an event of one's own in {' or '.join(event.names)}",
        remedy="`casebus case` shows the digests of the events of a case",
    )


def _twice(pointer: str, ref: str) -> Problem:
    return Problem(
        "bad-body",
        pointer,
        "two suspects under one reference",
        found=ref[:40],
        expected="a reference of its own for each suspect, such as S1, S2",
    )


def _nobody(pointer: str, ref: str, listed: set[str]) -> Problem:
    return Problem(
        "bad-body",
        pointer,
        "of a suspect whom the event does not list",
        found=ref[:40],
        expected="one of " + ", ".join(sorted(listed)[:10]) if listed else "a suspect of data.suspects",
        remedy="list the suspect in data.suspects, or correct the reference",
    )


def _no_article(pointer: str, article: str) -> Problem:
    crime = crime_called(article.strip())
    if crime is not None:
        return Problem(
            "bad-body",
            pointer,
            "a number of a police code table in place of the article",
            found=f"{article[:40]} ({crime.title.zh})",
            expected=f"the article of the Criminal Law: {crime.article}",
            remedy=f"write {crime.article}: charges are compared by it",
        )
    return Problem(
        "bad-body",
        pointer,
        "not an article of the Criminal Law as the bus writes it",
        found=article[:40],
        expected="its number, as in 182, 180(4), 169-1 or 185-1(1)",
        remedy="write 第一百八十二条 as 182: charges are compared by it",
    )
