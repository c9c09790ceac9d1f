"""A court that was not told of the penalty hears that it should ask for an offset, and no figure of it."""

from casebus_schemas.rules.reconcile import reconcile
from support.cases.chains import at, say, suspects
from support.cases.remedy_cases import remedy_field

PENALTY = say(
    "p",
    "administrative.penalty_decided",
    "2020-05-13",
    to=("spp",),
    suspects=suspects("甲"),
    sanctions=remedy_field("sanctions", ["S1 fine 90"]),
)
CHARGED = say("i", "outcome.prosecuted", "2021-01-10", agency="spp", to=("court",), suspects=suspects("甲"))
JUDGMENT = say(
    "j",
    "outcome.judgment",
    "2021-11-17",
    agency="court",
    to=("spp", "csrc"),
    replies="i",
    suspects=suspects("甲"),
    sentences=remedy_field("sentences", ["S1 fine=120"]),
)


def test_a_court_that_was_not_told_hears_that_it_should_ask() -> None:
    """The regulator sees both figures; the court hears of an offset, and not of the 90 yuan."""
    found = reconcile([PENALTY, CHARGED, JUDGMENT]).findings(at("2021-11-18"))
    (finding,) = [one for one in found if one.rule == "R38"]
    assert {"csrc", "spp"} <= finding.told
    assert finding.apart is not None
    assert finding.apart.agencies == ("court",)
    assert "offset" in finding.apart.because.en
    assert "90" not in finding.apart.because.en + finding.apart.because.zh
