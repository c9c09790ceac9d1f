"""A fourth agency, added by the two files, is compared like the others."""

from importlib.resources import files

from casebus_schemas.agencies import Members
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.schema_lock import lock_text
from casebus_schemas.rules.finding import Suggestion
from casebus_schemas.rules.reconcile import reconcile
from casebus_schemas.small_types import Agency
from support.cases.chains import amount, at, say, suspects


def _with_customs() -> Catalog:
    """The catalogue of an installation in which customs is a second regulator."""
    data = files("casebus_schemas")
    members = (data / "agencies.yaml").read_text(encoding="utf-8").rstrip()
    customs = "\n  customs: {part: full, roles: [regulator], zh: 海关, en: customs}\n"
    events = (data / "events.yaml").read_text(encoding="utf-8")
    return Catalog(events, lock_text(), Members.parse(members + customs))


def test_c12_its_list_and_its_figure_are_held_against_the_others() -> None:
    """Customs lists one of two suspects and another figure: R30 and R31, and customs is asked to correct."""
    events = [
        say(
            "s",
            "referral.submitted",
            "2022-03-01",
            to=("customs",),
            suspects=suspects("甲", "乙"),
            amounts=[amount("turnover", "100.00")],
        ),
        say(
            "c",
            "referral.submitted",
            "2022-03-02",
            agency="customs",
            suspects=suspects("甲"),
            amounts=[amount("turnover", "105.00")],
        ),
    ]
    found = reconcile(events, catalog=_with_customs()).findings(at("2022-03-03"))
    assert [finding.rule for finding in found] == ["R30", "R31"]
    assert [finding.concerned() for finding in found] == [("csrc", "customs")] * 2
    asked = Suggestion("referral.corrected", Agency("customs"))
    assert [finding.suggestion for finding in found] == [asked, asked]
    assert found[1].accounts[1].value == {"suspects": ["甲"], "missing": ["乙"]}


def test_c12_four_lists_of_which_the_last_differs_are_found() -> None:
    """Each list is held against the next one: one that differs cannot hide behind the others."""
    who = ("甲", "乙")
    events = [
        say("s", "referral.submitted", "2022-03-01", to=("customs", "mps"), suspects=suspects(*who)),
        say("c", "referral.submitted", "2022-03-02", agency="customs", suspects=suspects(*who)),
        say("f", "referral.filed", "2022-03-03", agency="mps", suspects=suspects(*who)),
        say("p", "outcome.prosecuted", "2022-03-04", agency="spp", suspects=suspects("甲")),
    ]
    assert reconcile(events[:3], catalog=_with_customs()).content == ()
    (finding,) = reconcile(events, catalog=_with_customs()).content
    assert (finding.rule, finding.concerned()) == ("R31", ("mps", "spp"))
