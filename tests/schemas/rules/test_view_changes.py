"""What differs between two views of a case: by time, by agency, by the law of a day."""

from datetime import datetime
from typing import Any

from casebus_schemas.case.as_of import AsOf
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.rules.view_changes import PARTS, changes, is_empty
from support.cases.chains import amount, at, charges, say, suspects

NOW = at("2022-03-01")
EVENTS = [
    say(
        "s",
        "referral.submitted",
        "2022-01-04T10:00",
        to=("mps",),
        suspects=suspects("甲", "乙"),
        charges=charges(("S1", "180(4)")),
        amounts=[amount("illegal_gain", "100.00")],
    ),
    say(
        "r",
        "referral.receipted",
        "2022-01-04T15:00",
        agency="mps",
        to=("csrc",),
        replies="s",
        received_at=at("2022-01-04T15:00"),
        competent=True,
        complete=True,
    ),
    say(
        "f",
        "referral.filed",
        "2022-01-20T10:00",
        agency="mps",
        to=("csrc",),
        replies="s",
        suspects=suspects("甲"),
        amounts=[amount("illegal_gain", "90.00")],
    ),
]


def _between(was: AsOf, now: AsOf) -> dict[str, Any]:
    views = (case_view(EVENTS, NOW, asked=asked) for asked in (was, now))
    return changes(*views)


def _known_at(day: str) -> AsOf:
    return AsOf(known_at=at(day))


def _of(compared: dict[str, Any], part: str, kind: str, name: str) -> list[Any]:
    return [entry[name] for entry in compared[part][kind]]


def test_what_an_event_changed() -> None:
    """The filing: state, event, charge, figure, the duties that it met and began, the findings it made."""
    compared = _between(_known_at("2022-01-19"), _known_at("2022-01-21"))
    assert compared["status"] == {"was": "received", "now": "filed"}
    assert _of(compared, "events", "added", "type") == ["referral.filed"]
    (charge,) = compared["charges"]["changed"]
    assert (charge["was"], charge["now"]) == (
        {"name": "甲", "article": "180(4)", "status": "received"},
        {"name": "甲", "article": "180(4)", "status": "filed"},
    )
    (figure,) = compared["amounts"]["changed"]
    assert [len(figure[side]["accounts"]) for side in ("was", "now")] == [1, 2]
    assert set(_of(compared, "findings", "added", "rule")) >= {"R30", "R31"}
    assert "DL10" in _of(compared, "obligations", "added", "rule")
    filing = next(pair for pair in compared["obligations"]["changed"] if pair["was"]["rule"] == "DL06")
    assert (filing["was"]["met"], filing["now"]["met"]["by_claim"]) == (None, "2022-01-20T10:00:00+08:00")


def test_the_other_way_round_what_was_added_is_gone() -> None:
    """The comparison is symmetric."""
    there = _between(_known_at("2022-01-19"), _known_at("2022-01-21"))
    back = _between(_known_at("2022-01-21"), _known_at("2022-01-19"))
    for part in PARTS:
        assert there[part]["added"] == back[part]["gone"]
        assert there[part]["gone"] == back[part]["added"]


def test_what_one_agency_had_and_another_had_not() -> None:
    """The court has nothing of it but the procuratorate's copy; each side's question is told."""
    compared = _between(AsOf(known_by="spp"), AsOf(known_by="mps"))
    assert _of(compared, "events", "gone", "type") == []
    assert compared["was"]["as_of"]["known_by"] == "spp"
    assert compared["now"]["as_of"]["known_by"] == "mps"


def test_the_law_of_another_day() -> None:
    """Until 2018 no ladder for the filing decision was in force: nothing but duties and findings differs."""
    compared = _between(AsOf(law_of=at("2016-01-01").date()), AsOf())
    assert compared["events"] == {"added": [], "gone": [], "changed": []}
    assert "DL06" in [pair["now"]["rule"] for pair in compared["obligations"]["changed"]]


def test_the_same_view_has_no_changes() -> None:
    """A view against itself."""
    assert is_empty(_between(AsOf(), AsOf()))
    assert datetime.fromisoformat(_between(AsOf(), AsOf())["now"]["at"]) == NOW
