"""The fold: one order for any order of arrival, corrections at their target's place, disputes shown."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.effects import MOST_CORRECTIONS
from casebus_schemas.case.fold import Folded, extend, fold
from support.cases.chains import amount, digest, say, suspects
from support.cases.made_up import made_up


def _case() -> list[ChainEvent]:
    return [
        say("s", "referral.submitted", "2022-09-28", to=("mps",), amounts=[amount("illegal_gain", "100.00")]),
        say("r", "referral.receipted", "2022-09-29", agency="mps", to=("csrc",), replies="s", prev=None),
        say(
            "c", "referral.corrected", "2022-09-30", corrects="s", amounts=[amount("illegal_gain", "200.00")]
        ),
        say("f", "referral.filed", "2022-09-27", agency="mps", to=("csrc",), replies="s", prev="r"),
    ]


def _names(events: Iterable[ChainEvent]) -> list[str]:
    known = {digest(name): name for name in "abcdefghijklmnopqrstuvwxyz"}
    return [known[event.digest] for event in events]


def test_causes_come_before_effects_whatever_their_dates() -> None:
    """An answer follows what it answers and its producer's earlier event, though it is dated before both."""
    assert _names(fold(_case()).order) == ["s", "r", "f", "c"]


def test_a_correction_takes_effect_at_its_targets_place() -> None:
    """The corrected event speaks with the corrected figure; the correction itself no longer stands."""
    folded = fold(_case())
    assert _names(folded.standing) == ["s", "r", "f"]
    assert folded.standing[0].data["amounts"] == [amount("illegal_gain", "200.00")]
    assert folded.superseded == {digest("s"): (digest("c"),)}


def test_e6_what_a_correction_gives_replaces_the_field_in_full() -> None:
    """A list replaces the whole list, so that an amount can be taken back; what is left empty stands."""
    first = say(
        "s",
        "administrative.penalty_decided",
        "2017-03-30",
        document_no="29",
        suspects=suspects("鲜某", "甲某"),
        amounts=[amount("fine", "2891000000.00"), amount("confiscation", "578000000.00")],
    )
    second = say(
        "c",
        "administrative.corrected",
        "2017-04-01",
        corrects="s",
        document_no=None,
        suspects=[],
        amounts=[amount("fine", "2892000000.00")],
        reasons="typing error",
    )
    folded = fold([first, second])
    (event,) = folded.standing
    assert event.data["document_no"] == "29"
    assert [(a["basis"], str(a["value"])) for a in event.data["amounts"]] == [("fine", "2892000000.00")]
    # Accounts, amounts and suspects of the case are those of the event as it stands.
    account = accounts(folded)
    assert [row["basis"] for row in account["amounts"]] == ["fine"]
    assert [row["basis"] for row in account["agencies"]["csrc"]["amounts"]] == ["fine"]
    assert account["agencies"]["csrc"]["suspects"] == ["鲜某", "甲某"]


@pytest.mark.parametrize("corrects", ["s", "x", None])
def test_e6_a_correction_without_effect_changes_nothing(corrects: str | None) -> None:
    """Rivals, what names an unknown event and what names none: no sum, suspect or document comes of them."""
    account = accounts(fold(_case()[:1]))
    rival = say("d", "referral.corrected", "2022-10-01", corrects="s", suspects=suspects("丁某"))
    idle = say(
        "c",
        "referral.corrected",
        "2022-09-30",
        corrects=corrects,
        case_no="9",
        amounts=[amount("illegal_gain", "200.00")],
        suspects=suspects("丙某"),
    )
    folded = fold([*_case()[:1], idle, *([rival] if corrects == "s" else [])])
    assert folded.is_idle(idle)
    found = accounts(folded)
    assert {name: found[name] for name in account if name != "events"} == {
        name: account[name] for name in account if name != "events"
    }


@pytest.mark.parametrize("withdrawn", ["2022-09-29", "2022-10-01"])
def test_c4_a_withdrawal_takes_the_event_back_with_its_corrections(withdrawn: str) -> None:
    """Whatever came first, what is taken back by its first version leaves nothing, and no rivals."""
    later = say("d", "referral.corrected", "2022-10-02", corrects="c", amounts=[amount("illegal_gain", "3")])
    taken_back = say("w", "referral.withdrawn", withdrawn, withdraws="s")
    folded = fold([*_case(), later, taken_back])
    assert folded.rivals == ()
    assert "s" not in _names(folded.standing)
    assert folded.withdrawn == {digest(name): digest("w") for name in "scd"}
    assert accounts(folded)["amounts"] == []
    again = say("v", "referral.withdrawn", "2022-10-03", withdraws="s")
    assert fold([*_case(), taken_back, again]).rivals == ()


def test_a_correction_of_a_correction_reaches_the_first_event() -> None:
    """The chain of corrections is applied from its end."""
    events = [
        *_case(),
        say("d", "referral.corrected", "2022-10-01", corrects="c", amounts=[amount("illegal_gain", "3")]),
    ]
    folded = fold(events)
    assert folded.standing[0].data["amounts"] == [amount("illegal_gain", "3")]
    assert folded.superseded[digest("s")] == (digest("c"), digest("d"))
    assert folded.origin_of(digest("d")) == digest("s")


def test_rival_corrections_leave_the_event_as_it_was() -> None:
    """Two corrections of one event side by side: neither takes effect, both stay visible."""
    events = [
        *_case(),
        say("d", "referral.corrected", "2022-10-01", corrects="s", amounts=[amount("illegal_gain", "3")]),
    ]
    folded = fold(events)
    assert folded.standing[0].data["amounts"] == [amount("illegal_gain", "100.00")]
    assert [_names(rivals) for rivals in folded.rivals] == [["c", "d"]]


