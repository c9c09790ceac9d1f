"""Whose approval the law wants before an event is said: each for a role and a time, with its article."""

from datetime import date

import pytest

from casebus_schemas.errors import UsageError
from casebus_schemas.law.approvals import approval_of, needed_approvals, read_approvals
from casebus_schemas.law.clocks import Article, clock_table

ENTRY = """
- by: {by}
  types: [{type}]
  law: [{{instrument: {instrument}, article: "5"}}]
  zh: 负责人
  en: the head
  verified: {verified}
"""


def entry(by: str = "regulator", type: str = "referral.submitted", **more: str) -> str:
    """A file with one entry."""
    return ENTRY.format(by=by, type=type, **{"instrument": "decree-310", "verified": "true", **more})


def test_the_head_of_the_regulator_approves_a_referral() -> None:
    """Decree 310, article 5; nobody else's role needs it, and no clue does."""
    found = approval_of("referral.submitted", ("regulator",), date(2020, 6, 1))
    assert found is not None
    assert found.law == (Article("decree-310", "5"),)
    assert found.verified
    assert approval_of("referral.submitted", ("police",), date(2020, 6, 1)) is None
    assert approval_of("clue.submitted", ("regulator",), date(2020, 6, 1)) is None


def test_a_text_that_is_not_in_force_asks_for_nothing() -> None:
    """The police procedure of 2020 holds from 2020-09-01 on."""
    assert approval_of("referral.filed", ("police",), date(2020, 8, 31)) is None
    assert approval_of("referral.filed", ("police",), date(2020, 9, 1)) is not None


def test_what_lifts_a_limit_is_an_approval_itself() -> None:
    """Every type by which a clock's limit is lifted, for who may lift it, by the law of that clock."""
    for clock in clock_table().by_id.values():
        if clock.approval is not None:
            roles = ("police",) if clock.approval.by is None else (clock.approval.by,)
            found = approval_of(clock.approval.type, roles, date(2023, 1, 1))
            assert found is not None, clock.id
            assert found.law


def test_each_entry_cites_a_text_that_is_known() -> None:
    """And no type stands twice for a role: one answer, not two."""
    seen = [(one.by, type) for one in needed_approvals() for type in one.types]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    "source",
    [
        "{}",
        entry(by="gardener"),
        entry(type="referral.filed"),
        entry(type="no.such"),
        entry(instrument="no-such-law"),
        entry(verified="perhaps"),
        entry().replace("en: the head", ""),
    ],
)
def test_an_entry_that_is_not_right_is_refused(source: str) -> None:
    """With what was found."""
    with pytest.raises(UsageError):
        read_approvals(source)
