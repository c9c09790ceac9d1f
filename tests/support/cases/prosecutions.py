"""Played outcome events without personal data that give the press figures of September 2022."""

from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

_NAMES = UUID("00000000-0000-5000-8000-000000000376")

HALVES = ((date(2021, 1, 1), 181, 76), (date(2021, 7, 1), 184, 153), (date(2022, 1, 1), 181, 147))
"""First day, days, and persons prosecuted for securities crimes: 76 + 153 + 147 = 376."""

_ARTICLES = ("182", "180(1)", "161", "180(4)", "179", "160", "169-1", "181(1)")
_UNITS = ("spp/base-beijing", "spp/base-shanghai", "spp/base-shenzhen", "spp/base-qingdao", "spp/zhejiang")
_SIZES = (1, 3, 2, 5, 1, 4)
"""Persons in one indictment, over and over."""


def played() -> Iterator[dict[str, Any]]:
    """Events of the door, each about one chain; the same at every call.

    Beside the persons counted: companies, persons charged with laundering alone, and six with manipulation of
    a futures market, who are in the wider scope only.
    """
    number = 0
    for first, days, wanted in HALVES:
        left = wanted
        while left:
            number += 1
            count = min(left, _SIZES[number % len(_SIZES)])
            left -= count
            day = first + timedelta(days=(number * 37) % days)
            article = _ARTICLES[number % len(_ARTICLES)]
            people = [person(f"{number}.{i}") for i in range(1, count + 1)]
            charges = [(i, article) for i in range(1, count + 1)]
            if number % 9 == 0:
                people.append(person(f"{number}.company", kind="legal"))
                charges.append((len(people), article))
            if number % 11 == 0:
                people.append(person(f"{number}.launderer"))
                charges.append((len(people), "191"))
            if number % 7 == 0:
                charges.append((1, "191"))
            yield indictment(str(number), day, people, charges, unit=_UNITS[number % len(_UNITS)])
        people = [person(f"futures.{first}.{i}") for i in (1, 2)]
        yield indictment(
            f"futures-{first}", first + timedelta(days=90), people, [(1, "182"), (2, "182")], market="CFFEX"
        )


def person(name: str, *, kind: str = "natural") -> dict[str, Any]:
    """A suspect with a match token and no name; his reference is given by his place in the indictment."""
    return {"kind": kind, "name": None, "tokens": [sha256(f"played person {name}".encode()).hexdigest()]}


def indictment(
    number: str,
    day: date,
    people: list[dict[str, Any]],
    charges: list[tuple[int, str]],
    *,
    unit: str = "spp/zhejiang",
    market: str = "SSE",
    message: str | None = None,
    type: str = "outcome.prosecuted",
    **envelope: Any,
) -> dict[str, Any]:
    """An indictment, or what changes one, in that matter; `charges` are (place of a person, article)."""
    message = message or f"played-{number}"
    return {
        "specversion": "1.0",
        "type": type,
        "source": f"/{unit}",
        "id": str(uuid5(_NAMES, message)),
        "time": f"{day.isoformat()}T00:00:00+08:00",
        "subject": None,
        "data": {
            "envelope": {
                "message_class": "initial",
                "to": ["court"],
                "cc": ["mps", "csrc"],
                "local_refs": [{"issuer": "spp", "scheme": "case", "value": f"played-{number}"}],
                "precision": "day",
                "date_basis": "assumed",
                "handling": "H1",
                "message_no": message,
                **envelope,
            },
            "security": {"market": market, "code": None, "name": None},
            "suspects": [{"ref": f"S{place}", "role": None, **who} for place, who in enumerate(people, 1)],
            "charges": [{"suspect": f"S{place}", "article": article} for place, article in charges],
        },
    }
