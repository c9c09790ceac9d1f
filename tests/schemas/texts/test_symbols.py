"""Words for people: every symbol has one in both languages, and screens use them."""

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.admission.verdict import Role
from casebus_schemas.case.amounts import CONDUCT
from casebus_schemas.case.as_of import LEVELS, AsOf
from casebus_schemas.case.assets import ASSET_STATES
from casebus_schemas.case.laundering import LAUNDERING_STATES
from casebus_schemas.case.side_tracks import FACTS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import REFUSAL_CODES, UsageError
from casebus_schemas.law.clocks import clocks, instruments
from casebus_schemas.law.duty_state import State
from casebus_schemas.law.limits import ReadingName
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.rules.finding import FindingClass, FindingState, Severity
from casebus_schemas.rules.rule import Scope
from casebus_schemas.rules.word import Said
from casebus_schemas.statistics.measures import CASES, CLUES, PERSONS, TIMES
from casebus_schemas.texts.symbols import BASES, STATUSES, STEPS, read_symbols, symbols, title
from support.cases.chains import amount, at, say, suspects

ROOT = Path(__file__).resolve().parents[3]
_CHINESE = re.compile("[\u4e00-\u9fff]")


def _of_avro() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("type") == "enum":
                found[part["name"].rpartition(".")[2]] = tuple(part["symbols"])
            for inner in part.values():
                look(inner)
        elif isinstance(part, list):
            for inner in part:
                look(inner)

    for schema in Catalog.load().schemas():
        look(schema.schema)
    return found


OF_AVRO = _of_avro()
OF_JSON: dict[str, tuple[str, ...]] = {
    "ObligationState": get_args(State),
    "FindingState": get_args(FindingState),
    "FindingWord": get_args(Said),
    "FindingClass": get_args(FindingClass),
    "Severity": get_args(Severity),
    "RuleScope": get_args(Scope),
    "ReadingName": get_args(ReadingName),
    "Role": get_args(Role),
    "Level": LEVELS,
    "AsOf": tuple(field.name for field in fields(AsOf)),
    "RefusalCode": REFUSAL_CODES,
    "AssetState": ASSET_STATES,
    "TrackFact": FACTS,
    "LaunderingState": LAUNDERING_STATES,
}
BESIDE = {"Stage": {"published"}}
"""Symbols that only our own JSON has: what an agency's own outbox says of a record before the bus does."""


@pytest.mark.parametrize("name", OF_AVRO)
def test_every_enumeration_of_the_schemas_has_its_words(name: str) -> None:
    """Each symbol of an enumeration that events carry has a word, and no word is left over."""
    assert set(symbols()[name]) == {*OF_AVRO[name], *BESIDE.get(name, ())}


@pytest.mark.parametrize("name", OF_JSON)
def test_every_enumeration_of_the_json_has_its_words(name: str) -> None:
    """Each state, severity, role, reading, level and code of our JSON has a word, and none is left over."""
    assert set(symbols()[name]) == set(OF_JSON[name])


def test_every_word_is_in_both_languages() -> None:
    """No officer is shown a bare symbol, nor one language in place of the other."""
    for words in (*symbols().values(), STATUSES, instruments()):
        for said in words.values():
            assert _CHINESE.search(said.zh), said
            assert not _CHINESE.search(said.en), said


def test_bases_steps_and_measures_have_words() -> None:
    """What is compared, each rung of a clock, and each unit of a figure is called by a word."""
    assert set(BASES) >= CONDUCT
    assert {unit.id for unit in (PERSONS, CASES, CLUES, TIMES)} <= set(symbols()["FigureUnit"])
    for clock in clocks().values():
        for version in clock.versions:
            assert {rung.step for rung in version.rungs} <= set(STEPS)


SCREENS = sorted(
    file
    for shelf in ("consumers", "deploy", "producers", "services")
    for file in (ROOT / shelf).rglob("*.py")
)


@pytest.mark.parametrize("file", SCREENS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_screen_has_words_of_its_own(file: Path) -> None:
    """A table of Chinese words for symbols stands in texts/symbols.yaml and nowhere else."""
    known = [frozenset(words) for words in (*symbols().values(), STATUSES)]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict) and _CHINESE.search(ast.unparse(node)):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            assert not any(len(keys & words) > 1 for words in known), f"line {node.lineno}"


@pytest.mark.parametrize("said", ["{a: [甲]}", "{a: [甲, '']}", "{a: 甲}", "{}", "{a: [甲, b], a: [乙, c]}"])
def test_a_symbol_without_both_words_is_refused(said: str) -> None:
    """A symbol has exactly one word in each language."""
    with pytest.raises(UsageError):
        read_symbols(f"Kind: {said}")


def test_an_unknown_type_is_called_by_its_name() -> None:
    """A type of a later version is shown as it is."""
    assert title("later.said").text == "later.said / later.said"


def test_a_case_is_shown_in_words() -> None:
    """State, agencies, bases and comparisons in both languages; a suspect without a charge is explained."""
    events = [
        say(
            "s",
            "referral.submitted",
            "2016-10-18",
            suspects=suspects("甲某"),
            charges=[],
            amounts=[amount("illegal_gain", "46190000.00")],
        )
    ]
    screen = "\n".join(case_lines(case_view(events, at("2016-10-19"), why=True)))
    for said in (
        "已移送 referred",
        "甲某   未列罪名 no charge stated",
        "违法所得 illegal gain: 证监会 csrc 46,190,000.00元",
        "仅一方提及 one account only",
        "移送涉嫌犯罪案件 referral.submitted",
    ):
        assert said in screen
