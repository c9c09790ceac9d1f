"""What may be divided by what: refused with the rule and the reason unless marked."""

from typing import Any

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.statistics.ratios import RatioRefused, growth, ratio
from support.cases.chains import charges, say, suspects
from support.cases.statistics_chains import count


def case(number: int, referred: str | None, indicted: str | None, article: str = "182") -> list[ChainEvent]:
    """A matter of one person: referred and indicted on these days."""
    facts: dict[str, Any] = {
        "suspects": suspects("甲"),
        "charges": charges(("S1", article)),
        "security": None,
    }
    events = []
    if referred:
        events.append(say(f"r{number}", "referral.submitted", referred, chain=f"c{number}", **facts))
    if indicted:
        events.append(
            say(f"p{number}", "outcome.prosecuted", indicted, agency="spp", chain=f"c{number}", **facts)
        )
    return events


EVENTS = [
    *(event for n in range(4) for event in case(n, "2020-03-01", "2021-03-01")),
    *(event for n in range(4, 7) for event in case(n, "2021-03-01", "2021-09-01", "161")),
    *(event for n in range(7, 9) for event in case(n, "2021-03-01", "2022-03-01", "161")),
]


def rules(refusal: RatioRefused) -> list[str]:
    """The rules that object."""
    return [objection.rule.id for objection in refusal.objections]


def test_a_part_of_the_same_cohort_is_a_share() -> None:
    """Of seven prosecuted in 2021 four were charged with manipulation: 57.1 %."""
    share = ratio(count(EVENTS, "2021", "securities:182"), count(EVENTS, "2021"))
    assert (share.text, share.objections) == ("57.1 %", ())


def test_different_units_are_refused() -> None:
    """Persons over cases are no ratio."""
    with pytest.raises(RatioRefused, match=r"R60.*人与件.*persons and cases are never compared") as refusal:
        ratio(count(EVENTS, "2021"), count(EVENTS, "2021", measure="cases_referred"))
    assert "R60" in rules(refusal.value)


def test_a_rate_above_the_whole_is_refused() -> None:
    """Seven cases prosecuted in 2021 over five referred in it (140 %) are two cohorts, and no share."""
    prosecuted = count(EVENTS, "2021", measure="cases_prosecuted")
    referred = count(EVENTS, "2021", measure="cases_referred")
    with pytest.raises(RatioRefused, match=r"more than 100 %.*--mark") as refusal:
        ratio(prosecuted, referred)
    assert rules(refusal.value) == ["R63", "R63"]


def test_one_cohort_gives_a_rate() -> None:
    """Of the five cases referred in 2021 all were prosecuted in the end, three of them in 2021."""
    followed = count(EVENTS, "2021", measure="cases_prosecuted", cohort_by="cases_referred")
    assert ratio(followed, count(EVENTS, "2021", measure="cases_referred")).text == "100.0 %"


def test_a_marked_ratio_carries_its_mark_and_objections() -> None:
    """What is meant is computed, and travels with the reason and with every objection."""
    prosecuted = count(EVENTS, "2021", measure="cases_prosecuted")
    referred = count(EVENTS, "2021", measure="cases_referred")
    body = ratio(prosecuted, referred, "workload, no rate").to_json()
    assert (body["percent"], body["mark"]) == ("140.0", "workload, no rate")
    assert [objection["rule"] for objection in body["objections"]] == ["R63", "R63"]


def test_an_empty_mark_is_no_mark() -> None:
    """Blanks are no reason."""
    with pytest.raises(RatioRefused):
        ratio(count(EVENTS, "2021"), count(EVENTS, "2022"), "  ")


def test_other_periods_are_refused() -> None:
    """Numerator and denominator of two years are no ratio."""
    with pytest.raises(RatioRefused, match="different periods, 2022 and 2021") as refusal:
        ratio(count(EVENTS, "2022"), count(EVENTS, "2021"))
    assert rules(refusal.value) == ["R63"]


def test_a_wider_scope_is_no_part_of_a_narrower_one() -> None:
    """Securities and futures crimes are no part of securities crimes; the reverse is one."""
    narrow, wide = count(EVENTS, "2021"), count(EVENTS, "2021", "securities-futures")
    with pytest.raises(RatioRefused) as refusal:
        ratio(wide, narrow)
    assert rules(refusal.value) == ["R65"]
    assert ratio(narrow, wide).text == "100.0 %"


@pytest.mark.parametrize(
    ("newer", "base", "expected"),
    [
        (("2022", "securities"), ("2021", "securities-futures"), ["R65"]),
        (("2022H1", "securities"), ("2021H2", "securities"), ["R63"]),
        (("2022", "securities"), ("2021H1", "securities"), ["R63"]),
    ],
)
def test_growth_needs_the_same_figure_a_year_before(
    newer: tuple[str, str], base: tuple[str, str], expected: list[str]
) -> None:
    """Another scope, another half-year or a part of the year is no base."""
    with pytest.raises(RatioRefused) as refusal:
        growth(count(EVENTS, *newer), count(EVENTS, *base))
    assert rules(refusal.value) == expected


def test_growth_may_be_more_than_100_percent_and_less_than_nothing() -> None:
    """Growth is no share: from 2 to 7 is +250 %, back again -71.4 %."""
    more = [*EVENTS, *(event for n in (20, 21) for event in case(n, None, "2020-05-01"))]
    assert growth(count(more, "2021"), count(more, "2020")).text == "+250.0 %"
    assert growth(count(EVENTS, "2022"), count(EVENTS, "2021")).text == "-71.4 %"


def test_nothing_is_divided_by_zero() -> None:
    """A base of 0 is refused even where marked."""
    with pytest.raises(RatioRefused, match="the base is 0"):
        growth(count(EVENTS, "2021"), count(EVENTS, "2020"), "whatever")
