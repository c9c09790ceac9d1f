"""The assets of a case: where each item is, what is held of it, and what the page of the case says."""

from decimal import Decimal
from typing import Any

from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.assets import AssetBook
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import extend, fold
from casebus_schemas.rules.case_view import case_view
from support.cases.chains import at, say
from support.cases.remedy_cases import remedy_field


def _say(name: str, type: str, when: str, agency: str = "mps", **data: Any) -> ChainEvent:
    read = {field: remedy_field(field, value) for field, value in data.items()}
    return say(name, f"asset.{type}", when, agency=agency, to=("spp", "court"), **read)


EVENTS = [
    _say("a", "frozen", "2021-06-18", items=["A1 100.00", "A2 40"]),
    _say("b", "renewed", "2021-12-10", terms=["A1 2022-06-17"]),
    _say("c", "released", "2022-01-10", moves=["A1 25.50"]),
    _say("d", "sold", "2022-06-01", "court", moves=["A2"], proceeds=["A3 38 proceeds"]),
    _say("e", "confiscated", "2022-12-20", "court", moves=["A3"]),
]


def test_every_item_says_where_it_is_and_what_is_held_of_it() -> None:
    """One is held in part until its new term, one was sold, what came in for it is confiscated."""
    items, sums = fold(EVENTS).assets.to_json().values()
    assert [(item["item"], item["state"], item["expires_on"]) for item in items] == [
        ("A1", "held", "2022-06-17"),
        ("A2", "sold", None),
        ("A3", "confiscated", None),
    ]
    first = items[0]["balances"][0]
    assert (first["taken"], first["held"], first["released"]) == ("100.00", "74.50", "25.50")
    assert [(sum["basis"], sum["taken"], sum["held"]) for sum in sums] == [
        ("proceeds", "38.00", "0.00"),
        ("stated", "140.00", "74.50"),
    ]


def test_the_case_shows_its_assets_in_both_languages() -> None:
    """The officer reads items, states, amounts and sums."""
    view = case_view(EVENTS, at("2023-01-01"))
    assert view["tracks"]["assets"]["items"][1]["state"] == "sold"
    lines = "\n".join(case_lines(view))
    assert "涉案财物 assets" in lines
    assert "A1   在案 held   存款 deposit" in lines
    assert "在案 held 74.50元, 已解除 released 25.50元" in lines
    assert "合计 sum  登记价值 as stated: 查扣冻总额 taken 140.00元, 在案 held 74.50元" in lines


def test_items_are_the_same_in_whatever_order_they_arrive() -> None:
    """One event after the other, from the end backwards, gives the same as all at once."""
    grown = fold([])
    for event in reversed(EVENTS):
        grown = extend(grown, event)
    assert grown.assets.to_json() == fold(EVENTS).assets.to_json()


def test_an_item_that_moved_before_it_was_taken_is_gone_when_it_comes() -> None:
    """A release whose day lies before the seizure is of the item that was then seized."""
    early = _say("r", "released", "2021-06-01", moves=["A1"])
    book = fold([early, EVENTS[0]]).assets
    assert book.items["A1"].state == "released"
    assert list(book.faults()) == []


def test_absurd_figures_break_nothing() -> None:
    """The largest and the smallest sums, and words about items that nobody knows, are shown as faults."""
    book = AssetBook()
    most = "9" * 16
    book.add(_say("a", "frozen", "2021-06-18", items=[f"A1 {most}.99", "A2 -1"]))
    book.add(_say("b", "balance_statement", "9999-12-31", balances=["A7 taken=1", "sum taken=-5 held=-5"]))
    book.add(_say("c", "renewed", "1970-01-01", terms=["A9 1970-01-01"]))
    wrongs = [fault.wrong for fault in book.faults()]
    assert wrongs == ["untaken", "over", "negative", "row", "books", "total", "books"]
    assert book.sums["stated", "CNY"].taken == Decimal(f"{most}.99") - 1
