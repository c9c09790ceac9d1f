"""Where a case is: the furthest state from which it still goes on, and what ended it."""

import pytest

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from support.chains import say, suspects

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
