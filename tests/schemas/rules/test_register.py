"""The register of rules: complete heads, one file a number, and what rules share."""

import pytest

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.law.clocks import instruments
from casebus_schemas.rules.chain import r30, r45
from casebus_schemas.rules.looks import WORDS
from casebus_schemas.rules.register import RULES, find_rule, registered
from casebus_schemas.rules.rule import Rule
from casebus_schemas.rules.wording import MOST_NAMED, few, limit_in_words, named

ROOM = "casebus_schemas.rules.chain"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.id))
def test_a_head_says_everything_in_both_languages(rule: Rule) -> None:
    """Title, who acts, what mends it and when it closes are there in zh and en; its law is known."""
    for said in (rule.title, rule.acts, rule.mends, rule.closes):
        assert said.zh
        assert said.en
        assert said.en.isascii()
    assert {article.instrument for article in rule.law} <= instruments().keys()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.id))
def test_a_rule_looks_at_what_there_is(rule: Rule) -> None:
    """Each look is a type of the catalogue, a field of some event or a word with a meaning."""
    catalog = Catalog.load()
    fields = {f"*.{field['name']}" for schema in catalog.schemas() for field in schema.schema["fields"]}
    assert rule.looks_at
    assert set(rule.looks_at) <= {*catalog.types, *fields, *WORDS}


def test_a_number_stands_once_and_in_its_own_file() -> None:
    """A second rule of a number, a file of another name and another folder are refused."""
    assert list(registered(iter([(f"{ROOM}.r30", r30.RULE), (f"{ROOM}.r45", r45.RULE)]))) == ["R30", "R45"]
    with pytest.raises(TypeError, match="two rules R30"):
        registered(iter([(f"{ROOM}.r30", r30.RULE), (f"{ROOM}.r30", r30.RULE)]))
    with pytest.raises(TypeError, match="R30"):
        registered(iter([(f"{ROOM}.r31", r30.RULE)]))
    with pytest.raises(TypeError, match="R30"):
        registered(iter([("casebus_schemas.rules.stream.r30", r30.RULE)]))


def test_a_rule_takes_each_function_once() -> None:
    """Two functions of one kind would hide each other."""
    with pytest.raises(TypeError, match="R30"):
        r30.RULE.over_case(lambda case: ())


def test_an_unknown_rule_names_the_known_ones() -> None:
    """Whoever asks for R99 hears which there are."""
    with pytest.raises(UsageError) as refused:
        find_rule("R99")
    assert "R30" in str(refused.value.expected)


@pytest.mark.parametrize(
    ("limit", "zh", "en"),
    [
        ("PT24H", "24小时", "24 hours"),
        ("P3D", "3日", "3 days"),
        ("P1WD", "1个工作日", "1 working day"),
        ("P2M", "2个月", "2 months"),
        ("P1M15D", "1个月零15日", "1 month and 15 days"),
    ],
)
def test_a_limit_is_said_in_words_whatever_its_unit(limit: str, zh: str, en: str) -> None:
    """Hours, days, working days, months and months with days."""
    said = limit_in_words(limit)
    assert (said.zh, said.en) == (zh, en)


def test_long_lists_are_cut_and_counted() -> None:
    """Ten names are all named; of eleven ten, and the rest is counted."""
    names = [f"n{number}" for number in range(MOST_NAMED + 1)]
    assert named(names[:-1]).en == ", ".join(names[:-1])
    assert named(names).en == ", ".join(names[:-1]) + " and 1 more"
    assert named(names).zh.endswith("等11名")
    assert few("missing", names[:2]) == {"missing": ["n0", "n1"]}
    assert few("missing", names) == {"missing": names[:-1], "missing_in_all": 11}
