"""R63: numerator and denominator are of other measures, periods or cohorts, or a share passes 100 %."""

from decimal import Decimal

from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId

from ..rule import Rule

RULE = Rule(
    RuleId("R63"),
    title=Sentence("比率的分子与分母不可比", "a ratio of things that do not belong together"),
    scopes=("statistics",),
    cls="state",
    severity="medium",
    looks_at=("publications",),
    acts=Sentence("公布机关", "the agency that published the ratio"),
    mends=Sentence(
        "写明分子、分母与统计口径的更正", "a restatement that names numerator, denominator and cohort"
    ),
    closes=Sentence("公布被更正或撤回时", "when the publication is corrected or withdrawn"),
)


NAMES_NOTHING = Sentence("比率未指明分子与分母", "the ratio names no numerator and denominator")


def unknown_cohort(cohort: str) -> Sentence:
    """Of a cohort that is not the type of an event which is counted."""
    return Sentence(
        f"统计口径“{cohort}”未登记,无法重算",
        f"the cohort “{cohort}” is not the type of a counted event: it cannot be recomputed",
    )


def other_base(wanted: str, given: str) -> Sentence:
    """Of a change whose base is not the same days of the year before."""
    return Sentence(f"基期应为{wanted},实为{given}", f"the base should be {wanted}, not {given}")


def other_period(above: str, below: str) -> Sentence:
    """Of a share whose two figures are of different periods."""
    return Sentence(
        f"分子与分母期间不同:{above}与{below}",
        f"numerator and denominator are of different periods, {above} and {below}",
    )


def beyond_all(part: int | Decimal, whole: int | Decimal) -> Sentence:
    """Of a share of more than everything."""
    return Sentence(f"{part}/{whole}超过100%", f"{part}/{whole} is more than 100 %: it is no share")


def other_measure(one: Sentence, other: Sentence) -> Sentence:
    """Of a change between two measures."""
    return Sentence(f"指标不同:{one.zh}与{other.zh}", f"different measures: {one.en} and {other.en}")


def other_cohort(one: str, other: str) -> Sentence:
    """Of two figures whose persons or cases are placed in their period by different events."""
    return Sentence(
        f"统计口径不同:分别按{one}与{other}归入期间",
        f"different cohorts: placed by {one} and by {other}, the one is no part of the other",
    )
