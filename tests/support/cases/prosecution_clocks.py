"""Clocks from filing to the judgment and to a penalty instead: a chain each, counted by hand."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from support.cases.chains import amount, at, digest, say, suspects

Row = tuple[str, datetime, datetime, datetime, str]
"""Who owes, from when, due at the earliest and at the latest, and the state at the asked time."""


def signed(event: str, by: str, when: str) -> ChainEvent:
    """A receipt that an agency has signed for an event."""
    return say(
        f"signed {event}", "receipt.signed", when, agency=by, event=digest(event), received_at=at(when)
    )


def both() -> list[dict[str, Any]]:
    """Two natural persons."""
    return suspects("甲", "乙")


def mps(name: str, type: str, when: str, **data: Any) -> ChainEvent:
    """Said by the police to the procuratorate."""
    return say(name, type, when, agency="mps", to=("spp",), **data)


def spp(name: str, type: str, when: str, **data: Any) -> ChainEvent:
    """Said by the procuratorate to the police."""
    return say(name, type, when, agency="spp", to=("mps",), **data)


def court(name: str, type: str, when: str, **data: Any) -> ChainEvent:
    """Said by the court to the procuratorate."""
    return say(name, type, when, agency="court", to=("spp",), **data)


DESK = replace(
    say(
        *("s", "reverse.sent_to_admin_desk", "2025-01-09"),
        agency="spp",
        to=("spp/admin-desk",),
        told=("spp", "mps", "court"),
    ),
    source="/spp/criminal-desk",
)
Case = tuple[list[ChainEvent], str, list[tuple[str, str, str, str, str]]]
SUPERVISION: dict[str, Case] = {
    # Reported on Thursday 06-02: day 3 is Sunday 06-05 (Dragon Boat), then Monday; workdays 6, 7, 8:
    # approved on the last of the longest reading only.
    "DL01": (
        [say("a", "referral.approved", "2022-06-08T10:00", reported_at=at("2022-06-02T09:00"))],
        "2022-07-01",
        [("csrc", "2022-06-02T09:00", "2022-06-06", "2022-06-09", "contested")],
    ),
    # Received on Thursday 06-02: day 3 is Sunday 06-05, then Monday 06-06; workdays 6, 7, 8.
    "DL07": (
        [
            say("n", "referral.not_filed", "2022-06-01T10:00", agency="mps", to=("csrc",)),
            signed("n", "csrc", "2022-06-02T09:00"),
        ],
        "2022-06-09",
        [("csrc", "2022-06-02T09:00", "2022-06-06", "2022-06-09", "lapsed")],
    ),
    # Received on Wednesday 06-08: day 3 is Saturday 06-11, then Monday 06-13; workdays 9, 10, 13.
    "DL08": (
        [
            say("q", "referral.reconsideration_requested", "2022-06-08T10:00", to=("mps",)),
            signed("q", "mps", "2022-06-08T15:00"),
        ],
        "2022-06-13",
        [("mps", "2022-06-08T15:00", "2022-06-12", "2022-06-14", "contested")],
    ),
    # Fetched on Wednesday 06-08: as above.
    "DL09": (
        [
            say(
                *("d", "referral.reconsideration_decided", "2022-06-08T10:00"),
                agency="mps",
                to=("csrc",),
                result="upheld",
            ),
            say(
                *("f", "receipt.delivered", "2022-06-08T12:00"),
                deliveries=[{"event": digest("d"), "fetched_at": at("2022-06-08T11:00")}],
            ),
        ],
        "2022-06-13",
        [("csrc", "2022-06-08T11:00", "2022-06-12", "2022-06-14", "contested")],
    ),
    # No receipt: seven days from the sending, 06-08, end on 06-15, from the arrival, 06-10, on 06-17.
    "DL11": (
        [spp("q", "supervision.reasons_requested", "2022-06-08T10:00", admitted="2022-06-10")],
        "2022-06-20",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-18", "contested")],
    ),
    # Received on 06-09: filed in the last minute of day 15, Friday 06-24.
    "DL12": (
        [
            spp("o", "supervision.notice_to_file", "2022-06-08T10:00"),
            signed("o", "mps", "2022-06-09T10:00"),
            mps("f", "referral.filed", "2022-06-24T23:59", replies="o"),
        ],
        "2022-07-01",
        [("mps", "2022-06-09T10:00", "2022-06-25", "2022-06-25", "met")],
    ),
    # Received on 06-09: day 10 is Sunday 06-19, then Monday 06-20.
    "DL13": (
        [
            mps("a", "supervision.reasons_answered", "2022-06-08T10:00"),
            signed("a", "spp", "2022-06-09T10:00"),
        ],
        "2022-06-20",
        [("spp", "2022-06-09T10:00", "2022-06-20", "2022-06-21", "contested")],
    ),
    # The regulator's own word starts nothing, the procuratorate's does: seven days, to Wednesday 06-15.
    "DL14": (
        [
            say("c", "supervision.overdue_decision", "2022-06-06T10:00", to=("spp",)),
            spp("o", "supervision.overdue_decision", "2022-06-08T10:00", replies="c"),
        ],
        "2022-06-15T12:00",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-16", "due")],
    ),
    # Three months from 03-10 are over with 06-10.
    "DL15": (
        [
            spp("o", "supervision.notice_to_file", "2022-03-01T10:00"),
            mps("f", "referral.filed", "2022-03-10T10:00", replies="o"),
        ],
        "2022-06-11",
        [("spp", "2022-06-11", "2023-06-12", "2023-06-12", "open")],
    ),
    # Received on 06-09: fifteen days to Friday 06-24; the police object before.
    "DL37": (
        [
            spp("o", "supervision.notice_to_cancel", "2022-06-08T10:00"),
            signed("o", "mps", "2022-06-09T10:00"),
            mps("q", "supervision.reconsideration_requested", "2022-06-20T10:00", replies="o"),
        ],
        "2022-07-01",
        [("mps", "2022-06-09T10:00", "2022-06-25", "2022-06-25", "met")],
    ),
    # Seven days from 06-20 end on Monday 06-27.
    "DL38": (
        [
            mps("q", "supervision.reconsideration_requested", "2022-06-20T10:00"),
            signed("q", "spp", "2022-06-20T11:00"),
        ],
        "2022-06-28",
        [("spp", "2022-06-20T11:00", "2022-06-28", "2022-06-28", "overdue")],
    ),
    # Fifteen days from 06-21 end on Wednesday 07-06.
    "DL39": (
        [
            mps("q", "supervision.review_requested", "2022-06-20T10:00"),
            signed("q", "spp", "2022-06-21T10:00"),
        ],
        "2022-07-06",
        [("spp", "2022-06-21T10:00", "2022-07-07", "2022-07-07", "due")],
    ),
    # Day 10 is Saturday 06-18, then Monday 06-20. Of a penalty that is enough for a crime, sent to the
    # procuratorate only, no copy is there; that of another one is measured by itself.
    "DL43": (
        [
            say(
                *("p", "administrative.penalty_decided", "2022-06-08T10:00"),
                to=("spp",),
                amounts=[amount("illegal_gain", "1000000", "2022-05-16", "2022-05-20")],
            ),
            say("q", "administrative.penalty_decided", "2022-06-08T11:00", to=("spp",)),
            say(
                *("k", "administrative.penalty_copied", "2022-06-20T10:00"),
                to=("mps", "spp"),
                replies="q",
                decided_on=date(2022, 6, 8),
            ),
        ],
        "2022-07-01",
        [
            ("csrc", "2022-06-08T10:00", "2022-06-19", "2022-06-21", "overdue"),
            ("csrc", "2022-06-08", "2022-06-19", "2022-06-21", "contested"),
        ],
    ),
    # Seven days from 06-08 end on 06-15, the thirty of the longer time on Friday 07-08.
    "DL50": (
        [
            say("c", "clue.submitted", "2022-06-08T10:00", to=("mps",)),
            signed("c", "mps", "2022-06-08T12:00"),
            mps("x", "referral.extension_approved", "2022-06-14", replies="c", level="county"),
        ],
        "2022-07-01",
        [("mps", "2022-06-08T12:00", "2022-07-09", "2022-07-09", "open")],
    ),
}
REVERSE: dict[str, Case] = {
    # Workdays 10, 13, 14 January; one of the two is passed on.
    "DL28": (
        [
            replace(
                say("n", "outcome.not_prosecuted", "2025-01-09", agency="spp", suspects=both()),
                source="/spp/criminal-desk",
            ),
            replace(
                say("s", "reverse.sent_to_admin_desk", "2025-01-13", agency="spp", suspects=suspects("甲")),
                source="/spp/criminal-desk",
            ),
        ],
        "2025-01-14T09:00",
        [
            ("spp/criminal-desk", "2025-01-09", "2025-01-15", "2025-01-15", "met"),
            ("spp/criminal-desk", "2025-01-09", "2025-01-15", "2025-01-15", "due"),
        ],
    ),
    # Ten workdays end on 01-23; three workdays stood still (15, 16, 17), made good on 24, 26 (made up), 27.
    "DL29": (
        [
            DESK,
            say("q", "outcome.reconsideration_requested", "2025-01-14T10:00", agency="mps"),
            say("d", "outcome.reconsideration_decided", "2025-01-17T10:00", agency="spp"),
        ],
        "2025-01-24",
        [("spp/admin-desk", "2025-01-09", "2025-01-28", "2025-01-28", "open")],
    ),
    # Received on 06-10: two months end on Wednesday 08-10.
    "DL30": (
        [
            say("o", "reverse.opinion_issued", "2022-06-08T10:00", agency="spp", to=("csrc",)),
            signed("o", "csrc", "2022-06-10T09:00"),
        ],
        "2022-08-11",
        [("csrc", "2022-06-10T09:00", "2022-08-11", "2022-08-11", "overdue")],
    ),
    # The year ends on Wednesday 2023-03-01.
    "DL31": (
        [say("a", "reverse.admin_opened", "2022-03-02", to=("spp",), opened_on=date(2022, 3, 1))],
        "2022-06-01",
        [("csrc", "2022-03-01", "2023-03-02", "2023-03-02", "open")],
    ),
}
