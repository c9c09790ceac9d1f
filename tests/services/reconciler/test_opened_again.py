"""A term that runs out again after it was extended is said again."""

from casebus_services.reconciler.announce import event_id
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN, at, say


def test_new_each_time_that_a_term_runs_out_it_is_said_anew() -> None:
    """Extensions reported late close the finding; every opening by time has an announcement of its own."""
    receipt = say(
        "r",
        "referral.receipted",
        "2022-09-02T10:00",
        agency="mps",
        to=("csrc",),
        competent=True,
        complete=True,
        received_at=at("2022-09-02T10:00"),
    )
    book = ChainBook(CHAIN)
    said = book.take(receipt)
    for name, day, level in (("x", "2022-09-20", "county"), ("y", "2022-10-20", "superior")):
        said += book.take(
            say(
                name, "referral.extension_approved", day, agency="mps", to=("csrc",), replies="r", level=level
            )
        )
    said += book.advance(at("2023-06-01"))
    opened = [
        one for one in said if "R10" in {about.rule for about in one.about if one.kind == "finding.opened"}
    ]
    assert len(opened) == 3
    assert len({event_id(one) for one in opened}) == 3
