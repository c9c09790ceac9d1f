"""A case that slept longer than any state allows, is spoken of again, and sleeps once more."""

from casebus_schemas.case.fold import fold
from casebus_schemas.rules.reconcile import Reconciled
from support.cases.chains import at, say


def test_a_case_that_woke_up_falls_asleep_again_by_time_alone() -> None:
    """After three years of silence one event begins it anew: ninety days later it sleeps again."""
    referred = say("s", "referral.submitted", "2016-01-05T10:00", to=("spp",))
    supplied = say("t", "referral.supplemented", "2019-01-05T10:00", to=("spp",))
    book = Reconciled(fold([referred]))
    late = at("2018-12-01")
    assert [finding.rule for finding in book.look(book.turning(late), late)[1]] == ["R49"]
    assert book.wakes_at(late) is None
    moved = book.take(supplied)
    before, after = book.look(moved.keys, supplied.admitted_at)
    assert ([finding.rule for finding in before], list(after)) == (["R49"], [])
    again = at("2019-04-05T10:00")
    assert book.wakes_at(supplied.admitted_at) == again
    assert [finding.rule for finding in book.look(book.turning(again), again)[1]] == ["R49"]