def test_a_withdrawn_correction_is_no_rival() -> None:
    """Taking one of two rivals back lets the other take effect."""
    events = [
        *_case(),
        say("d", "referral.corrected", "2022-10-01", corrects="s", amounts=[amount("illegal_gain", "3")]),
        say("w", "referral.withdrawn", "2022-10-02", withdraws="c"),
    ]
    folded = fold(events)
    assert folded.rivals == ()
    assert folded.standing[0].data["amounts"] == [amount("illegal_gain", "3")]
    assert folded.withdrawn == {digest("c"): digest("w")}


def test_nobody_corrects_what_another_agency_said() -> None:
    """A correction by another agency has no effect and is shown."""
    events = [
        *_case()[:1],
        say("x", "referral.corrected", "2022-10-01", agency="mps", corrects="s", amounts=[]),
    ]
    folded = fold(events)
    assert _names(folded.strangers) == ["x"]
    assert folded.superseded == {}


def test_a_circle_of_answers_is_ordered_by_time_and_shown() -> None:
    """Two events that answer each other are put in the order of their times."""
    events = [
        say("a", "consultation.requested", "2022-01-02", replies="b"),
        say("b", "consultation.answered", "2022-01-01", agency="mps", replies="a"),
        say("d", "consultation.requested", "2022-01-03", replies="a"),
    ]
    folded = fold(events)
    assert _names(folded.order) == ["b", "a", "d"]
    assert [_names(cycle) for cycle in folded.cycles] == [["b", "a"]]


def test_the_same_id_with_other_contents_keeps_both() -> None:
    """Neither of two events under one id is dropped; an answer's hash says which one it means."""
    events = [
        say("a", "referral.submitted", "2022-01-01", id_of="s"),
        say("b", "referral.submitted", "2022-01-02", id_of="s"),
        say("f", "referral.filed", "2022-01-03", agency="mps", replies="s", binds="b"),
    ]
    folded = fold(events)
    request = folded.request_of(folded.order[-1])
    assert request is not None
    assert request.digest == digest("b")


_NAMES = "abcdefgh"


@st.composite
def histories(draw: st.DrawFn) -> list[ChainEvent]:
    """Random events that answer, correct, withdraw and follow each other, also in circles."""
    events = []
    for name in _NAMES[: draw(st.integers(1, len(_NAMES)))]:
        other = st.none() | st.sampled_from(_NAMES)
        touched = draw(other)
        events.append(
            say(
                name,
                "referral.filed",
                f"2022-01-{draw(st.integers(1, 4)):02d}",
                agency=draw(st.sampled_from(("csrc", "mps"))),
                replies=draw(other),
                binds=draw(other),
                corrects=touched if draw(st.booleans()) else None,
                withdraws=draw(other) if draw(st.integers(0, 3)) == 0 else None,
                prev=chr(ord(name) - 1) if name != "a" and draw(st.booleans()) else None,
                id_of=draw(st.sampled_from([name, name, name, "a"])),
                amounts=[amount("illegal_gain", str(draw(st.integers(1, 3))))],
            )
        )
    return events


def _signature(folded: Folded) -> object:
    standing = [(event.digest, repr(event.data)) for event in folded.standing]
    disputes = (folded.rivals, folded.strangers, folded.cycles)
    return folded.order, standing, folded.superseded, folded.withdrawn, disputes


@pytest.mark.thorough
@settings(max_examples=made_up(300), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_fold_alike(events: list[ChainEvent], chance: random.Random) -> None:
    """The fold depends on the set of events only."""
    arrived = events + [event for event in events if chance.random() < 0.4]
    chance.shuffle(arrived)
    assert _signature(fold(arrived)) == _signature(fold(events))


@pytest.mark.thorough
@settings(max_examples=made_up(300), deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_one_by_one_equals_all_at_once(events: list[ChainEvent], chance: random.Random) -> None:
    """Adding events one after the other, by the short way where it applies, equals folding them all anew."""
    chance.shuffle(events)
    folded = fold(events[:1])
    for event in events[1:]:
        folded = extend(folded, event)
    assert _signature(folded) == _signature(fold(events))


def test_a1_a_long_row_of_corrections_is_folded() -> None:
    """Corrections of corrections, 1,500 deep: the last that takes effect stands in the first one's place."""
    row = [say("c0", "referral.submitted", "2022-01-01", amounts=[amount("illegal_gain", "0.00")])]
    for number in range(1, 1501):
        row.append(
            say(
                f"c{number}",
                "referral.corrected",
                "2022-01-02",
                corrects=f"c{number - 1}",
                amounts=[amount("illegal_gain", f"{number}.00")],
            )
        )
    folded = fold(row)
    (event,) = folded.standing
    assert event.data["amounts"] == [amount("illegal_gain", f"{MOST_CORRECTIONS}.00")]
    assert [len(idle) for idle in folded.too_many.values()] == [1500 - MOST_CORRECTIONS]


def test_an_answer_belongs_to_what_was_admitted_first_under_its_id() -> None:
    """Whoever says more under a known id, and claims an earlier time, takes no answer; a hash decides."""
    events = [
        say("s", "referral.submitted", "2022-01-05", admitted="2022-01-05"),
        say("t", "referral.submitted", "2022-01-01", agency="court", id_of="s", admitted="2022-01-08"),
        say("f", "referral.filed", "2022-01-06", agency="mps", replies="s", admitted="2022-01-06"),
        say("g", "referral.filed", "2022-01-07", agency="mps", replies="s", binds="t", admitted="2022-01-09"),
    ]
    for order in (events, events[::-1]):
        folded = fold(order)
        answered = [folded.request_of(folded.by_digest[digest(name)]) for name in "fg"]
        assert [event and event.digest for event in answered] == [digest("s"), digest("t")]
