"""Words for people: every symbol has one in both languages, and screens use them."""

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.amounts import CONDUCT
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.clocks import instruments
from casebus_schemas.rules.case_view import case_view
from casebus_schemas.texts.symbols import BASES, STATUSES, title
from support.chains import amount, at, say, suspects


def test_every_basis_and_status_has_a_word_in_both_languages() -> None:
    """No officer is shown a bare symbol."""
    (basis,) = (
        field["type"]
        for field in Catalog.load().latest("referral.submitted").definitions["casebus.Amount"]["fields"]
        if field["name"] == "basis"
    )
    symbols = set(basis["symbols"])
    assert symbols | CONDUCT == set(BASES)
    for said in (*BASES.values(), *STATUSES.values(), *instruments().values()):
        assert said.zh
        assert said.en
        assert said.zh != said.en


def test_an_unknown_type_is_called_by_its_name() -> None:
    """A type of a later version is shown as it is."""
    assert title("later.said").text == "later.said / later.said"


def test_a_case_is_shown_in_words() -> None:
    """State, agencies, bases and comparisons in both languages; a suspect without a charge is explained."""
    events = [
        say(
            "s",
            "referral.submitted",
            "2016-10-18",
            suspects=suspects("甲某"),
            charges=[],
            amounts=[amount("illegal_gain", "46190000.00")],
        )
    ]
    screen = "\n".join(case_lines(case_view(events, at("2016-10-19"), why=True)))
    for said in (
        "已移送 referred",
        "甲某   未列罪名 no charge stated",
        "违法所得 illegal gain: 证监会 csrc 46,190,000.00元",
        "仅一方提及 one account only",
        "移送涉嫌犯罪案件 referral.submitted",
    ):
        assert said in screen
