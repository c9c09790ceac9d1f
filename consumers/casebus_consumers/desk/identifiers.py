"""By what an event and its case can be found: every number, name and code that it says."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from casebus_schemas.case.chain import ChainEvent

KINDS = ("chain", "event", "digest", "reference", "document", "suspect", "security", "token")
"""Chain id, event id, digest of an event, case number, number of a document, name of a suspect, code or name
of a security, match token of a person."""
_NUMBER = re.compile(r"(?:.*_)?nos?\Z|number\Z")
"""Fields that hold numbers of documents and cases: `document_no`, `court_nos`, `number`."""
_SPACE = re.compile(r"\s+")
_LONGEST = 200


class Identifier(NamedTuple):
    """One of them: `plain` as it is looked for, `shown` as it was said; `digest` None for the whole case."""

    plain: str
    kind: str
    digest: str | None
    shown: str


def plain(text: str) -> str:
    """A text without what people write in several ways: width, case, spaces."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text).casefold())[:_LONGEST]


def of_chain(chain: str, events: list[ChainEvent]) -> list[Identifier]:
    """Those of a case: its numbers, parties and securities once, what is an event's own with its digest."""
    found = {_identifier("chain", None, chain): None}
    for event in events:
        found.update(dict.fromkeys(_of_event(event)))
    return list(found)


def _of_event(event: ChainEvent) -> Iterator[Identifier]:
    digest = event.digest.hex()
    yield _identifier("event", digest, str(event.id))
    yield _identifier("digest", digest, digest)
    for reference in event.envelope.get("local_refs") or ():
        yield _identifier("reference", None, str(reference["value"]))
    if number := event.envelope.get("message_no"):
        yield _identifier("document", digest, str(number))
    for number in _numbers(event.data):
        yield _identifier("document", digest, number)
    for suspect in event.data.get("suspects") or ():
        if suspect.get("name"):
            yield _identifier("suspect", None, str(suspect["name"]))
        for token in suspect.get("tokens") or ():
            yield _identifier("token", None, token.hex() if isinstance(token, bytes) else str(token))
    security = event.data.get("security") or {}
    for name in ("code", "name"):
        if security.get(name):
            yield _identifier("security", None, str(security[name]))


def _identifier(kind: str, digest: str | None, text: str) -> Identifier:
    return Identifier(plain(text), kind, digest, text[:_LONGEST])


def _numbers(value: Any, name: str = "") -> Iterator[str]:
    """Texts of fields that hold numbers, at any depth."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _numbers(member, str(key))
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _numbers(member, name)
    elif isinstance(value, str) and value and _NUMBER.match(name):
        yield value
