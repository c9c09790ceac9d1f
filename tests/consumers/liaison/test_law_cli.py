"""`casebus law show`: rules and clocks by number."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_consumers.liaison.due_text import end_text
from casebus_consumers.liaison.law_cli import app
from casebus_schemas.errors import UsageError
from casebus_schemas.law.charges import crimes
from casebus_schemas.law.clocks import clocks
from casebus_schemas.rules.register import RULES
from support.events.notices import OF_2027

NUMBERS = [*clocks(), *RULES]


def show(*arguments: str) -> str:
    """What `law show` prints."""
    done = CliRunner().invoke(app, ["show", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_rule_is_shown_with_its_head() -> None:
    """R45 names what it looks at, its law, who acts and when it closes, in both languages."""
    said = show("R45")
    assert said.startswith("R45  立案后撤回移送 / a referral withdrawn after filing\n")
    for part in ("referral.filed", "第186条", "Art. 186", "the police", "重要 high", "更正与撤回"):
        assert part in said


def test_a_clock_is_shown_with_its_texts() -> None:
    """DL06, however written, names its types, every limit and where it stands."""
    said = show("dl06")
    assert said.startswith("DL06  立案审查决定 / decide on filing\n")
    for part in (
        "referral.receipted",
        "referral.not_filed",
        "P30D",
        "needs approval: county",
        "complete = true, since 2018-01-01",
        "spp-mps-2017",
    ):
        assert part in said


def test_without_a_number_all_are_listed() -> None:
    """Every clock and every rule has its line, and its entry in the JSON."""
    assert [line.split()[0] for line in show().splitlines()] == NUMBERS
    assert [body["id"] for body in json.loads(show("--json"))] == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_json_holds_the_same(number: str) -> None:
    """The JSON of one is that of the list, with a title in two fields."""
    body = json.loads(show(number, "--json"))
    assert body["id"] == number
    assert body["title"].keys() == {"zh", "en"}
    assert body in json.loads(show("--json"))
    assert show(number)


def test_an_unknown_number_names_the_known_ones() -> None:
    """R99 is refused, and the answer says which there are."""
    with pytest.raises(UsageError) as refused:
        show("R99")
    assert refused.value.expected == ", ".join((*NUMBERS, *crimes()))


@pytest.mark.parametrize("named", ["180(4)", "030487", "03041800"])
def test_a_crime_by_its_article_or_number(named: str) -> None:
    """Names, numbers, the figures of 2022 with their aggravation, and that its gains are laundered by 191."""
    body = json.loads(show(named, "--json"))
    assert (body["article"], body["title"]["zh"], body["codes"]) == (
        "180(4)",
        "利用未公开信息交易罪",
        ["030487", "03041800"],
    )
    (standard,) = body["standards"]
    assert (standard["since"], standard["article"]) == ("2022-05-15", "31")
    assert standard["from"] == {"illegal_gain": "1000000"}
    assert standard["aggravated"] == {"illegal_gain": "500000", "turnover": "5000000", "margin": "1000000"}
    assert body["laundering"]["others"] == {"article": "191", "verified": True}
    said = show(named)
    assert "利用未公开信息交易罪" in said
    assert "1,000,000.00元" in said
    assert "未核实 not verified" in said


def due(*arguments: str) -> str:
    """What `law due` prints."""
    done = CliRunner().invoke(app, ["due", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_a_term_is_shown_by_the_notices_of_another_day() -> None:
    """Four days from 27 January 2020 ended on the 31st for who asked on the 25th."""
    asked = ("--start", "2020-01-27", "--limit", "P4D", "--reading", "calendar_rolled")
    assert "最迟 latest       2020-02-03 24:00" in due(*asked)
    assert "最迟 latest       2020-01-31 24:00" in due(*asked, "--as-of", "2020-01-25")


def test_the_latest_end_that_is_shown_has_the_margin() -> None:
    """As known before the notice of 2019, a term into 2019 may end fifteen days later than counted."""
    asked = ("--start", "2018-12-28", "--limit", "P4D", "--as-of", "2018-12-05")
    said, bodies = due(*asked), json.loads(due(*asked, "--json"))
    assert "2019-01-17 24:00  最迟可能 at the latest" in said
    last = datetime.fromisoformat(max(body["latest_possible"] for body in bodies))
    assert f"最迟 latest       {end_text(last)}" in said
    assert [body["latest_possible"] > body["due"] for body in bodies] == [False, True, True]


def test_a_term_is_counted_by_a_notice_in_a_file(tmp_path: Path) -> None:
    """With the file of 2027's notice a reading is certain, and a day that it moves is off."""
    file = tmp_path / "notice.json"
    file.write_text(json.dumps({**OF_2027, "title": "made up"}, default=str), encoding="utf-8")
    asked = ("--start", "2026-12-28", "--limit", "P10D", "--reading", "calendar_rolled")
    assert "provisional" in due(*asked)
    said = due(*asked, "--holidays", str(file))
    assert "最迟 latest       2027-01-11 24:00" in said
    assert "provisional" not in said
