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


def test_a_commitment_that_was_kept_lets_the_case_rest() -> None:
    """Nobody needs to say anything of it any more; one that ended otherwise leaves a case that goes on."""
    opened = say("o", "administrative.case_opened", "2016-01-05T10:00", to=("spp",))
    accepted = say("c", "administrative.commitment_accepted", "2016-03-05T10:00", to=("spp",))
    late = at("2020-01-01")

    def ended(ground: str) -> Reconciled:
        end = say("e", "administrative.commitment_ended", "2016-06-05T10:00", to=("spp",), ground=ground)
        return Reconciled(fold([opened, accepted, end]))

    assert Reconciled(fold([opened, accepted])).status == "commitment_running"
    assert [one.rule for one in Reconciled(fold([opened, accepted])).findings(late)] == ["R49"]
    assert (ended("fulfilled").status, ended("fulfilled").findings(late)) == ("commitment_kept", ())
    assert ended("terminated").status == "administrative_case"
    assert [one.rule for one in ended("terminated").findings(late)] == ["R49"]
