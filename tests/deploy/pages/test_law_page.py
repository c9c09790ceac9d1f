"""The page of rules and clocks: everything that has a number is on it."""

import pytest

from casebus_deploy.pages.law_page import law_page
from casebus_schemas.law.clocks import clock_table, clocks
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Rule

PAGE = law_page()


def _section(number: str) -> str:
    return PAGE.partition(f"\n### {number}\n")[2].partition("\n#")[0]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.id))
def test_a_rule_is_on_the_page(rule: Rule) -> None:
    """With title, who acts, what mends it and when it closes in both languages, and all that it looks at."""
    section = _section(rule.id)
    for said in (rule.title, rule.acts, rule.mends, rule.closes):
        assert f"{said.zh} · {said.en}" in section
    assert all(f"`{look}`" in section for look in rule.looks_at)
    assert all(f"第{article.article}条" in section for article in rule.law)


@pytest.mark.parametrize("number", clocks())
def test_a_clock_is_on_the_page(number: str) -> None:
    """With its title, the types that start and meet it, and every limit of every text."""
    clock, section = clocks()[number], _section(number)
    assert f"{clock.title.zh} · {clock.title.en}" in section
    assert all(f"`{type}`" in section for type in (*clock.starts_on, *clock.duty, *clock.moot_by))
    for version in clock.versions:
        assert all(f"`{rung.limit}`" in section for rung in version.rungs)
        assert f"| {version.since} – " in section


def test_every_instrument_is_named() -> None:
    """What a clock or rule rests on stands in the table of instruments."""
    table = PAGE.partition("## Instruments")[2]
    assert all(f"| `{name}` | {text.title.zh}" in table for name, text in clock_table().instruments.items())


def test_the_tables_say_what_nobody_has_read() -> None:
    """A standard and a predicate stand with their figures; what was not read in a text is marked."""
    assert (
        "| 182 | 2022-05-15 –  | 违法所得 illegal gain 1,000,000.00 | 违法所得 illegal gain 500,000.00 |"
        in PAGE
    )
    assert "| [filing-standards-2022](#instruments) 34 |" in PAGE
    assert "| 161 | 他洗钱 gains of others | 312 |" in PAGE
    assert "| 161 | 自洗钱 own gains | 不另成罪 no crime of its own (not verified) |" in PAGE
