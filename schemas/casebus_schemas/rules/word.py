"""What an agency says to a finding: who handles it, an explanation, that it is accepted, settled or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest, as_uuid
from casebus_schemas.times import beijing_text

Said = Literal["assigned", "explained", "corrected", "accepted", "settled", "reopened"]
ASSIGNED: Said = "assigned"
"""The one word that answers nothing: it stands beside its agency's answer, and takes its place never."""

_SAID: Mapping[str, Said] = {
    "finding.assigned": "assigned",
    "finding.explained": "explained",
    "finding.corrected": "corrected",
    "finding.accepted": "accepted",
    "finding.settled": "settled",
    "finding.reopened": "reopened",
}
_TEXT: Mapping[Said, str] = {"explained": "explanation", "assigned": "unit"}
"""The field that holds what is said; `reasons` where nothing else is."""


@dataclass(frozen=True, slots=True)
class Word:
    """One agency's word on a finding; `at` is when the bus had it, `told` who may read the text."""

    agency: str
    said: Said
    at: datetime
    text: str | None
    event: Digest
    told: frozenset[str]

    def to_json(self) -> dict[str, Any]:
        """As a finding shows it."""
        return {
            "agency": self.agency,
            "said": self.said,
            "at": beijing_text(self.at),
            "text": self.text,
            "event": self.event.hex(),
        }

    @classmethod
    def of_json(cls, body: Mapping[str, Any], told: Iterable[str]) -> "Word":
        """Reads what `to_json` wrote."""
        at = datetime.fromisoformat(body["at"])
        event = bytes.fromhex(body["event"])
        return cls(body["agency"], body["said"], at, body["text"], event, frozenset(told))

    def seen_by(self, agency: str) -> "Word":
        """The word as an agency may see it: without the text if it was not told of it."""
        return self if agency in self.told or self.text is None else replace(self, text=None)


def finding_spoken_of(event: ChainEvent) -> UUID | None:
    """The finding that an event is a word on; None if it is none."""
    return as_uuid(event.data.get("finding")) if event.type in _SAID else None


def word_of(event: ChainEvent) -> Word:
    """The word that the event is."""
    said = _SAID[event.type]
    text = event.data.get(_TEXT.get(said, "reasons"))
    return Word(
        event.agency,
        said,
        event.last_said_at,
        None if text is None else str(text),
        event.digest,
        event.audience,
    )


class Words:
    """What agencies said to one finding: of each its last answer, and its last word on who handles it."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, bool], Word] = {}

    def add(self, word: Word) -> None:
        """Takes a word; the last counts, as the bus had it."""
        place = (word.agency, word.said == ASSIGNED)
        known = self._of.get(place)
        if known is None or (known.at, known.event) < (word.at, word.event):
            self._of[place] = word

    def all(self) -> Iterable[Word]:
        """The words that count."""
        return self._of.values()
