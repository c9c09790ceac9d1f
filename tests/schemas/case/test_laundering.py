"""Looks into money laundering: one track for each predicate charge, and the law of predicates behind it."""

from typing import Any

import pytest

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.errors import UsageError
from casebus_schemas.law.predicates import crime_of, read_predicates
from casebus_schemas.rules.case_view import case_view
from support.cases.chains import at, say, suspects
from support.cases.remedy_cases import remedy_field


def _say(name: str, type: str, when: str, checks: list[str], agency: str = "spp", **more: Any) -> ChainEvent:
    to = ("spp" if agency == "mps" else "mps",)
    read = remedy_field("checks", checks)
    return say(
        name, f"aml.{type}", when, agency=agency, to=to, suspects=suspects("甲", "乙"), checks=read, **more
    )


OWN = "self: {article: none, verified: true}"
EVENTS = [
    _say("o", "check_opened", "2022-01-10", ["S1 182 - unknown -", "S1 161 - unknown -"]),
    _say("c", "clue_raised", "2022-01-12", ["S1 182 S2 others 191"]),
    say("q", "aml.fund_trace_requested", "2022-01-13", agency="mps", to=("spp",)),
    _say("n", "no_clue_found", "2022-01-20", ["S1 161 - unknown -"], "mps"),
    _say("f", "filed", "2022-01-21", ["S1 182 S2 others 191"], "mps", replies="c"),
]


def test_each_predicate_charge_has_its_own_track() -> None:
    """One charge ends in a case, the other without a clue; who launders is said once an agency."""
    view = case_view(EVENTS, at("2022-02-01"))
    checks = view["tracks"]["laundering"]["checks"]
    assert [(check["offender"], check["predicate"], check["state"]) for check in checks] == [
        ("甲", "182", "filed"),
        ("甲", "161", "no_clue"),
    ]
    said = [(one["agency"], one["name"], one["gains"], one["article"]) for one in checks[0]["launderers"]]
    assert said == [("spp", "乙", "others", "191"), ("mps", "乙", "others", "191")]
    assert checks[1]["launderers"] == []
    assert view["tracks"]["laundering"]["tracings"] == {"requested": 1, "answered": 0}


def test_the_case_shows_its_tracks_in_both_languages() -> None:
    """The officer reads the predicate, how far it has come, and who is said to launder."""
    lines = "\n".join(case_lines(case_view(EVENTS, at("2022-02-01"))))
    assert "甲 182   已立案 filed   最高检 乙 他洗钱 gains of others 191" in lines
    assert "资金协查 tracings of funds: 请求 requested 1, 答复 answered 0" in lines


@pytest.mark.parametrize(
    ("predicate", "gains", "article"),
    [
        ("180(1)", "others", "191"),
        ("180(4)", "self", "191"),
        ("182", "others", "191"),
        ("185-1(1)", "self", "191"),
        ("160", "others", "312"),
        ("161", "others", "312"),
        ("169-1", "others", "312"),
        ("225", "others", "312"),
        ("229(1)", "others", "312"),
        ("161", "self", None),
        ("229(1)", "self", None),
    ],
)
def test_the_article_follows_from_the_section_of_the_predicate(
    predicate: str, gains: Any, article: str | None
) -> None:
    """Section 4 of chapter 3 (170 to 191) is 191; sections 3 and 8 are 312, for the gains of others only."""
    crime = crime_of(predicate, gains)
    assert crime is not None
    assert (crime.article, crime.verified) == (article, article is not None)


def test_a_predicate_that_nobody_entered_is_not_judged() -> None:
    """Fraud (192) and a word that is no article have no row."""
    assert crime_of("192", "others") is None
    assert crime_of("", "self") is None


@pytest.mark.parametrize(
    "source",
    [
        "[]",
        "- {articles: ['161'], others: {article: '312', verified: true}}",
        f"- {{articles: ['161'], others: {{article: '999', verified: true}}, {OWN}}}",
        f"- {{articles: ['161'], others: {{article: '312', verified: 1}}, {OWN}}}",
        f"- &a {{articles: ['161'], others: {{article: '312', verified: true}}, {OWN}}}\n- *a",
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(source: str) -> None:
    """A missing part, an article that is neither, a mark that is none, one article in two rows."""
    with pytest.raises(UsageError, match=r"predicates\.yaml"):
        read_predicates(source)
