"""What an agency says is advised on as a check of the same events would, and is queued all the same."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casebus_producers.checking.check import check
from casebus_producers.checking.said_advice import SaidAdvice
from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.catalogue.catalog import Catalog
from support.cases.chains import at
from support.cases.members import door_event, open_outbox

CATALOG = Catalog.load()
NOW = at("2016-10-20")
SECRET = b"a secret of at least thirty-two bytes"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """The regulator's outbox."""
    return open_outbox(tmp_path)


def number(count: int) -> str:
    """An event id."""
    return f"0190163d-8694-739b-aea5-966c26f8ad{count:02d}"


def advised(outbox: Outbox, *events: Mapping[str, Any], now: datetime = NOW) -> list[tuple[int, str, str]]:
    """Queues events as `publish` does; gives the hints with the event's place and the pointer."""
    advice = SaidAdvice(outbox, CATALOG, events)
    queued = Connector(outbox, CATALOG, lambda: SECRET).submit_all(list(events))
    found = []
    for place, one in enumerate(queued):
        assert isinstance(one, Queued)
        found += [(place, hint.pointer, hint.said.en) for hint in advice.on(place, one, now)]
        assert all(hint.said.zh for hint in advice.on(place, one, now))
    return found


def pointers(hints: list[tuple[int, str, str]]) -> list[tuple[int, str]]:
    """Without their words."""
    return [(place, pointer) for place, pointer, _ in hints]


def test_c13_a_second_referral_under_one_number_is_advised_as_it_is_said(outbox: Outbox) -> None:
    """Of six referrals of one number each behind the first is hinted at, in one run or in several."""
    six = [{**door_event(id=number(count)), "time": f"2016-10-1{count}T00:00:00+08:00"} for count in range(6)]
    first = advised(outbox, *six[:3])
    then = advised(outbox, *six[3:])
    local = "/data/envelope/local_refs"
    assert (pointers(first), pointers(then)) == (
        [(1, local), (2, local)],
        [(0, local), (1, local), (2, local)],
    )
    assert all(f"event {number(0)} opened" in said for _, _, said in [*first, *then])
    checked = check(six, NOW).advice
    assert [(one["index"], one["pointer"]) for one in checked] == [(count, local) for count in range(1, 6)]


def test_c13_matters_with_numbers_of_their_own_need_no_advice(outbox: Outbox) -> None:
    """Another number, another office or a correction is another thing than a second referral."""
    other = [{"issuer": "csrc", "scheme": "case", "value": "demo-2"}]
    events = [
        door_event(id=number(1)),
        door_event(id=number(2), envelope={"local_refs": other}),
        door_event(id=number(3), source="/csrc/shenzhen-office"),
    ]
    assert advised(outbox, *events) == []


def test_c2_what_a_check_would_hint_at_is_hinted_at_as_it_is_said(outbox: Outbox) -> None:
    """A time to come and an unknown event that is answered or corrected have the hints of the check."""
    chain = "00000000-0000-5000-8000-000000000001"
    ahead = door_event(id=number(1), subject=chain, time="2017-10-18T00:00:00+08:00")
    unknown = {"in_reply_to": number(77), "corrects": "ab" * 32, "message_class": "response"}
    corrected = door_event(
        id=number(2),
        subject=chain,
        type="referral.corrected",
        envelope=unknown,
        data={"reasons": "示例"},
    )
    said = advised(outbox, ahead, corrected)
    assert pointers(said) == [
        (0, "/time"),
        (1, "/data/envelope/in_reply_to"),
        (1, "/data/envelope/corrects"),
    ]
    checked = check([ahead, corrected], NOW).advice
    assert said == [(one["index"], one["pointer"], one["detail"]) for one in checked]


def test_c2_what_was_said_before_is_known(outbox: Outbox) -> None:
    """An answer to an event of an earlier run needs no hint."""
    (first,) = Connector(outbox, CATALOG, lambda: SECRET).submit_all([door_event(id=number(1))])
    assert isinstance(first, Queued)
    corrected = door_event(
        id=number(2),
        type="referral.corrected",
        envelope={"corrects": first.digest.hex()},
        data={"reasons": "示例"},
    )
    assert advised(outbox, corrected) == []
