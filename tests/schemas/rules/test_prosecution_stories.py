"""Two whole stories of a prosecution: state, duties and findings as the law and the calendar give them."""

from dataclasses import replace

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from support.cases.chains import at, digest, say, suspects
from support.cases.prosecution_clocks import signed


def _found(case: Reconciled, now: str) -> list[str]:
    return [finding.rule for finding in case.findings(at(now))]


def _duties(case: Reconciled, now: str, *clocks: str) -> dict[str, str]:
    return {duty.clock.id: duty.state(at(now)) for duty in case.duties if duty.clock.id in clocks}


def _spp(name: str, type: str, when: str, desk: str, **data: object) -> ChainEvent:
    told = {"to": ("spp/admin-desk",), "told": ("spp", "mps", "csrc")} if desk else {}
    said = say(name, type, when, agency="spp", **(told | data))  # type: ignore[arg-type]
    return replace(said, source=f"/spp/{desk}")


def test_a_refusal_is_supervised_and_filed_in_the_last_minute() -> None:
    """Refused on 06-06, reconsidered, upheld, supervised, ordered on 06-27, filed on day 15 at 23:59.

    Each answer is given on the last day of its term: nothing is found. A minute later it is too late.
    """
    refused = [
        say("s", "referral.submitted", "2022-06-01T09:00", to=("mps",), suspects=suspects("甲")),
        say(
            *("r", "referral.receipted", "2022-06-01T15:00"),
            agency="mps",
            to=("csrc",),
            replies="s",
            received_at=at("2022-06-01T14:00"),
            competent=True,
            complete=True,
        ),
        say("n", "referral.not_filed", "2022-06-06T10:00", agency="mps", to=("csrc",), replies="s"),
        signed("n", "csrc", "2022-06-06T11:00"),
    ]
    asked = [
        # Three days from 06-06: Thursday 06-09.
        say("q", "referral.reconsideration_requested", "2022-06-09T17:00", to=("mps",), replies="n"),
        signed("q", "mps", "2022-06-09T18:00"),
        # Three days from 06-09: Sunday 06-12, then Monday 06-13.
        say(
            *("d", "referral.reconsideration_decided", "2022-06-13T10:00"),
            agency="mps",
            to=("csrc",),
            replies="q",
            result="upheld",
        ),
        signed("d", "csrc", "2022-06-13T11:00"),
        # Three days from 06-13: Thursday 06-16.
        say("u", "supervision.suggested", "2022-06-16T10:00", to=("spp",), replies="d"),
        say("w", "supervision.reasons_requested", "2022-06-17T10:00", agency="spp", to=("mps",), replies="u"),
        signed("w", "mps", "2022-06-17T11:00"),
        # Seven days from 06-17: Friday 06-24.
        say("a", "supervision.reasons_answered", "2022-06-24T10:00", agency="mps", to=("spp",), replies="w"),
        signed("a", "spp", "2022-06-24T11:00"),
        say("o", "supervision.notice_to_file", "2022-06-27T10:00", agency="spp", to=("mps",), replies="a"),
        signed("o", "mps", "2022-06-27T11:00"),
    ]
    ours = ("DL07", "DL08", "DL09", "DL11", "DL12", "DL13")
    ordered = reconcile([*refused, *asked])
    assert ordered.status == "ordered_to_file"
    # Of the fifteen days from 06-27 the last is Tuesday 07-12.
    assert _duties(ordered, "2022-07-12T12:00", *ours) == {
        "DL07": "met",
        "DL08": "contested",  # on the day after Sunday: in time only if terms are moved past holidays
        "DL09": "met",
        "DL11": "met",
        "DL12": "due",
        "DL13": "met",
    }
    assert _found(ordered, "2022-07-12T23:59") == []
    assert _found(ordered, "2022-07-13") == ["R10"]
    filed = say("f", "referral.filed", "2022-07-12T23:59", agency="mps", to=("csrc",), replies="o")
    in_time = reconcile([*refused, *asked, filed])
    assert (in_time.status, _found(in_time, "2022-07-13")) == ("filed", [])
    assert _duties(in_time, "2022-07-13", "DL12") == {"DL12": "met"}
    late = say("f", "referral.filed", "2022-07-13T00:01", agency="mps", to=("csrc",), replies="o")
    assert _found(reconcile([*refused, *asked, late]), "2022-07-13T12:00") == ["R10"]


def test_of_two_one_is_prosecuted_and_the_other_passed_on_too_late() -> None:
    """Not prosecuted on 2025-01-09, passed on the fourth working day, contested, resumed, proposed."""
    begun = [
        say(
            *("t", "progress.transferred_for_prosecution", "2024-12-20T10:00"),
            agency="mps",
            to=("spp",),
            suspects=suspects("甲", "乙"),
        ),
        say(
            *("p", "outcome.prosecuted", "2025-01-08T10:00"),
            agency="spp",
            to=("mps", "csrc"),
            suspects=suspects("甲"),
            replies="t",
        ),
        _spp(
            *("n", "outcome.not_prosecuted", "2025-01-09T10:00", "criminal-desk"),
            suspects=suspects("乙"),
            replies="t",
        ),
    ]
    # Working days 10, 13, 14; the fourth is Wednesday 01-15.
    sent = _spp(
        *("d", "reverse.sent_to_admin_desk", "2025-01-15T10:00", "criminal-desk"),
        suspects=suspects("乙"),
        replies="n",
    )
    assert _found(reconcile(begun), "2025-01-14T23:59") == []
    assert _found(reconcile(begun), "2025-01-15") == ["R14"]
    passed = reconcile([*begun, sent])
    assert (passed.status, _found(passed, "2025-01-16")) == ("prosecuted", ["R14"])
    # Ten working days from 01-15 (16, 17, 20 to 24, 26 and 27 made up, then after the Spring Festival 02-05).
    assert _duties(passed, "2025-02-05T12:00", "DL29") == {"DL29": "due"}
    contested = say(
        *("q", "outcome.reconsideration_requested", "2025-01-16T10:00"),
        agency="mps",
        to=("spp",),
        replies="n",
    )
    still = reconcile([*begun, sent, contested])
    assert _duties(still, "2025-06-01", "DL29") == {"DL29": "open"}
    decided = say(
        *("e", "outcome.reconsideration_decided", "2025-02-10T10:00"),
        agency="spp",
        to=("mps",),
        replies="q",
        result="upheld",
    )
    assert _duties(reconcile([*begun, sent, contested, decided]), "2025-02-14", "DL29") == {"DL29": "open"}
    opinion = _spp(
        *("o", "reverse.opinion_issued", "2025-02-13T10:00", "admin-desk"),
        to=("csrc",),
        suspects=suspects("乙"),
        replies="d",
    )
    proposed = reconcile([*begun, sent, contested, decided, opinion])
    assert _duties(proposed, "2025-02-14", "DL29", "DL30") == {"DL29": "met", "DL30": "open"}
    states = {
        one["name"]: [charge["status"] for charge in one["charges"]] for one in proposed.accounts["suspects"]
    }
    assert states == {"甲": ["prosecuted"], "乙": ["opinion_issued"]}
    assert digest("o") in {duty.cause.digest for duty in proposed.duties}
