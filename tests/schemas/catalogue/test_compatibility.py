"""The gate over the table of changes: no legal change is refused, no illegal one accepted."""

from typing import Any

import pytest

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.compatibility import incompatibilities
from casebus_schemas.catalogue.lint import lint
from casebus_schemas.catalogue.resolution import read_problems
from casebus_schemas.catalogue.schema_problem import Problem
from support.events.avro_reading import read_back
from support.events.illegal_changes import ILLEGAL
from support.events.schema_changes import LEGAL, Change, version

AVRO_SEES = (
    "reader-field-missing-default-value",
    "missing-enum-symbols",
    "type-mismatch",
    "missing-union-branch",
)
"""Rules that are Avro's own: a real reader fails on some value."""


def _name(change: Change) -> str:
    return change.name


def _judged(change: Change, last: int | None = None) -> list[Problem]:
    """What the gate says of the candidate after all past versions, or the last few."""
    *past, candidate = change.versions
    told = [(f"version {number}", schema) for number, schema in enumerate(past, 1)]
    return lint(candidate) + incompatibilities(candidate, told if last is None else told[-last:])


def test_the_table_is_large_enough() -> None:
    """There are at least forty changes of each kind, no two under one name."""
    assert len({change.name for change in LEGAL}) == len(LEGAL) >= 40
    assert len({change.name for change in ILLEGAL}) == len(ILLEGAL) >= 40


@pytest.mark.parametrize("change", LEGAL, ids=_name)
def test_legal_change_is_accepted(change: Change) -> None:
    """A legal change raises no problem, at any of its steps."""
    for end in range(1, len(change.versions) + 1):
        step = Change(change.name, change.versions[:end])
        assert [problem.text for problem in _judged(step)] == []


@pytest.mark.parametrize("change", ILLEGAL, ids=_name)
def test_illegal_change_is_refused(change: Change) -> None:
    """An illegal change is refused for the rule that it breaks, with its place and what to do."""
    problems = _judged(change)
    assert change.rule in {problem.rule for problem in problems}
    for problem in problems:
        assert problem.place.pointer == "" or problem.place.pointer.startswith("/")
        assert problem.expected or problem.remedy
        assert problem.rule in problem.text
        assert problem.to_json()["rule"] == problem.rule


@pytest.mark.parametrize("change", [c for c in ILLEGAL if c.transitive_only], ids=_name)
def test_only_the_past_shows_it(change: Change) -> None:
    """Against the newest version alone these changes pass: the whole past must be asked."""
    assert [problem.text for problem in _judged(change, last=1)] == []


# --- against a real reader --------------------------------------------------------------------------------


@pytest.mark.parametrize("change", LEGAL, ids=_name)
def test_a_real_reader_reads_both_ways(change: Change) -> None:
    """With fastavro every past version reads what the candidate writes and the other way round."""
    *past, candidate = change.versions
    for schema in past:
        for writer, reader in ((candidate, schema), (schema, candidate)):
            wanted = {field["name"]: field for field in reader["fields"]}
            for turn in range(8):
                value, read = read_back(writer, reader, turn)
                assert read.keys() == wanted.keys()
                for name in read.keys() & value.keys() - {"state", "party", "parties", "former", "others"}:
                    assert read[name] == value[name]


@pytest.mark.parametrize("change", [c for c in ILLEGAL if c.rule in AVRO_SEES], ids=_name)
def test_a_real_reader_fails_where_avro_forbids(change: Change) -> None:
    """What the resolution refuses makes fastavro fail on some version and value."""
    *past, candidate = change.versions
    refused = [
        (writer, reader)
        for schema in past
        for writer, reader in ((candidate, schema), (schema, candidate))
        if read_problems(reader, writer)
    ]
    assert refused
    failed = False
    for writer, reader in refused:
        for turn in range(8):
            try:
                read_back(writer, reader, turn)
            except Exception:  # noqa: BLE001 -- whatever it raises, it did not read
                failed = True
    assert failed


def test_aliases_lead_a_real_reader_to_the_former_field() -> None:
    """What was written under the former name is read under the new one."""
    renamed = next(change for change in LEGAL if change.name.startswith("two renames"))
    value, read = read_back(renamed.versions[0], renamed.versions[-1], 1)
    assert read["words"] == value["note"] == "text 3"


# --- messages ---------------------------------------------------------------------------------------------


def _only(name: str) -> Problem:
    (change,) = [change for change in ILLEGAL if change.name == name]
    (problem,) = _judged(change)
    return problem


def test_a_message_says_where_what_and_what_to_do() -> None:
    """A problem names pointer, path in field names, what was found, what was expected, the remedy."""
    problem = _only("decimal scale within a record")
    assert problem.text == (
        "[frozen-logical-type] /fields/12/type/fields/2/type/1/scale (party.share): scale is frozen; "
        "found 4; expected 2; compared with version 1; "
        "keep it and add a new field beside it: old values would be read as other ones"
    )


def test_the_author_of_the_candidate_is_addressed_in_both_directions() -> None:
    """What was found is always the candidate's, whichever version fails to read."""
    problem = _only("int to long")
    assert (problem.found, problem.expected) == ("long", "int")
    assert problem.against == "when version 1 reads what it writes (the place is that in version 1)"


def test_a_problem_is_told_once() -> None:
    """A break with every past version is one problem, told of the newest."""
    versions = (*[version()] * 3, version(lambda schema: schema["fields"].pop(0)))
    (problem,) = _judged(Change("", versions))
    assert problem.against is not None
    assert "version 3" in problem.against


def test_every_version_of_the_catalogue_passes_the_gate() -> None:
    """The schemas of this bus keep their own rules."""
    by_type: dict[str, list[tuple[str, Any]]] = {}
    for schema in Catalog.load().schemas():
        past = by_type.setdefault(schema.type, [])
        assert [p.text for p in lint(schema.schema) + incompatibilities(schema.schema, past)] == []
        past.append((f"version {schema.version}", schema.schema))
