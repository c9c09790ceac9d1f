"""When and how the agency states where its streams end."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from casebus_producers.outbox import stream_heads
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import Acknowledged
from casebus_producers.outbox.stream_heads import StreamHeads
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.absence_check import STREAM_HEAD
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record
from support.cases.members import open_outbox, ready

ALL = (0, 1_000_000, 1 << 30)
HOUR_S = 3600.0


class Clock:
    """The time of outbox and statements, set by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now_ns = time.time_ns()
        self._monotonic = time.monotonic()
        monkeypatch.setattr(time, "time_ns", lambda: self._now_ns)
        monkeypatch.setattr(time, "time", lambda: self._now_ns / 1e9)
        monkeypatch.setattr(time, "monotonic", lambda: self._monotonic)

    def pass_s(self, seconds: float) -> None:
        """Lets time pass."""
        self._now_ns += int(seconds * 1e9)
        self._monotonic += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands."""
    return Clock(monkeypatch)


def said(outbox: Outbox) -> list[dict[str, Any]]:
    """The bodies of the statements that wait, in order."""
    return [
        decode(Catalog.load(), row.record.value)[1]
        for row in outbox.pending(*ALL)
        if EventHeaders.parse(row.record.headers).type == STREAM_HEAD
    ]


def ends(outbox: Outbox) -> dict[tuple[str, str, int], tuple[int, bytes]]:
    """The last event of each stream before the first statement, by the rows themselves."""
    found = {}
    for row in outbox.pending(*ALL):
        headers = EventHeaders.parse(row.record.headers)
        if headers.type == STREAM_HEAD:
            break
        record = Record(row.record.topic, row.record.partition, 0, 0, 1, *row.record[2:])
        place = headers.producer, record.topic, record.partition
        found[place] = headers.seq, digest_of(record)
    return found


def named(statement: dict[str, Any]) -> dict[tuple[str, str, int], tuple[int, bytes]]:
    """The same by a statement."""
    return {
        (one["producer"], one["topic"], one["partition"]): (one["seq"], one["digest"])
        for one in statement["heads"]
    }


def test_ends_are_stated_after_something_was_said_and_after_an_hour(tmp_path: Path, clock: Clock) -> None:
    """Ten minutes after an event and an hour after the last statement; never sooner."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(number) for number in range(9)])
    heads = StreamHeads(outbox, 600.0, HOUR_S)
    assert heads.turn() is None
    clock.pass_s(599)
    assert heads.turn() is None
    clock.pass_s(15)
    assert heads.turn() is not None
    [first] = said(outbox)
    assert named(first) == ends(outbox)
    for _ in range(3599 // 15):
        clock.pass_s(15)
        assert heads.turn() is None
    clock.pass_s(30)
    assert heads.turn() is not None
    second = said(outbox)[1]
    assert second["as_of"] - first["as_of"] >= timedelta(seconds=HOUR_S)
    # The statement before is an event of its own stream.
    assert len(named(second)) >= len(named(first))
    clock.pass_s(30)
    outbox.enqueue([ready(20)])
    clock.pass_s(601)
    assert heads.turn() is not None


def test_an_agency_that_never_said_anything_states_that_too(tmp_path: Path, clock: Clock) -> None:
    """An hour after its outbox began it names no stream at all."""
    outbox = open_outbox(tmp_path)
    assert outbox.producer
    heads = StreamHeads(outbox, 600.0, HOUR_S)
    assert heads.turn() is None
    clock.pass_s(HOUR_S + 1)
    assert heads.turn() is not None
    assert [one["heads"] for one in said(outbox)] == [[]]


def test_it_can_be_switched_off(tmp_path: Path, clock: Clock) -> None:
    """With 0 nothing is stated by itself."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    clock.pass_s(10 * HOUR_S)
    assert StreamHeads(outbox, 0.0, HOUR_S).turn() is None


def test_an_idle_turn_does_not_open_the_file(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks nothing is read."""
    outbox = open_outbox(tmp_path)
    heads = StreamHeads(outbox, 600.0, HOUR_S)
    heads.turn()
    monkeypatch.setattr(outbox, "reading", None)
    for _ in range(1000):
        assert heads.turn() is None


def test_numbers_that_never_left_are_not_stated(tmp_path: Path) -> None:
    """What waited when a new incarnation began was signed anew: its old numbers are nowhere, nor stated."""
    outbox = open_outbox(tmp_path)
    [first, _] = outbox.enqueue([ready(1), ready(2, chain=1)])
    outbox.mark_sent([Acknowledged(first.position, 0, 1)])
    old = outbox.producer
    new = outbox.renew()
    StreamHeads(outbox, 600.0, HOUR_S).state()
    [statement] = said(outbox)
    place = first.topic, first.partition
    assert {name[0]: end[0] for name, end in named(statement).items() if name[1:] == place} == {
        old: 1,
        new: 1,
    }


def test_statements_of_a_day_stand_in_one_thread(tmp_path: Path, clock: Clock) -> None:
    """They are addressed to nobody, and no thread grows for ever."""
    outbox = open_outbox(tmp_path)
    heads = StreamHeads(outbox, 600.0, HOUR_S)
    chains = []
    for _ in range(6):
        chains.append(heads.state().chain)
        clock.pass_s(6 * HOUR_S)
    assert len(set(chains)) in (2, 3)
    assert all(one["envelope"]["to"] == one["envelope"]["cc"] == [] for one in said(outbox))


def test_what_goes_wrong_stops_no_publisher(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A statement that cannot be made is logged and tried again later."""
    outbox = open_outbox(tmp_path)
    outbox.enqueue([ready(1)])
    clock.pass_s(601)
    heads = StreamHeads(outbox, 600.0, HOUR_S)
    monkeypatch.setattr(stream_heads, "_event", lambda *_: {"type": "no.event"})
    assert heads.turn() is None
    assert "is not stated" in caplog.text
    monkeypatch.undo()
    assert StreamHeads(outbox, 1e-9, HOUR_S).turn() is not None
