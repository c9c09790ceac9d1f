"""What was sealed, as an officer reads it: marked as such, with every personal fact in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from casebus_producers.sealing.opener import Opened
from casebus_schemas.texts.symbols import agency as called
from casebus_schemas.texts.symbols import shown, symbols

MARK = "密封 SEALED"


def sealed_lines(opened: Opened) -> list[str]:
    """Lines that say for whom it is sealed and, where it opened, each fact; all of them behind the mark."""
    readers = "、".join(called(reader).zh for reader in opened.readers) or "?"
    head = f"{MARK}  {opened.words.zh} {opened.words.en}  → {readers}"
    return [head, *(f"{MARK}  {line}" for line in _facts(opened.personal or {}))]


def _facts(personal: Mapping[str, Any]) -> Iterator[str]:
    for person in personal.get("persons", ()):
        names = "、".join((person["name"] or "–", *person["former_names"]))
        born = f"   生于 born {person['born_on']}" if person["born_on"] else ""
        yield f"{person['ref']}  {names}{born}"
        for document in person["documents"]:
            issuer = f" ({document['issuer']})" if document["issuer"] else ""
            kind = shown(symbols()["IdentityKind"], document["kind"])
            yield f"{person['ref']}  {kind} {document['number']}{issuer}"
        for what, values in (("住址 address", person["addresses"]), ("联系方式 contact", person["contacts"])):
            for value in values:
                yield f"{person['ref']}  {what} {value}"
        if person["notes"]:
            yield f"{person['ref']}  备注 notes {person['notes']}"
    if personal.get("notes"):
        yield f"备注 notes {personal['notes']}"
