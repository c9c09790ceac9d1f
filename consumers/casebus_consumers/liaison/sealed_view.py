"""What was sealed, as an officer reads it: marked as such, with every personal fact in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from casebus_producers.sealing.opener import Opened
from casebus_schemas.texts.symbols import agency as called

MARK = "密封 SEALED"
_KINDS = {
    "resident_id": "居民身份证 resident identity number",
    "passport": "护照 passport",
    "travel_permit": "通行证 travel permit",
    "residence_permit": "居留证 residence permit",
    "credit_code": "统一社会信用代码 credit code",
    "other": "其他证件 other document",
}


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
            yield f"{person['ref']}  {_KINDS[document['kind']]} {document['number']}{issuer}"
        for what, values in (("住址 address", person["addresses"]), ("联系方式 contact", person["contacts"])):
            for value in values:
                yield f"{person['ref']}  {what} {value}"
        if person["notes"]:
            yield f"{person['ref']}  备注 notes {person['notes']}"
    if personal.get("notes"):
        yield f"备注 notes {personal['notes']}"
