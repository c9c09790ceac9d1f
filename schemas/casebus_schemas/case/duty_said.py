"""A duty as the bus enters, announces and shows it: one value for tables, events and screens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from casebus_schemas.agencies import MEMBERS
from casebus_schemas.frozen import quickly_made
from casebus_schemas.law import Answer, Reading, State
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import is_verified
from casebus_schemas.law.terms import latest_possible
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.uuids import uuid_text

from .chain import Digest


class Rung(NamedTuple):
    """A step of a duty's ladder: its latest end, and the approval without which it is not in force."""

    step: str
    due_latest: datetime
    needs: str | None


@quickly_made
@dataclass(frozen=True, slots=True)
class Duty:
    """Who owes what to whom until when, and how that stood when it was said (docs/records.md 5).

    `readings` are those of the highest rung in force. `told` were told of the event that started it,
    `answer_told` of the one that meets it; `handling` is the higher level of the two.
    """

    id: UUID
    rule: str
    chain: str
    owed_by: str
    owed_to: tuple[str, ...]
    duty: tuple[str, ...]
    cause: Digest
    started_at: datetime
    readings: tuple[Reading, ...]
    ladder: tuple[Rung, ...]
    state: State
    met: Answer | None
    right: bool = False
    suspect: str | None = None
    number: int = 1
    awaits_receipt: bool = False
    waits_until: datetime | None = None
    stands_since: datetime | None = None
    told: frozenset[str] = frozenset()
    answer_told: frozenset[str] = frozenset()
    handling: str = "H1"

    @property
    def due_earliest(self) -> datetime:
        """The smallest admissible reading."""
        return min([reading.due for reading in self.readings])

    @property
    def due_latest(self) -> datetime:
        """The largest admissible reading."""
        return max([reading.due for reading in self.readings])

    @property
    def parties(self) -> tuple[str, ...]:
        """Who owes and who is owed, of those who take part in the bus, in a fixed order."""
        concerned = {self.owed_by, *self.owed_to}
        return tuple(sorted(name for name in concerned if name.partition("/")[0] in MEMBERS))

    def to_json(self) -> dict[str, Any]:
        """The obligation as in records.md 5."""
        return with_latest(self._body())

    def _body(self) -> dict[str, Any]:
        met = self.met
        return {
            "id": uuid_text(self.id),
            "rule": self.rule,
            "chain": self.chain,
            "owed_by": self.owed_by,
            "owed_to": list(self.owed_to),
            "duty": list(self.duty),
            "cause": self.cause.hex(),
            "started_at": beijing_text(self.started_at),
            "due_earliest": beijing_text(self.due_earliest),
            "due_latest": beijing_text(self.due_latest),
            "readings": [
                {
                    "name": reading.name,
                    "due": beijing_text(reading.due),
                    "why": reading.why.to_json(),
                    "provisional": reading.provisional,
                }
                for reading in self.readings
            ],
            "ladder": [
                {"step": rung.step, "due_latest": beijing_text(rung.due_latest), "needs": rung.needs}
                for rung in self.ladder
            ],
            "state": self.state,
            "met": met and {"by_claim": beijing_text(met.by_claim), "provably": beijing_text(met.provably)},
            "right": self.right,
            "suspect": self.suspect,
            "number": self.number,
            "awaits_receipt": self.awaits_receipt,
            "waits_until": self.waits_until and beijing_text(self.waits_until),
            "stands_since": self.stands_since and beijing_text(self.stands_since),
        }

    def to_row(self) -> dict[str, Any]:
        """The same, and under `sight` who may see what of it: for the bus's own tables."""
        sight = {
            "told": sorted(self.told),
            "answer_told": sorted(self.answer_told),
            "handling": self.handling,
        }
        return {**self._body(), "sight": sight}

    @classmethod
    def of_row(cls, body: Mapping[str, Any]) -> "Duty":
        """Reads what `to_row` wrote."""
        time, met = datetime.fromisoformat, body["met"]
        return cls(
            id=UUID(body["id"]),
            rule=body["rule"],
            chain=body["chain"],
            owed_by=body["owed_by"],
            owed_to=tuple(body["owed_to"]),
            duty=tuple(body["duty"]),
            cause=bytes.fromhex(body["cause"]),
            started_at=time(body["started_at"]),
            readings=tuple(
                Reading(r["name"], time(r["due"]), Sentence(**r["why"]), r["provisional"])
                for r in body["readings"]
            ),
            ladder=tuple(Rung(r["step"], time(r["due_latest"]), r["needs"]) for r in body["ladder"]),
            state=body["state"],
            met=met and Answer(time(met["by_claim"]), time(met["provably"])),
            right=body["right"],
            suspect=body["suspect"],
            number=body["number"],
            awaits_receipt=body["awaits_receipt"],
            waits_until=body["waits_until"] and time(body["waits_until"]),
            stands_since=body["stands_since"] and time(body["stands_since"]),
            told=frozenset(body["sight"]["told"]),
            answer_told=frozenset(body["sight"]["answer_told"]),
            handling=body["sight"]["handling"],
        )


def with_latest(body: Mapping[str, Any]) -> dict[str, Any]:
    """An obligation as it is stored or announced, with how late each reading and all of them may end.

    And with whether its limit was verified in a text of the law.

    Without readings, which a schema allows, what it says of the latest end stands.
    """
    readings = []
    for reading in body["readings"]:
        latest = latest_possible(datetime.fromisoformat(reading["due"]), provisional=reading["provisional"])
        readings.append({**reading, "latest_possible": beijing_text(latest)})
    over = max((reading["latest_possible"] for reading in readings), default=body["due_latest"])
    found = {}
    for name, value in body.items():
        found[name] = readings if name == "readings" else value
        if name == "due_latest":
            found["latest_possible"] = over
    if "rule" in body and "started_at" in body:
        found["verified"] = is_verified(body["rule"], beijing_day(datetime.fromisoformat(body["started_at"])))
    return found
