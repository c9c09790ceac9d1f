"""Where a case is: the furthest state from which it still goes on, and what ended it."""

import pytest

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from support.cases.chains import say, suspects

SENT = say("s", "referral.submitted", "2022-03-01", suspects=suspects("甲某", "乙某"))
FILED = say("f", "referral.filed", "2022-03-05", agency="mps", replies="s")


def _states(*events: ChainEvent) -> tuple[str | None, list[str]]:
    found = accounts(fold(events))
    return found["status"], [charge["status"] for who in found["suspects"] for charge in who["charges"]]


def test_c12_a_cancelled_case_is_cancelled() -> None:
    """A cancellation that lists nobody cancels the case for all."""
    cancelled = say("c", "progress.cancelled", "2022-06-01", agency="mps")
    assert _states(SENT, FILED, cancelled) == ("cancelled", ["cancelled", "cancelled"])


def test_a_case_goes_on_for_those_whom_the_cancellation_does_not_name() -> None:
    """Cancelled for one suspect, the case stays where it is for the other."""
    cancelled = say("c", "progress.cancelled", "2022-06-01", agency="mps", suspects=suspects("甲某"))
    assert _states(SENT, FILED, cancelled) == ("filed", ["cancelled", "filed"])


@pytest.mark.parametrize(
    ("going_on", "ended"),
    [
        ("outcome.prosecuted", "outcome.not_prosecuted"),
        ("outcome.prosecuted", "outcome.indictment_withdrawn"),
    ],
)
def test_an_end_for_one_suspect_is_not_the_end_of_the_case(going_on: str, ended: str) -> None:
    """A case in which one suspect is prosecuted is prosecuted, whatever ended for the other."""
    one = say("p", going_on, "2022-09-01", agency="spp", suspects=suspects("甲某"))
    other = say("n", ended, "2022-09-02", agency="spp", suspects=suspects("乙某"))
    assert _states(SENT, FILED, one, other)[0] == "prosecuted"


def test_a_withdrawn_referral_is_withdrawn() -> None:
    """A case of which only a withdrawn referral was said is withdrawn; after a penalty it is penalised."""
    withdrawn = say("w", "referral.withdrawn", "2022-03-02", withdraws="s")
    assert _states(SENT, withdrawn) == ("withdrawn", [])
    penalty = say("a", "administrative.penalty_decided", "2022-01-02", suspects=suspects("甲某"))
    assert _states(penalty, SENT, withdrawn)[0] == "penalised"


def test_what_answers_a_withdrawn_referral_does_not_keep_it_alive() -> None:
    """Receipted and then withdrawn, a referral is withdrawn; filed, only the police can end it."""
    received = say("r", "referral.receipted", "2022-03-02", agency="mps", replies="s")
    withdrawn = say("w", "referral.withdrawn", "2022-03-08", withdraws="s")
    assert _states(SENT, received)[0] == "received"
    assert _states(SENT, received, withdrawn)[0] == "withdrawn"
    assert _states(SENT, received, FILED, withdrawn)[0] == "filed"
    again = say("s2", "referral.submitted", "2022-04-01", suspects=suspects("甲某"))
    assert _states(SENT, received, withdrawn, again)[0] == "referred"


def test_a_withdrawn_question_is_no_state_of_a_case() -> None:
    """Taking back what brings a case nowhere leaves it without a state."""
    asked = say("q", "consultation.requested", "2022-03-02")
    assert _states(asked, say("w", "consultation.closed", "2022-03-03", withdraws="q")) == (None, [])


def _refused() -> list[ChainEvent]:
    return [SENT, say("n", "referral.not_filed", "2022-03-05", agency="mps", to=("csrc",), replies="s")]


