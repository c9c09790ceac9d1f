"""The scenario files of the package: every event can be said, every expected clock is what the law gives."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from casebus_deploy.demo.scenario import ExpectedClock, Scenario, Step, ends, load, load_all, names
from casebus_deploy.demo.script import Script
from casebus_schemas.agencies import MEMBERS, roles_of
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.api import clock
from casebus_schemas.law.clocks import Begin, opened_by
from casebus_schemas.law.duty_state import Answer, state_at
from casebus_schemas.law.terms import readings
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.door import parse_event

CASES = ("kangmei", "jiang-liu", "xian")
CHAIN = UUID("00000000-0000-8000-8000-000000000001")
NOW = datetime(2022, 12, 1, tzinfo=UTC)


def clock_cases() -> list[tuple[Scenario, ExpectedClock]]:
    return [(scenario, expected) for scenario in load_all() for expected in scenario.clocks]


def clock_name(case: object) -> str:
    return case.name if isinstance(case, Scenario) else str(getattr(case, "rule", case))


def script_of(name: str) -> tuple[Script, list[Step]]:
    script = Script([load(name)], Catalog.load())
    return script, script.playable()


def test_the_three_public_cases_are_there_with_planted_variants_beside_them() -> None:
    """Each public case has a file of its own, and every variant says that it is planted."""
    scenarios = {scenario.name: scenario for scenario in load_all()}
    assert set(CASES) <= set(scenarios)
    assert all(scenarios[name].planted is None and scenarios[name].variant_of is None for name in CASES)
    variants = [scenario for name, scenario in scenarios.items() if name not in CASES]
    assert variants
    assert all(variant.planted is not None and variant.variant_of in CASES for variant in variants)


def test_no_step_is_skipped() -> None:
    """Every step of every scenario has an event type."""
    assert Script(load_all(), Catalog.load()).skipped == {}


@pytest.mark.parametrize("name", names())
def test_every_step_passes_the_door_and_the_codec(name: str) -> None:
    """What a step says is an event of the bus, and comes back from its bytes as it went in."""
    catalog = Catalog.load()
    script, steps = script_of(name)
    for number, step in enumerate(steps):
        event = parse_event(script.event(step), catalog)
        schema = catalog.latest(event.type)
        found_schema, found = decode(catalog, encode(schema, event.data))
        assert (found_schema.type, found) == (step.type, event.data)
        assert event.agency == step.agency
        script.publish(step, CHAIN, bytes([number]) * 32)


@pytest.mark.parametrize("name", names())
def test_every_speaker_may_say_what_he_says_and_answers_what_it_may_answer(name: str) -> None:
    """The authority matrix allows every step, and an answer names a type that its own type may answer."""
    catalog = Catalog.load()
    scenario = load(name)
    for step in scenario.steps:
        event_type = catalog.event(step.type)
        assert step.agency in event_type.speakers, step.message_no
        if step.in_reply_to is not None:
            assert event_type.may_answer(scenario.step(step.in_reply_to).type), step.message_no
        else:
            assert event_type.answers == (), step.message_no


@pytest.mark.parametrize("name", names())
def test_who_hears_by_law_is_written_by_hand_and_agrees_with_the_catalogue(name: str) -> None:
    """The receivers of a step are its addressees and those whom the law adds, and nobody else."""
    catalog = Catalog.load()
    for step in load(name).steps:
        named = {receiver.partition("/")[0] for receiver in (*step.to, *step.cc)}
        assert named <= set(MEMBERS)
        by_law = set(catalog.event(step.type).by_law) - named - {step.agency}
        assert {agency for agency, role in step.told().items() if role == "by-law"} == by_law, step.message_no


@pytest.mark.parametrize(("scenario", "expected"), clock_cases(), ids=clock_name)
def test_every_expected_clock_is_what_the_law_gives(scenario: Scenario, expected: ExpectedClock) -> None:
    """Readings, rungs, parties and state computed by hand are those computed from the table of clocks."""
    rule = clock(expected.rule)
    opener = scenario.step(expected.opened_by)
    start = began(opener, next(begin for begin in rule.begins if starts(begin, opener)))
    version = rule.in_force(start.date())
    assert version is not None
    step = expected.step or version.rungs[0].step
    found = {rung.step: readings(start, rung.limit, rung.readings) for rung in version.rungs}
    assert expected.readings == {reading.name: reading.due for reading in found[step]}
    assert expected.due_earliest == min(reading.due for reading in found[step])
    assert expected.due_latest == max(reading.due for reading in found[step])
    if version.is_ladder:
        assert expected.ladder == {name: max(r.due for r in rung) for name, rung in found.items()}
    met = answer(scenario, expected)
    assert expected.state == state_at(NOW, found[step], met=met, moot=None, is_right=rule.kind == "right")


def began(step: Step, begin: Begin) -> datetime:
    stated = step.data.get(begin.field) if begin.field else None
    return datetime.fromisoformat(stated) if stated else step.date


def facts(step: Step) -> dict[str, object]:
    """What a step says, its figures and their days as such."""
    amounts = [
        {
            **one,
            "value": Decimal(one["value"]),
            "period": {key: date.fromisoformat(day) for key, day in one["period"].items()}
            if one.get("period")
            else None,
        }
        for one in step.data.get("amounts", [])
    ]
    return {**step.data, "amounts": amounts}


def starts(begin: Begin, step: Step) -> bool:
    if begin.on != step.type or not begin.fits(facts(step), roles_of(step.agency), step.date.date()):
        return False
    day = began(step, begin).date()
    clocks = (rule for rule in opened_by(step.type) if begin in rule.begins)
    return begin.in_force(day) and any(rule.in_force(day) for rule in clocks)


def answer(scenario: Scenario, expected: ExpectedClock) -> Answer | None:
    if expected.met_by is None:
        return None
    met = scenario.step(expected.met_by)
    assert met.type in clock(expected.rule).duty
    return Answer(met.date, met.at)


@pytest.mark.parametrize("name", names())
def test_no_step_starts_a_clock_that_the_scenario_does_not_expect(name: str) -> None:
    """Every clock that a step alone can start is among the expected clocks, each once."""
    scenario = load(name)
    started = []
    for step in scenario.steps:
        for rule in opened_by(step.type):
            # Whether a silence lasts, no step says alone.
            if rule.absence is None and any(starts(begin, step) for begin in rule.begins):
                started.append((rule.id, step.label))
    assert sorted(started) == sorted((expected.rule, expected.opened_by) for expected in scenario.clocks)


@pytest.mark.parametrize("name", CASES)
def test_a_public_case_calls_assumed_what_is_not_stated(name: str) -> None:
    """Each case has stated and assumed days, and every day is a day of the years that it is about."""
    scenario = load(name)
    assert {step.date_basis for step in scenario.steps} == {"stated", "assumed"}
    assert {step.agency for step in scenario.steps} <= set(MEMBERS)


FACTS = {
    ("kangmei", "penalty"): ("2020-05-14", ["〔2020〕24号", "600000.00", "100000.00", "900000.00", "600518"]),
    ("kangmei", "indictment"): (
        "2021-10-27",
        ["佛检刑诉(2021)Z19号", "(2021)粤06刑初113号", "88681000000.00", "3591000000.00", "11619000000.00"],
    ),
    ("kangmei", "suit"): ("2021-11-12", ["(2020)粤01民初2171号", "52037", "2459000000.00", "100.00"]),
    ("kangmei", "judgment"): ("2021-11-17", ["144", "1200000.00"]),
    ("jiang-liu", "referral"): ("2016-10-18", ["46190000.00", "180(4)", "2009-04-01", "2013-02-28"]),
    ("xian", "penalty"): ("2017-03-30", ["〔2017〕29号", "578000000.00", "600696"]),
    ("xian", "first_instance"): (
        "2019-09-17",
        ["24", "1800000.00", "48", "10000000.00", "60", "11800000.00"],
    ),
    ("xian", "suit"): ("2022-09-29", ["13", "4700000.00"]),
}


@pytest.mark.parametrize(("place", "facts"), FACTS.items(), ids=lambda value: "/".join(map(str, value[:2])))
def test_stated_facts_stand_as_the_reports_give_them(
    place: tuple[str, str], facts: tuple[str, list[str]]
) -> None:
    """A dated fact keeps its date, its figures and its document numbers."""
    step = load(place[0]).step(place[1])
    day, figures = facts
    assert (step.date.date().isoformat(), step.date_basis) == (day, "stated")
    assert [figure for figure in figures if figure not in str(step.data)] == []


def test_a_term_ends_at_24_00_of_its_last_day() -> None:
    """The end of a term is shown as the law writes it."""
    assert [ends(expected.due_latest) for expected in load("xian").clocks] == [
        "2017-05-03 24:00",
        "2017-05-04 24:00",
        "2018-06-19 24:00",
        "2019-09-27 24:00",
    ]


def test_persons_bear_only_their_official_abbreviated_names() -> None:
    """No scenario names a natural person but by the names of the official text."""
    named = {
        entry["name"]
        for scenario in load_all()
        for step in scenario.steps
        for entry in step.data.get("suspects", ())
        if entry["kind"] == "natural"
    }
    assert named == {"马某田", "温某生", "姜某君", "柳某", "鲜某"}
