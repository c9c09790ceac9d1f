"""Clocks that are to come: their files, a chain of events for each, and its terms as counted by hand."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from casebus_schemas.case.chain import ChainEvent
from support.chains import at, digest, say, suspects
from support.clock_tables import table_of

FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "law" / "clocks_to_come"
TABLE = table_of({file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.yaml")})
Row = tuple[str, datetime, datetime, datetime, str]
"""Who owes, from when, due at the earliest and at the latest, and the state at the asked time."""


def signed(event: str, by: str, when: str) -> ChainEvent:
    """A receipt that an agency has signed for an event."""
    return say(
        f"signed {event}", "receipt.signed", when, agency=by, event=digest(event), received_at=at(when)
    )


def two_suspects() -> list[dict[str, object]]:
    """Two natural persons."""
    return suspects("甲", "乙")


DESK = replace(
    say("s", "reverse.sent_to_admin_desk", "2025-01-09", agency="spp", to=("spp/admin-desk",)),
    source="/spp/criminal-desk",
)
CASES: dict[str, tuple[list[ChainEvent], str, list[tuple[str, str, str, str, str]]]] = {
    # Received on Thursday 06-02: day 3 is Sunday 06-05 (Dragon Boat), then Monday 06-06; workdays 6, 7, 8.
    "DL07": (
        [
            say("n", "referral.not_filed", "2022-06-01T10:00", agency="mps", to=("csrc",)),
            signed("n", "csrc", "2022-06-02T09:00"),
        ],
        "2022-06-09",
        [("csrc", "2022-06-02T09:00", "2022-06-06", "2022-06-09", "lapsed")],
    ),
    # Fetched on Wednesday 06-08: day 3 is Saturday 06-11, then Monday 06-13; workdays 9, 10, 13.
    "DL09": (
        [
            say(
                "d",
                "referral.reconsideration_decided",
                "2022-06-08T10:00",
                agency="mps",
                to=("csrc",),
                result="upheld",
            ),
            say(
                "f",
                "receipt.delivered",
                "2022-06-08T12:00",
                deliveries=[{"event": digest("d"), "fetched_at": at("2022-06-08T11:00")}],
            ),
        ],
        "2022-06-13",
        [("csrc", "2022-06-08T11:00", "2022-06-12", "2022-06-14", "contested")],
    ),
    # No receipt: seven days from the sending, 06-08, end on 06-15, from the arrival, 06-10, on 06-17.
    "DL11": (
        [
            say(
                "q",
                "supervision.reasons_requested",
                "2022-06-08T10:00",
                agency="spp",
                to=("mps",),
                admitted="2022-06-10",
            )
        ],
        "2022-06-20",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-18", "contested")],
    ),
    # Received on 06-09: filed in the last minute of day 15, Friday 06-24.
    "DL12": (
        [
            say("o", "supervision.notice_to_file", "2022-06-08T10:00", agency="spp", to=("mps",)),
            signed("o", "mps", "2022-06-09T10:00"),
            say("f", "referral.filed", "2022-06-24T23:59", agency="mps", replies="o"),
        ],
        "2022-07-01",
        [("mps", "2022-06-09T10:00", "2022-06-25", "2022-06-25", "met")],
    ),
    # The regulator's own word starts nothing, the procuratorate's does: seven days, to Wednesday 06-15.
    "DL14": (
        [
            say("c", "supervision.overdue_decision", "2022-06-06T10:00", to=("spp",)),
            say(
                "o",
                "supervision.overdue_decision",
                "2022-06-08T10:00",
                agency="spp",
                to=("mps",),
                replies="c",
            ),
        ],
        "2022-06-15T12:00",
        [("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-16", "due")],
    ),
    # Three months from 03-10 are over with 06-10.
    "DL15": (
        [say("f", "referral.filed", "2022-03-10T10:00", agency="mps")],
        "2022-06-11",
        [("spp", "2022-06-11", "2023-06-12", "2023-06-12", "open")],
    ),
    # Day 3 is 06-11; the longer time is for the second suspect only, seven days, to 06-15.
    "DL17": (
        [
            say("d", "progress.detained", "2022-06-08T10:00", agency="mps", suspects=two_suspects()),
            say("a", "progress.arrest_requested", "2022-06-10T10:00", agency="mps", suspects=suspects("甲")),
            say(
                "x",
                "progress.custody_extended",
                "2022-06-10T11:00",
                agency="mps",
                approved_by="county",
                suspects=suspects("乙"),
            ),
        ],
        "2022-06-16",
        [
            ("mps", "2022-06-08T10:00", "2022-06-12", "2022-06-12", "met"),
            ("mps", "2022-06-08T10:00", "2022-06-16", "2022-06-16", "overdue"),
        ],
    ),
    # In custody seven days without moving past holidays, to 06-15.
    "DL18": (
        [
            say(
                "a",
                "progress.arrest_requested",
                "2022-06-08T10:00",
                agency="mps",
                to=("spp",),
                in_custody=True,
                complex=False,
                suspects=two_suspects(),
            ),
            signed("a", "spp", "2022-06-08T11:00"),
            say(
                "y",
                "progress.arrest_approved",
                "2022-06-14T10:00",
                agency="spp",
                replies="a",
                suspects=suspects("甲"),
            ),
        ],
        "2022-06-15T09:00",
        [
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "met"),
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "due"),
        ],
    ),
    # From the last day of January two months end on the last of March, three on the last of April.
    "DL22": (
        [
            say(
                "e",
                "progress.arrest_executed",
                "2022-02-01T10:00",
                agency="mps",
                to=("spp",),
                executed_on=date(2022, 1, 31),
                suspects=two_suspects(),
            ),
            say(
                "x",
                "progress.custody_extended",
                "2022-03-20T10:00",
                agency="spp",
                approved_by="next-higher",
                suspects=suspects("甲"),
            ),
            say(
                "z",
                "progress.custody_extended",
                "2022-03-20T11:00",
                agency="mps",
                approved_by="next-higher",
                suspects=suspects("乙"),
            ),
        ],
        "2022-04-01",
        [
            ("mps", "2022-01-31", "2022-05-01", "2022-05-01", "open"),
            ("mps", "2022-01-31", "2022-04-01", "2022-04-01", "overdue"),
        ],
    ),
    # A month and 15 days from 06-01 end on Saturday 07-16, then Monday 07-18; anew from 06-20 on 08-04.
    "DL23": (
        [
            say("t", "progress.transferred_for_prosecution", "2022-06-01T10:00", agency="mps", to=("spp",)),
            say("j", "progress.jurisdiction_changed", "2022-06-20T10:00", agency="spp", replies="t"),
        ],
        "2022-07-20",
        [
            ("spp", "2022-06-01T10:00", "2022-07-17", "2022-07-19", "moot"),
            ("spp", "2022-06-20T10:00", "2022-08-05", "2022-08-05", "open"),
        ],
    ),
    # A month from 06-01 ends on Friday 07-01.
    "DL26": (
        [say("r", "progress.returned_for_supplement", "2022-06-01T10:00", agency="spp", to=("mps",))],
        "2022-07-01T09:00",
        [("mps", "2022-06-01T10:00", "2022-07-02", "2022-07-02", "due")],
    ),
    # Thirty days from 06-09 end on Saturday 07-09, then Monday 07-11.
    "DL27": (
        [
            say("n", "outcome.not_prosecuted", "2022-06-08T10:00", agency="spp", to=("mps",)),
            signed("n", "mps", "2022-06-09T10:00"),
        ],
        "2022-07-12",
        [("mps", "2022-06-09T10:00", "2022-07-10", "2022-07-12", "lapsed")],
    ),
    # Workdays 10, 13, 14 January.
    "DL28": (
        [
            replace(
                say("n", "outcome.not_prosecuted", "2025-01-09", agency="spp"), source="/spp/criminal-desk"
            )
        ],
        "2025-01-14T09:00",
        [("spp/criminal-desk", "2025-01-09", "2025-01-15", "2025-01-15", "due")],
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
    # Three months from 06-01 end on Thursday 09-01.
    "DL33": (
        [
            say("p", "outcome.prosecuted", "2022-06-01T10:00", agency="spp", to=("court",)),
            signed("p", "court", "2022-06-01T15:00"),
        ],
        "2022-09-02",
        [("court", "2022-06-01T15:00", "2022-09-02", "2022-09-02", "overdue")],
    ),
}
