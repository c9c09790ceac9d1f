"""What stands inside the sealed zone: personal facts as JSON, by personal.1.avsc beside this file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from casebus_schemas.admission.resident_ids import is_credit_code, is_resident_id
from casebus_schemas.catalogue.avro_files import inlined_file
from casebus_schemas.catalogue.limits import Limits, limits_of
from casebus_schemas.catalogue.schema_tree import definitions
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.json_form import DoorProblem, Read, reader_of, together, written
from casebus_schemas.wire.json_text import canonical

VERSION = 1
_PLACE = "/data/sealed"
_SHAPES = {"resident_id": is_resident_id, "credit_code": is_credit_code}
"""Numbers whose last place checks the others."""


def read_personal(given: object, refs: Iterable[str] | None = None) -> dict[str, Any]:
    """Personal facts of the door, as JSON with every field written.

    `refs` are the references of the suspects whom the event lists, None where it lists none. Raises
    DoorProblem that carries all that is wrong, each with its pointer; it repeats nothing of what it found.
    """
    form = _form()
    if isinstance(given, dict):
        given = {"version": VERSION, **given}
    try:
        data = form.read(given, _PLACE)
    except DoorProblem as problem:
        raise together([_unsaid(one) for one in problem.every]) from None
    problems = [
        DoorProblem(
            f"{_PLACE}{excess.pointer}",
            f"more {excess.what} than one event may have",
            found=f"{excess.found:,} {excess.what}",
            expected=f"at most {excess.limit:,}",
        )
        for excess in form.limits.exceeded(data)
    ]
    problems += _problems(data, None if refs is None else set(refs))
    if problems:
        raise together(problems)
    return dict(written(form.schema, data, form.named))


def content_of(personal: Mapping[str, Any]) -> bytes:
    """The JSON that is sealed: canonical, in UTF-8."""
    return canonical(personal)


def personal_of(content: bytes) -> dict[str, Any]:
    """The personal facts in opened content. Raises UsageError if they cannot be read."""
    try:
        given = json.loads(content)
    except ValueError as error:
        raise UsageError("sealed content is no JSON", expected="personal facts") from error
    return read_personal(given)


@dataclass(frozen=True)
class _Form:
    schema: dict[str, Any]
    named: Mapping[str, Any]
    read: Read
    limits: Limits


@cache
def _form() -> _Form:
    text = (files("casebus_schemas.sealed") / f"personal.{VERSION}.avsc").read_text(encoding="utf-8")
    schema = json.loads(text)
    whole = inlined_file(schema, left_out=frozenset())
    named = definitions(whole)
    return _Form(whole, named, reader_of(whole, named), limits_of(whole))


def _problems(data: Mapping[str, Any], refs: set[str] | None) -> Iterable[DoorProblem]:
    if data["version"] != VERSION:
        yield DoorProblem(f"{_PLACE}/version", "an unknown version of personal facts", expected=VERSION)
    seen: set[str] = set()
    for number, person in enumerate(data["persons"]):
        at = f"{_PLACE}/persons/{number}"
        ref = person["ref"]
        if ref in seen:
            yield DoorProblem(f"{at}/ref", "a person twice", expected="each reference once")
        elif refs is not None and ref not in refs:
            expected = "a reference that data/suspects lists"
            yield DoorProblem(f"{at}/ref", "a person whom the event does not list", expected=expected)
        seen.add(ref)
        for index, document in enumerate(person["documents"]):
            fits = _SHAPES.get(document["kind"])
            if fits is not None and not fits(document["number"]):
                expected = "18 characters, the last of which checks the others"
                yield DoorProblem(
                    f"{at}/documents/{index}/number", "no such identity number", expected=expected
                )
    if not data["persons"] and data["notes"] is None:
        yield DoorProblem(_PLACE, "nothing to be sealed", expected="persons or notes, or null")


def _unsaid(problem: DoorProblem) -> DoorProblem:
    """The same without what was found: an error of the door may be logged or mailed."""
    message = problem.message.removeprefix(f"{problem.pointer or '/'}: ")
    return DoorProblem(problem.pointer, message, expected=problem.expected, remedy=problem.remedy)
