"""Clocks of arrest, custody, review for prosecution and trial: a chain each, counted by hand."""

from datetime import date

from support.cases.chains import at, suspects
from support.cases.prosecution_clocks import Case, both, court, mps, signed, spp

CUSTODY: dict[str, Case] = {
    # Day 3 is 06-11; the longer time is for the second suspect only, seven days, to 06-15.
    "DL17": (
        [
            mps("d", "progress.detained", "2022-06-08T10:00", suspects=both()),
            mps("a", "progress.arrest_requested", "2022-06-10T10:00", suspects=suspects("甲")),
            mps(
                "x",
                "progress.detention_extended",
                "2022-06-10T11:00",
                level="special",
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
            mps(
                *("a", "progress.arrest_requested", "2022-06-08T10:00"),
                in_custody=True,
                complex=False,
                suspects=both(),
            ),
            signed("a", "spp", "2022-06-08T11:00"),
            spp("y", "progress.arrest_approved", "2022-06-14T10:00", replies="a", suspects=suspects("甲")),
        ],
        "2022-06-15T09:00",
        [
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "met"),
            ("spp", "2022-06-08T11:00", "2022-06-16", "2022-06-16", "due"),
        ],
    ),
    # Day 3 is Saturday 06-11, then Monday 06-13.
    "DL19": (
        [mps("e", "progress.arrest_executed", "2022-06-14T10:00", executed_on=date(2022, 6, 8))],
        "2022-07-01",
        [("mps", "2022-06-08", "2022-06-12", "2022-06-14", "overdue")],
    ),
    # Seven days from 06-08 end on 06-15.
    "DL20": (
        [
            mps("q", "progress.arrest_reconsideration_requested", "2022-06-08T10:00"),
            signed("q", "spp", "2022-06-08T12:00"),
        ],
        "2022-06-16",
        [("spp", "2022-06-08T12:00", "2022-06-16", "2022-06-16", "overdue")],
    ),
    # Fifteen days from 06-09 end on Friday 06-24.
    "DL21": (
        [
            mps("q", "progress.arrest_review_requested", "2022-06-08T10:00"),
            signed("q", "spp", "2022-06-09T12:00"),
        ],
        "2022-06-24T09:00",
        [("spp", "2022-06-09T12:00", "2022-06-25", "2022-06-25", "due")],
    ),
    # From the last day of January two months end on the last of March, three on the last of April.
    "DL22": (
        [
            spp("y", "progress.arrest_approved", "2022-01-30T10:00", suspects=both()),
            mps(
                *("e", "progress.arrest_executed", "2022-02-01T10:00"),
                replies="y",
                executed_on=date(2022, 1, 31),
                suspects=both(),
            ),
            spp(
                *("x", "progress.custody_extended", "2022-03-20T10:00"),
                level="next_higher",
                suspects=suspects("甲"),
            ),
            mps(
                *("z", "progress.custody_extended", "2022-03-20T11:00"),
                level="next_higher",
                suspects=suspects("乙"),
            ),
        ],
        "2022-04-01",
        [
            ("mps", "2022-01-31", "2022-05-01", "2022-05-01", "open"),
            ("mps", "2022-01-31", "2022-04-01", "2022-04-01", "overdue"),
        ],
    ),
    # Seven days before 06-15 is 06-08: asked on that day in time, on the next one late.
    "DL55": (
        [
            mps(
                "q", "progress.custody_extension_requested", "2022-06-08T10:00", expires_on=date(2022, 6, 15)
            ),
            mps(
                "r", "progress.custody_extension_requested", "2022-06-09T10:00", expires_on=date(2022, 6, 15)
            ),
        ],
        "2022-07-01",
        [
            ("mps", "2022-06-15", "2022-06-09", "2022-06-09", "met"),
            ("mps", "2022-06-15", "2022-06-09", "2022-06-09", "overdue"),
        ],
    ),
    # Day 3 is Saturday 06-11, then Monday 06-13; one of the two is released.
    "DL40": (
        [
            spp("r", "progress.arrest_refused", "2022-06-08T10:00", suspects=both()),
            signed("r", "mps", "2022-06-08T12:00"),
            mps("f", "progress.released", "2022-06-09T10:00", suspects=suspects("甲")),
        ],
        "2022-06-13T09:00",
        [
            ("mps", "2022-06-08T12:00", "2022-06-12", "2022-06-14", "met"),
            ("mps", "2022-06-08T12:00", "2022-06-12", "2022-06-14", "contested"),
        ],
    ),
    # Five days from 06-08 end on Monday 06-13.
    "DL41": (
        [
            spp("r", "progress.arrest_refused", "2022-06-08T10:00"),
            signed("r", "mps", "2022-06-08T12:00"),
        ],
        "2022-06-14",
        [("mps", "2022-06-08T12:00", "2022-06-14", "2022-06-14", "lapsed")],
    ),
    "DL42": (
        [
            spp("d", "progress.arrest_reconsideration_decided", "2022-06-08T10:00", result="upheld"),
            signed("d", "mps", "2022-06-08T12:00"),
        ],
        "2022-06-13T09:00",
        [("mps", "2022-06-08T12:00", "2022-06-14", "2022-06-14", "due")],
    ),
}
REVIEW: dict[str, Case] = {
    # A month and 15 days from 06-01 end on Saturday 07-16, then Monday 07-18; from the day on which the other
    # procuratorate had the case, 06-22, on Saturday 08-06, then Monday 08-08.
    "DL23": (
        [
            mps("t", "progress.transferred_for_prosecution", "2022-06-01T10:00"),
            spp(
                *("j", "progress.jurisdiction_changed", "2022-06-20T10:00"),
                replies="t",
                received_on=date(2022, 6, 22),
            ),
        ],
        "2022-07-20",
        [
            ("spp", "2022-06-01T10:00", "2022-07-17", "2022-07-19", "moot"),
            ("spp", "2022-06-22", "2022-08-07", "2022-08-09", "open"),
        ],
    ),
    # Day 10 is Saturday 06-18, then Monday 06-20.
    "DL24": (
        [
            spp(
                *("f", "progress.fast_track_chosen", "2022-06-09T10:00"),
                received_on=date(2022, 6, 8),
                over_one_year=False,
            )
        ],
        "2022-06-19",
        [("spp", "2022-06-08", "2022-06-19", "2022-06-21", "contested")],
    ),
    # Five days from 06-08 end on Monday 06-13.
    "DL25": (
        [spp("j", "progress.jurisdiction_changed", "2022-06-13T10:00", found_on=date(2022, 6, 8))],
        "2022-07-01",
        [("spp", "2022-06-08", "2022-06-14", "2022-06-14", "met")],
    ),
    # A month from 06-01 ends on Friday 07-01.
    "DL26": (
        [spp("r", "progress.returned_for_supplement", "2022-06-01T10:00")],
        "2022-07-01T09:00",
        [("mps", "2022-06-01T10:00", "2022-07-02", "2022-07-02", "due")],
    ),
    # Thirty days from 06-09 end on Saturday 07-09, then Monday 07-11.
    "DL27": (
        [
            mps("q", "outcome.reconsideration_requested", "2022-06-08T10:00"),
            signed("q", "spp", "2022-06-09T10:00"),
        ],
        "2022-07-12",
        [("spp", "2022-06-09T10:00", "2022-07-10", "2022-07-12", "overdue")],
    ),
    # Decided on Wednesday 06-08: day 3 is Saturday 06-11, then Monday 06-13.
    "DL32": (
        [mps("c", "progress.cancelled", "2022-06-14T10:00", decided_at=at("2022-06-08T10:00"))],
        "2022-07-01",
        [("mps", "2022-06-08T10:00", "2022-06-12", "2022-06-14", "overdue")],
    ),
    # Three months from 06-01 end on Thursday 09-01.
    "DL33": (
        [
            spp("p", "outcome.prosecuted", "2022-06-01T10:00"),
            signed("p", "court", "2022-06-01T15:00"),
        ],
        "2022-09-02",
        [("court", "2022-06-01T15:00", "2022-09-02", "2022-09-02", "overdue")],
    ),
    # Seven days from 06-09 end on Thursday 06-16.
    "DL44": (
        [
            spp("n", "outcome.not_prosecuted", "2022-06-08T10:00"),
            signed("n", "mps", "2022-06-09T10:00"),
        ],
        "2022-06-17",
        [("mps", "2022-06-09T10:00", "2022-06-17", "2022-06-17", "lapsed")],
    ),
    "DL45": (
        [
            spp("d", "outcome.reconsideration_decided", "2022-06-08T10:00", result="upheld"),
            signed("d", "mps", "2022-06-09T10:00"),
            mps("q", "outcome.review_requested", "2022-06-16T18:00", replies="d"),
        ],
        "2022-07-01",
        [("mps", "2022-06-09T10:00", "2022-06-17", "2022-06-17", "met")],
    ),
    "DL46": (
        [
            mps("q", "outcome.review_requested", "2022-06-08T10:00"),
            signed("q", "spp", "2022-06-09T10:00"),
        ],
        "2022-07-10",
        [("spp", "2022-06-09T10:00", "2022-07-10", "2022-07-12", "contested")],
    ),
    # Two months from 06-08 end on Monday 08-08; with the approval four, on 10-08, a Saturday made up for.
    "DL47": (
        [
            court("a", "outcome.appealed", "2022-06-08T10:00"),
            court("x", "outcome.trial_extended", "2022-08-01", replies="a", level="next_higher"),
        ],
        "2022-09-01",
        [("court", "2022-06-08T10:00", "2022-10-09", "2022-10-09", "open")],
    ),
    # Ten days from 06-09 end on Sunday 06-19, then Monday 06-20.
    "DL48": (
        [
            court("j", "outcome.judgment", "2022-06-08T10:00", instance="first"),
            signed("j", "spp", "2022-06-09T10:00"),
        ],
        "2022-06-21",
        [("spp", "2022-06-09T10:00", "2022-06-20", "2022-06-21", "lapsed")],
    ),
    # Thirty days from 06-08 end on Friday 07-08.
    "DL49": (
        [spp("w", "outcome.indictment_withdrawn", "2022-06-08T10:00")],
        "2022-07-09",
        [("spp", "2022-06-08T10:00", "2022-07-09", "2022-07-09", "overdue")],
    ),
}
