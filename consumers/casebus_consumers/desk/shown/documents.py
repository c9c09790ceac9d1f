"""The documents of a case as an officer reads them: called by their titles, with what ails a missing one."""

from collections.abc import Sequence
from dataclasses import dataclass

from casebus_consumers.case_documents import STATES, Document, size_text
from casebus_consumers.desk.masking import masked_text
from casebus_consumers.desk.words import Words
from casebus_schemas.texts.symbols import ANNEX_KINDS, word

_SHADES = {"missing": "warning", "infected": "danger"}


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A line of the list; `sha256` where its file can be had here."""

    title: str
    kind: str
    speaker: str
    size: str
    state: str
    shade: str
    problem: str
    event: str
    sha256: str | None


def shown_documents(documents: Sequence[Document], w: Words, *, open: bool) -> list[ShownDocument]:
    """In the order of their events; long numbers in titles masked unless the case's data are opened."""
    return [
        ShownDocument(
            one.title if open else masked_text(one.title),
            w.say(word(ANNEX_KINDS, one.kind)),
            w.agency(one.speaker),
            size_text(one.size),
            w.say(STATES[one.state]),
            _SHADES.get(one.state, "quiet"),
            one.problem or "",
            one.event,
            one.sha256 if one.state == "stored" else None,
        )
        for one in documents
    ]
