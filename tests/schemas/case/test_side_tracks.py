"""What runs beside the charges: each recommendation and programme with its steps and its last state."""

from datetime import date

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.fold import fold
from casebus_schemas.case.side_tracks import side_tracks
from casebus_schemas.rules.case_view import case_view
from support.cases.chains import at, say

EVENTS = [
    say("i", "recommendation.issued", "2022-03-01", agency="spp", to=("csrc",), sector="审计", kind="other"),
    say("j", "recommendation.issued", "2022-03-02", agency="spp", to=("csrc",), sector="债券"),
    say("p", "compliance.proposed", "2022-03-03", agency="spp", to=("csrc",)),
    say("r", "recommendation.replied", "2022-04-25", to=("spp",), replies="i"),
    say("f", "compliance.plan_filed", "2022-05-01", agency="spp", replies="p", ends_on=date(2022, 12, 31)),
    say("v", "recommendation.verified", "2022-06-30", agency="spp", to=("csrc",), replies="r"),
    say("e", "compliance.evaluated", "2022-12-20", agency="spp", replies="f", passed=True, score=86),
]


def test_each_track_goes_on_with_what_answers_it() -> None:
    """Two letters and a programme: their steps do not mix, and the last one is the state."""
    tracks = [(track.to_json()["state"], len(track.events)) for track in side_tracks(fold(EVENTS))]
    assert tracks == [
        ("recommendation.verified", 3),
        ("recommendation.issued", 1),
        ("compliance.evaluated", 3),
    ]


def test_a_suit_is_known_by_its_court_number() -> None:
    """The judgment answers nothing that the bus has: its number says which suit it judges."""
    mandated = say(
        "m", "suit.mandated", "2021-04-08", agency="court", court_nos=["(2020)示01民初1号"], mandates=56
    )
    judged = say("j", "suit.judged", "2021-11-12", agency="court", court_nos=["(2020)示01民初1号"])
    paid = say("d", "suit.distributed", "2022-01-10", agency="court", replies="j", paid_first=True)
    other = say("o", "suit.judged", "2021-11-13", agency="court", court_nos=["(2021)示01民初9号"])
    tracks = [track.to_json() for track in side_tracks(fold([mandated, judged, other, paid]))]
    assert [(track["state"], len(track["steps"])) for track in tracks] == [
        ("suit.distributed", 3),
        ("suit.judged", 1),
    ]
    assert tracks[0]["facts"] == {"mandates": 56, "paid_first": True}


def test_a_track_that_is_withdrawn_is_gone() -> None:
    """The letter is taken back: what answered it stands alone."""
    back = say("w", "recommendation.withdrawn", "2022-03-20", agency="spp", to=("csrc",), withdraws="j")
    tracks = [track.to_json()["state"] for track in side_tracks(fold([*EVENTS, back]))]
    assert tracks == ["recommendation.verified", "compliance.evaluated"]


def test_the_case_shows_its_tracks_in_both_languages() -> None:
    """The officer reads the last step, how many there were, and the facts."""
    view = case_view(EVENTS, at("2023-01-01"))
    assert view["tracks"]["beside"][2]["facts"] == {"ends_on": "2022-12-31", "passed": True, "score": 86}
    lines = "\n".join(case_lines(view))
    assert "2022-06-30 最高检 核实检察建议落实情况 reply to a recommendation verified (3)" in lines
    assert "(3)   行业领域 sector 审计   类型 kind 其他检察建议 other recommendation" in lines
    assert "考察期届满 ends on 2022-12-31   评分 score 86   是否合格 passed 是 yes" in lines
