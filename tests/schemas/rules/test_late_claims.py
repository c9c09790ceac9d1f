"""Times that lie behind the event that states them, or behind its admission: seen, and not believed."""

from typing import Any

from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import at, say

NOW = at("2026-11-28T12:00")
FACTS: dict[str, Any] = {"competent": True, "complete": True}


def test_e9_a_receipt_of_2062_does_not_open_the_term_until_then() -> None:
    """R07 names the claim; the term counts from when the bus had the receipt, and runs out in its time."""
    received: dict[str, Any] = {"received_at": at("2062-11-03T10:00"), **FACTS}
    receipt = say("r", "referral.receipted", "2026-11-03", agency="mps", to=("csrc",), **received)
    found = reconcile([receipt])
    (duty,) = found.duties
    assert (duty.clock.id, duty.state(NOW), duty.started_at) == ("DL06", "overdue", at("2026-11-03"))
    (claimed,) = [finding for finding in found.findings(NOW) if finding.rule == "R07"]
    assert "2062-11-03" in claimed.because.zh
    assert claimed.suggestion is not None


def test_e9_a_corrected_time_counts_from_its_correction() -> None:
    """A time past when it was corrected, but to come when the event was said, is later than the event."""
    receipt = say(
        "r", "referral.receipted", "2026-11-03", agency="mps", received_at=at("2026-11-03"), **FACTS
    )
    later: dict[str, Any] = {"reasons": "-", "received_at": at("2026-11-20T10:00")}
    correction = say("c", "referral.corrected", "2026-11-21", agency="mps", corrects="r", **later)
    found = reconcile([receipt, correction])
    assert "R07" in [finding.rule for finding in found.findings(NOW)]
    right: dict[str, Any] = {"reasons": "-", "received_at": at("2026-11-02T10:00")}
    again = say("c", "referral.corrected", "2026-11-21", agency="mps", corrects="r", **right)
    assert "R07" not in [finding.rule for finding in reconcile([receipt, again]).findings(NOW)]


def test_c2_an_answer_dated_into_the_next_year_counts_as_of_its_admission() -> None:
    """Nothing happens after the bus has heard of it: the answer is in time, and R07 says what cannot be."""
    asked = say("q", "consultation.requested", "2026-11-02", to=("mps",))
    said: dict[str, Any] = {"agency": "mps", "to": ("csrc",), "replies": "q", "admitted": "2026-11-05T10:00"}
    answer = say("a", "consultation.answered", "2027-11-05T10:00", **said)
    found = reconcile([asked, answer])
    assert [duty.state(NOW) for duty in found.duties] == ["met"]
    assert [finding.rule for finding in found.findings(NOW)] == ["R07"]
