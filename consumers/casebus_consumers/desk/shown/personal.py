"""What is sealed in a case for this agency: opened with its own keys once an officer has given a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casebus_consumers.liaison.case_sealed import sealed_in
from casebus_producers.sealing.opener import Opener
from casebus_schemas.case.chain import ChainEvent

from .labels import label_of, plain_text

if TYPE_CHECKING:
    from casebus_consumers.desk.asked import Asked


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """The sealed part of one event: in which state it is, for whom, and its facts where they are opened."""

    title: str
    state: str
    readers: Sequence[str]
    facts: Sequence[tuple[str, str]]


def personal_of(asked: "Asked", events: Sequence[ChainEvent], opened: bool) -> list[SealedEvent]:
    """Of each event with a sealed part; without a reason only that it is there."""
    w, desk = asked.words, asked.desk
    having = [event for event in events if event.data.get("sealed") is not None]
    if not having:
        return []
    if not opened:
        return [SealedEvent(w.title(event.type), w("case.sealed_closed"), [], []) for event in having]
    lines = [{"event": event.digest.hex()} for event in having]
    found = sealed_in(having, lines, Opener(desk.settings, desk.catalog), desk.catalog)
    return [
        SealedEvent(
            w.title(one["type"]),
            w(f"case.sealed_{one['state']}"),
            [w.agency(name) for name in one.get("for", ())],
            list(_facts(one.get("personal") or {}, w)),
        )
        for one in found
    ]


def _facts(personal: Mapping[str, Any], w: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for person in personal.get("persons", ()):
        for name, value in person.items():
            if value not in (None, [], "", {}):
                found.append((label_of(name, None, w), _text(value, w)))
    if personal.get("notes"):
        found.append((label_of("notes", None, w), str(personal["notes"])))
    return found


def _text(value: Any, w: Any) -> str:
    if isinstance(value, list):
        return w.listed([_text(one, w) for one in value])  # type: ignore[no-any-return]
    if isinstance(value, Mapping):
        return " ".join(_text(one, w) for one in value.values() if one not in (None, [], ""))
    return plain_text(value, w)
