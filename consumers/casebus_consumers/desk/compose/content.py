"""One event in the making: addressees, what it answers, its facts as typed, and the event that it means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from casebus_schemas.errors import UsageError
from casebus_schemas.times import BEIJING, beijing_text, in_beijing, read_day, read_time, to_moment, utc_text

from .entered import Tree, empty, entered, is_blank, said, tidied
from .specs import Spec, envelope_list, personal_specs, specs_of

_PAIR = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ([0-9a-f]{64})")
_TEXTS = ("units", "day", "clock", "basis", "handling", "answers", "corrects", "withdraws", "obligation")
LISTS = ("local_refs", "legal_basis")
HEAD, FACTS, PERSONAL = "/data/envelope", "/data", "/data/sealed"
"""Where the three parts of a form stand in the event: beginnings of pointers."""


@dataclass(slots=True)
class Head:
    """The envelope as a form asks for it.

    `to` and `cc` are agencies, `units` further addressees one a line; `answers` is id and digest of the event
    that is answered, with a blank between; `day` and `clock` are Beijing time, without a day it is now.
    """

    to: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)
    units: str = ""
    day: str = ""
    clock: str = ""
    basis: str = "stated"
    handling: str = ""
    answers: str = ""
    corrects: str = ""
    withdraws: str = ""
    obligation: str = ""
    local_refs: list[Tree] = field(default_factory=list)
    legal_basis: list[Tree] = field(default_factory=list)

    @property
    def answered(self) -> tuple[str, str] | None:
        """Id and digest of the event that is answered."""
        found = _PAIR.fullmatch(self.answers)
        return None if found is None else (found[1], found[2])

    def to_json(self) -> dict[str, Any]:
        """To be kept."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Content:
    """What stands in a draft. `subject` is the chain, None where it is still to be found or minted."""

    type: str
    subject: str | None
    id: str
    head: Head
    facts: Tree
    personal: Tree

    @classmethod
    def new(cls, type: str, subject: str | None) -> "Content":
        """A blank form."""
        return cls(type, subject, str(uuid4()), Head(), empty(specs_of(type)), empty(personal_specs()))

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Content":
        """As it was kept."""
        return cls(**{**body, "head": Head(**body["head"])})

    def to_json(self) -> dict[str, Any]:
        """To be kept."""
        names = ("type", "subject", "id", "facts", "personal")
        return {**{name: getattr(self, name) for name in names}, "head": self.head.to_json()}

    def tidy(self) -> None:
        """Takes out rows into which nothing was typed."""
        self.facts = tidied(specs_of(self.type), self.facts)
        self.personal = tidied(personal_specs(), self.personal)
        for name in LISTS:
            specs = envelope_list(name).fields
            rows = [tidied(specs, row) for row in getattr(self.head, name)]
            setattr(self.head, name, [row for row in rows if not _blank(specs, row)])

    def take(self, form: Mapping[str, str], agencies: Sequence[str]) -> None:
        """Takes over what a form says; `agencies` are those that it offers as addressees."""
        self.facts = entered(specs_of(self.type), form, FACTS)
        self.personal = entered(personal_specs(), form, PERSONAL)
        head = self.head
        for name in _TEXTS:
            setattr(head, name, form.get(f"{HEAD}/{name}", "").replace("\r\n", "\n").strip())
        head.to = [one for one in agencies if form.get(f"{HEAD}/to/{one}")]
        head.cc = [one for one in agencies if form.get(f"{HEAD}/cc/{one}") and one not in head.to]
        for name in LISTS:
            setattr(head, name, entered([envelope_list(name)], form, HEAD)[name])

    def event(self, agency: str, now: datetime) -> dict[str, Any]:
        """The event of the door that it means; what is blank is left out, so that a reader misses it."""
        time, precision = self._time(now)
        head = self.head
        envelope: dict[str, Any] = {
            "message_class": "response" if head.answered else "initial",
            "to": [*head.to, *_lines(head.units)],
            "cc": list(head.cc),
            "local_refs": [said(envelope_list("local_refs").fields, row) for row in head.local_refs],
            "precision": precision,
            "date_basis": head.basis,
            "legal_basis": [said(envelope_list("legal_basis").fields, row) for row in head.legal_basis],
        }
        if head.answered is not None:
            envelope["in_reply_to"], envelope["in_reply_to_hash"] = head.answered
        for name in ("corrects", "withdraws", "obligation", "handling"):
            if value := getattr(head, name):
                envelope[name] = value
        data = {"envelope": envelope, **said(specs_of(self.type), self.facts)}
        if not _blank(personal_specs(), self.personal):
            data["sealed"] = said(personal_specs(), self.personal)
        return {
            "specversion": "1.0",
            "type": self.type,
            "source": f"/{agency}",
            "id": self.id,
            "time": time,
            "subject": self.subject,
            "data": data,
        }

    def set_time(self, moment: datetime) -> None:
        """Writes a time into the form, for an event whose time is that of its saying."""
        local = in_beijing(moment)
        self.head.day, self.head.clock = f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}"

    def _time(self, now: datetime) -> tuple[str, str]:
        head = self.head
        if not head.day:
            return utc_text(to_moment(now) // 1000 * 1000), "second"
        try:
            day = read_day(head.day)
            if not head.clock:
                return beijing_text(datetime(day.year, day.month, day.day, tzinfo=BEIJING)), "day"
            return beijing_text(read_time(f"{day.isoformat()}T{head.clock}")), "second"
        except (UsageError, ValueError, OverflowError):
            return f"{head.day} {head.clock}".strip(), "second"


def _blank(specs: Sequence[Spec], tree: Tree) -> bool:
    return all(is_blank(one, tree[one.name]) for one in specs)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