def test_a_refusal_to_file_goes_its_way_to_the_order_to_file() -> None:
    """Not filed, reconsidered, supervised, ordered, filed: the case is where its last step has brought it."""
    steps = [
        *_refused(),
        say("q", "referral.reconsideration_requested", "2022-03-08", to=("mps",), replies="n"),
        say("d", "referral.reconsideration_decided", "2022-03-10", agency="mps", replies="q"),
        say("u", "supervision.suggested", "2022-03-12", to=("spp",), replies="d"),
        say("r", "supervision.reasons_requested", "2022-03-15", agency="spp", to=("mps",), replies="u"),
        say("a", "supervision.reasons_answered", "2022-03-20", agency="mps", to=("spp",), replies="r"),
        say("o", "supervision.notice_to_file", "2022-03-25", agency="spp", to=("mps",), replies="a"),
        say("f", "referral.filed", "2022-04-01", agency="mps", to=("csrc",), replies="o"),
    ]
    assert [_states(*steps[: number + 1])[0] for number in range(len(steps))] == [
        "referred",
        "not_filed",
        "reconsidering",
        "not_filed",
        "supervised",
        "supervised",
        "supervised",
        "ordered_to_file",
        "filed",
    ]
    held = say("h", "supervision.reasons_accepted", "2022-03-25", agency="spp", to=("csrc",), replies="a")
    assert _states(*steps[:7], held)[0] == "not_filed"


def test_a_late_step_of_supervision_leaves_a_filed_case_where_it_is() -> None:
    """What belongs to a refusal moves nothing of a case that was filed since."""
    late = say("o", "supervision.notice_to_file", "2022-03-20", agency="spp", to=("mps",))
    assert _states(SENT, FILED, late)[0] == "filed"


def test_returned_and_back() -> None:
    """A case that is returned is not under review, and is again when it comes back."""
    both = suspects("甲某", "乙某")
    sent = say(
        "t", "progress.transferred_for_prosecution", "2022-05-01", agency="mps", to=("spp",), suspects=both
    )
    returned = say("r", "progress.returned_for_supplement", "2022-05-20", agency="spp", to=("mps",))
    back = say("b", "progress.resubmitted", "2022-06-10", agency="mps", to=("spp",), replies="r")
    assert _states(SENT, FILED, sent, returned)[0] == "returned_for_supplement"
    assert _states(SENT, FILED, sent, returned, back)[0] == "under_review"


def test_each_suspect_goes_his_own_way() -> None:
    """One is prosecuted and one penalised: the case is prosecuted; while one is reviewed it goes on."""
    both = suspects("甲某", "乙某")
    sent = say(
        "t", "progress.transferred_for_prosecution", "2022-05-01", agency="mps", to=("spp",), suspects=both
    )
    free = say("n", "outcome.not_prosecuted", "2022-06-01", agency="spp", suspects=suspects("乙某"))
    assert _states(SENT, FILED, sent, free) == ("under_review", ["under_review", "not_prosecuted"])
    charged = say("p", "outcome.prosecuted", "2022-06-02", agency="spp", suspects=suspects("甲某"))
    desk = say("d", "reverse.sent_to_admin_desk", "2022-06-03", agency="spp", suspects=suspects("乙某"))
    opinion = say(
        "o", "reverse.opinion_issued", "2022-06-10", agency="spp", to=("csrc",), suspects=suspects("乙某")
    )
    penalty = say("x", "reverse.penalty_decided", "2022-08-01", to=("spp",), suspects=suspects("乙某"))
    before = (SENT, FILED, sent, free, charged)
    assert _states(*before, desk) == ("prosecuted", ["prosecuted", "reverse_review"])
    assert _states(*before, desk, opinion)[1] == ["prosecuted", "opinion_issued"]
    assert _states(*before, desk, opinion, penalty) == ("prosecuted", ["prosecuted", "penalised"])


def test_the_police_pass_on_what_is_no_crime() -> None:
    """A case that was not filed is handled by the regulator, which penalises or does not."""
    passed = say("p", "reverse.police_transferred", "2022-03-08", agency="mps", to=("csrc",))
    none = say("x", "reverse.no_penalty", "2022-06-01", to=("mps",), replies="p")
    assert _states(*_refused(), passed)[0] == "administrative_handling"
    assert _states(*_refused(), passed, none)[0] == "not_penalised"
