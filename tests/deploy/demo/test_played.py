"""Made-up cases played in the demo's form (tests/played), with expectations counted by hand from the law."""

from pathlib import Path

import pytest

from casebus_deploy.demo.expectations import clock_problems, finding_problems
from casebus_deploy.demo.scenario import Scenario, load_file
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.statistics.comparison import compare_published
from casebus_schemas.statistics.figures import Versions
from support.cases.played import FILES, played

AREAS = {"restated", "ordered", "standards", "recovery", "put-right", "together"}
"""The six areas of the press text, a case each."""


def name_of(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_clocks_are_those_counted_by_hand(file: Path) -> None:
    """Every duty has the readings, rungs, parties and state of the file, and there is no other."""
    script, reconciled, _, seen_at = played(file)
    assert clock_problems(script, [duty.said(seen_at).to_json() for duty in reconciled.duties]) == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_findings_are_those_expected(file: Path) -> None:
    """Everything planted is found, of a case and of published figures, and nothing else is."""
    script, reconciled, events, seen_at = played(file)
    published = compare_published(events, Versions("catalogue", "law")).findings
    found = [finding.to_json() for finding in (*reconciled.findings(seen_at), *published)]
    assert finding_problems(script, found) == ([], [])


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_everybody_says_what_he_may_to_whom_he_must(file: Path) -> None:
    """Each step has a type, a speaker of its role, a question it may answer, and the hearers of the law."""
    catalog, scenario = Catalog.load(), load_file(file)
    assert scenario.skipped(catalog) == {}
    for step in scenario.steps:
        known = catalog.event(step.type)
        assert step.agency in known.speakers, step.label
        if step.in_reply_to is not None:
            assert known.may_answer(scenario.step(step.in_reply_to).type), step.label
        named = {receiver.partition("/")[0] for receiver in (*step.to, *step.cc)}
        by_law = {agency for agency, role in step.told().items() if role == "by-law"}
        assert by_law == set(known.by_law) - named - {step.agency}, step.label


def test_each_area_of_the_press_text_is_played() -> None:
    """There is a case for each of the six areas, and what is planted stands in a variant that says so."""
    scenarios: list[Scenario] = [load_file(file) for file in FILES]
    cases = {scenario.name for scenario in scenarios if scenario.variant_of is None}
    assert cases >= AREAS
    assert all((one.planted is None) == (one.variant_of is None) for one in scenarios)
