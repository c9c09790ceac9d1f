"""The chain of an event whose sender names none."""

from typing import Any
from uuid import UUID

from casebus_schemas.case.placing import Placing, Reference, chain_of

CHAIN, OTHER = str(UUID(int=7)), str(UUID(int=8))


def _envelope(*values: str, replies: UUID | None = None) -> dict[str, Any]:
    refs = [{"issuer": "csrc", "scheme": "case", "value": value} for value in values]
    return {"local_refs": refs, "in_reply_to": replies}


def test_an_answer_stands_with_what_it_answers() -> None:
    """What is answered outranks every reference, and a chain that is given outranks both."""
    placing = Placing(b"secret")
    placing.place(UUID(int=1), CHAIN, _envelope("A"), "/csrc/office")
    placing.place(UUID(int=2), OTHER, _envelope("B"), "/csrc/office")
    assert (
        placing.place(UUID(int=3), None, _envelope("B", replies=UUID(int=1)), "/csrc/office").chain == CHAIN
    )
    assert (
        placing.place(UUID(int=4), OTHER, _envelope("A", replies=UUID(int=1)), "/csrc/office").chain == OTHER
    )


def test_the_first_known_reference_decides() -> None:
    """References are known under one spelling; the first event to name one keeps it."""
    placing = Placing(b"secret")
    first = placing.place(UUID(int=1), None, _envelope("沪证监〔2016〕7号", "B"), "/csrc/office")
    again = placing.place(UUID(int=2), None, _envelope("unknown", "沪证监(2016) 7号"), "/csrc/office")
    later = placing.place(UUID(int=3), None, _envelope("unknown"), "/csrc/office")
    assert first == again == later
    assert first.provisional


def test_without_anything_each_event_is_a_case_of_its_own() -> None:
    """Events that nothing ties together do not fall into one chain."""
    placing = Placing(b"secret")
    assert placing.place(UUID(int=1), None, _envelope(), "/csrc/office") != placing.place(
        UUID(int=2), None, _envelope(), "/csrc/office"
    )


def test_an_agency_mints_from_the_first_reference() -> None:
    """Nothing known: the first reference mints; no reference: there is no chain."""
    references = [Reference("csrc", "case", "A"), Reference("csrc", "case", "B")]
    asked: list[Reference] = []

    def known(reference: Reference) -> str | None:
        asked.append(reference)
        return None

    assert chain_of(references, answered=None, known=known, mint=lambda one: one.value) == "A"
    assert asked == references
    assert chain_of([], answered=None, known=known, mint=lambda one: one.value) is None
    assert chain_of(references, answered=CHAIN, known=known, mint=lambda one: one.value) == CHAIN


def test_e5_the_office_is_part_of_a_reference() -> None:
    """Two offices have one number each for itself; a third agency that names no office means the only one."""
    placing = Placing(b"secret")
    one = placing.place(UUID(int=1), None, _envelope("7"), "/csrc/shanghai-office")
    assert placing.place(UUID(int=2), None, _envelope("7"), "/mps/base") == one
    other = placing.place(UUID(int=3), None, _envelope("7"), "/csrc/beijing-office")
    assert other != one
    assert placing.place(UUID(int=4), None, _envelope("7"), "/csrc/shanghai-office") == one
    named = {**_envelope(), "local_refs": [{"issuer": "csrc/beijing-office", "scheme": "case", "value": "7"}]}
    assert placing.place(UUID(int=5), None, named, "/mps/base") == other
