"""Made-up cases played in the demo's form (tests/played), with expectations counted by hand from the law."""

from pathlib import Path

import pytest

from casebus_deploy.demo.expectations import clock_problems, finding_problems
from casebus_deploy.demo.scenario import Scenario, load, load_file
from casebus_schemas.catalogue.catalog import Catalog
from support.cases.played import FILES, played

AREAS = {"restated", "ordered", "standards", "recovery", "put-right", "together"}
"""The six areas of the press text, a case each."""
EVERY_RELEASE = {
    "two bureaus refer the same issuer three weeks apart": ("two-bureaus", "R42"),
    "police answer v1 after v2 was sent": ("jiang-liu.superseded", "R21"),
    "not filed, reconsidered, upheld, supervised, ordered, filed on day 15 at 23:59": ("ordered", None),
    "not prosecuted, passed on on working day 4, suspended by reconsideration, resumed": ("cleared", "R14"),
    "one chain split into three, losing a suspect": ("parted", "R44"),
    "withdrawn after filing": ("withdrawn", "R45"),
    "a figure restated after its publication": ("restated", None),
    "a statement of account shows a case that the bus never saw": ("unseen", "R66"),
}
"""What every release must play from end to end: the scenario, and the rule that must find something in it."""


def name_of(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_clocks_are_those_counted_by_hand(file: Path) -> None:
    """Every duty has the readings, rungs, parties and state of the file, and there is no other."""
    play = played(file)
    assert clock_problems(play.script, [duty.said(play.seen_at).to_json() for duty in play.duties]) == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_findings_are_those_expected(file: Path) -> None:
    """Everything planted is found, in a case, across cases and of published figures; nothing else is."""
    play = played(file)
    assert finding_problems(play.script, [finding.to_json() for finding in play.findings()]) == ([], [])


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


@pytest.mark.parametrize("what", EVERY_RELEASE)
def test_what_every_release_must_play_is_played(what: str) -> None:
    """Each has its file, here or among the public cases, which expects what must be found, or nothing."""
    name, rule = EVERY_RELEASE[what]
    here = {file.stem: file for file in FILES}
    scenario = load_file(here[name]) if name in here else load(name)
    assert scenario.steps
    rules = {expected.rule for expected in scenario.findings}
    assert (rule in rules) if rule else not rules
