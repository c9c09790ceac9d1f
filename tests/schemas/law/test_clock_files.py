"""The loader of clocks: what a file cannot mean is refused, with the file, what was found and expected."""

from datetime import date

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.clock_files import clock_table_of
from casebus_schemas.law.clocks import clock_table
from casebus_schemas.law.namable import package_namable
from support.cases.clock_tables import table_of

GOOD = """
id: DL50
title: {zh: 试, en: try}
starts:
  - {event: referral.receipted, from: received_at, when: [{field: competent, equals: true}]}
duty: [referral.filed]
owed_by: police
owed_to: addressees
approval: {type: referral.extension_approved, by: debtor, level: level}
values:
  2001-07-09:
    readings: [calendar]
    ladder: [{step: one, limit: P3D}, {step: two, limit: P30D, needs: county}]
    reference: [{instrument: decree-310, article: "8"}]
    verified: true
    since_verified: true
  2018-01-01:
    limit: P10D
    readings: [calendar, calendar_rolled]
    reference: [{instrument: spp-mps-2017, article: "16"}]
    verified: true
    since_verified: true
"""
REFUSED = {
    "an unknown key": ("owed_to: addressees", "owed_to: addressees\nowed: x", "owed"),
    "a missing key": ("owed_by: police\n", "", "without owed_by"),
    "another id": ("id: DL50", "id: DL51", "DL51"),
    "two texts of one day": ("  2018-01-01:", "  2001-07-09:", "2001"),
    "texts out of order": ("  2018-01-01:", "  1999-01-01:", "1999-01-01"),
    "an unknown type that starts it": ("referral.receipted", "referral.recepted", "referral.recepted"),
    "an unknown type that meets it": ("[referral.filed]", "[referral.field]", "referral.field"),
    "an unknown field to count from": ("from: received_at", "from: recieved_at", "recieved_at"),
    "an unknown field of a condition": ("field: competent", "field: competence", "competence"),
    "a condition that says nothing": ("{field: competent, equals: true}", "{field: competent}", "competent"),
    "an unknown role": ("owed_by: police", "owed_by: polices", "polices"),
    "an unknown speaker": ("{field: competent, equals: true}", "{speaker: judge}", "judge"),
    "an unknown instrument": ("instrument: decree-310", "instrument: decree-311", "decree-311"),
    "an unknown level": ("needs: county", "needs: country", "country"),
    "a need without approval": (
        "approval: {type: referral.extension_approved, by: debtor, level: level}\n",
        "",
        "county",
    ),
    "an impossible reading": ("limit: P10D", "limit: PT10H", "calendar"),
    "an unknown reading": ("readings: [calendar]", "readings: [calender]", "calender"),
    "no limit": ("limit: P10D", "limit: 10 days", "10 days"),
    "a limit and a ladder": ("    limit: P10D", "    limit: P10D\n    ladder: []", "ladder"),
    "only rungs with approval": ("{step: one, limit: P3D}, ", "", "two"),
    "a step twice": ("step: two", "step: one", "one, one"),
    "a number as text": (
        "verified: true\n    since_verified: true\n  2018",
        "verified: yes please\n    since_verified: true\n  2018",
        "yes please",
    ),
    "a day that is none": ("  2018-01-01:", "  2018:", "2018"),
    "receipt and field": ("from: received_at", "at: receipt, from: received_at", "receipt"),
    "each suspect of a type without suspects": (
        "owed_to: addressees",
        "owed_to: addressees\nfor_each: suspect",
        "suspects",
    ),
    "at most none": ("owed_to: addressees", "owed_to: addressees\nat_most: 0", "0"),
    "no kind of clock": ("owed_to: addressees", "owed_to: addressees\nkind: wish", "wish"),
    "an absence in hours": (
        "owed_to: addressees",
        "owed_to: addressees\nabsence: {of: [referral.filed], for: PT3H}",
        "PT3H",
    ),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_a_file_cannot_mean_is_refused(name: str) -> None:
    """The refusal names the file and what was found."""
    old, new, named = REFUSED[name]
    assert old in GOOD
    with pytest.raises(UsageError) as refused:
        table_of({"DL50.yaml": GOOD.replace(old, new, 1)})
    said = str(refused.value)
    assert "DL50.yaml" in said
    assert named in said


def test_a_file_bears_the_name_of_its_clock() -> None:
    """Two clocks of one id would be two files of one name: a file of another name is refused."""
    with pytest.raises(UsageError, match=r"DL51\.yaml.*DL50"):
        table_of({"DL50.yaml": GOOD, "DL51.yaml": GOOD})


def test_clocks_stand_in_the_order_of_their_ids() -> None:
    """However the folder lists its files."""
    other = GOOD.replace("DL50", "DL49")
    assert list(table_of({"DL50.yaml": GOOD, "DL49.yaml": other}).by_id) == ["DL49", "DL50"]


def test_a_text_counts_until_the_next_one_and_may_end() -> None:
    """Each value runs to the next day that the file names; `ends` leaves nothing in force."""
    ended = GOOD + "  2025-01-01: {ends: true}\n"
    clock = table_of({"DL50.yaml": ended}).find("DL50")
    days = [date(2001, 7, 8), date(2017, 12, 31), date(2018, 1, 1), date(2024, 12, 31), date(2025, 1, 1)]
    found = [clock.in_force(day) for day in days]
    assert [version and version.since.year for version in found] == [None, 2001, 2018, 2018, None]


def test_a_clock_knows_all_types_that_touch_it() -> None:
    """What starts, meets, ends, extends, suspends or restarts it, what is absent, receipts where needed."""
    text = GOOD.replace("from: received_at", "at: receipt") + (
        "moot_by: [referral.withdrawn]\nrestarted_by: [referral.forwarded]\n"
        "suspended: {from: [progress.assigned], to: [progress.supervised]}\n"
        "absence: {of: [progress.concluded], for: P1M}\n"
    )
    table = table_of({"DL50.yaml": text})
    assert table.find("DL50").touched_by == {
        "referral.receipted",
        "referral.filed",
        "referral.extension_approved",
        "referral.withdrawn",
        "referral.forwarded",
        "progress.assigned",
        "progress.supervised",
        "progress.concluded",
        "receipt.delivered",
        "receipt.signed",
    }
    assert [clock.id for clock in table.touched_by("progress.concluded")] == ["DL50"]
    assert [clock.id for clock in table.opened_by("referral.forwarded")] == ["DL50"]


def test_a_text_ends_after_it_began() -> None:
    """An instrument that ends before it is in force is refused with its name."""
    listed = "some-law: {zh: 法, en: law, in_force: 2018-01-01, until: 2018-01-01, verified: true, law: true}"
    with pytest.raises(UsageError, match="some-law: until"):
        clock_table_of({}, listed, package_namable())


def test_a_text_holds_from_its_first_day_to_the_day_before_its_end() -> None:
    """The four agencies' opinion of 2011 gave way to that of 2024."""
    known = clock_table().instruments
    days = (date(2024, 4, 15), date(2024, 4, 16))
    assert [known["opinion-2011"].holds_on(day) for day in days] == [True, False]
    assert [known["opinion-2024"].holds_on(day) for day in days] == [False, True]
