"""What an event says in words, what it is about, and what a correction changes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from casebus_schemas.case.chain import ChainEvent

TEXTS = {
    "explanation": "说明",
    "reasons": "理由",
    "question": "问题",
    "opinion": "意见",
    "dissent": "不同意见",
    "grounds": "根据",
    "agreed": "商定",
    "outcome": "结果",
    "note": "备注",
}
"""Fields in which an officer writes to another, and what they are called in Chinese."""
ABOUT = {"in_reply_to": "答复", "corrects": "更正", "withdraws": "撤回"}
"""Members of the envelope that name another event, and what that means in Chinese."""
MATTERS = {"merged": "被并案件", "into": "并入", "matter": "所涉案件"}
"""Fields that name other matters by chain or number, and what they are called in Chinese."""
_NOT_FACTS = frozenset({"sealed", "officer", "annexes", *TEXTS})
_MOST = 200
"""Characters of a value that are shown."""


def texts_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What its officers wrote: field and text."""
    for name in TEXTS:
        if isinstance(said := data.get(name), str) and said.strip():
            yield name, said


def targets_of(envelope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Which events it answers, corrects or withdraws: member of the envelope, and id or digest."""
    for name in ABOUT:
        if (target := envelope.get(name)) is not None:
            yield name, target.hex() if isinstance(target, bytes) else str(target)


def matters_of(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Which other matters it names: field, and their numbers and chains."""
    for name in MATTERS:
        named = data.get(name) or ()
        if text := "; ".join(map(_matter, [named] if isinstance(named, Mapping) else named)):
            yield name, text


def _matter(of: Mapping[str, Any]) -> str:
    number = "" if of["ref"] is None else f"{of['ref']['issuer']} {of['ref']['value']}"
    return "  ".join(part for part in (number, "" if of["chain"] is None else str(of["chain"])) if part)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts that a correction states otherwise: field, what was said, what is said now."""
    return [
        {"field": name, "was": _plain(old.get(name)), "is": _plain(value)}
        for name, value in new.items()
        if name not in _NOT_FACTS and value not in (None, [], ()) and value != old.get(name)
    ]


def in_words(events: Sequence[ChainEvent], shown: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a case's events, each with its texts, its targets and what it changes."""
    by_digest = {event.digest.hex(): event for event in events}
    visible = {line["event"] for line in shown}
    found = []
    for line in shown:
        event = by_digest.get(line["event"])
        if event is None:
            found.append(dict(line))
            continue
        targets = dict(targets_of(event.envelope))
        before = by_digest.get(targets.get("corrects", ""))
        known = before is not None and before.digest.hex() in visible
        found.append(
            {
                **line,
                "about": targets,
                "texts": dict(texts_of(event.data)),
                "matters": dict(matters_of(event.data)),
                "changes": changes(before.data, event.data) if before is not None and known else [],
            }
        )
    return found


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = (f"{name} {_plain(item)}" for name, item in value.items() if item not in (None, [], ""))
        return ", ".join(parts)[:_MOST]
    if isinstance(value, (list, tuple)):
        return "; ".join(map(_plain, value))[:_MOST]
    return "–" if value is None else str(value)[:_MOST]
