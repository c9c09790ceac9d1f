"""Notices on holidays in a folder become orders, each once, whatever becomes of the files."""

import json
from pathlib import Path

import pytest

from casebus_deploy.stack.holidays_folder import HolidaysFolder, Ordered, counts_from
from casebus_schemas.errors import RetryLater
from casebus_schemas.law.notices import Notice
from support.cases.chains import at
from support.events.notices import OF_2027, notice

LATER = {
    **OF_2027,
    "number": "国办发明电〔2027〕3号",
    "known_since": "2027-01-20",
    "days_off": ["2027-02-26"],
    "workdays": [],
}
"""A second notice of the year, which needs the first."""


class Bus:
    """What was ordered so far, and what was said; away until told otherwise if it is."""

    def __init__(self, *ordered: Notice) -> None:
        self.orders = list(ordered)
        self.said: list[str] = []
        self.is_away = False

    def ordered(self) -> list[Notice]:
        if self.is_away:
            raise RetryLater("the broker is away")
        return self.orders

    def order(self, notice: Notice) -> Ordered:
        self.orders.append(notice)
        return Ordered(f"bus.command/0/{len(self.orders)}", counts_from(at("2026-11-20T22:30")))

    def folder(self, path: Path) -> HolidaysFolder:
        return HolidaysFolder(path, self.ordered, self.order, self.said.append)


def write(folder: Path, name: str, body: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(body, default=str), encoding="utf-8")


def test_each_notice_is_ordered_once_and_in_the_order_of_its_day(tmp_path: Path) -> None:
    """Two files, the later notice first by name: the earlier is ordered first, and neither ever again."""
    write(tmp_path, "a.json", LATER)
    write(tmp_path, "b.json", OF_2027)
    bus = Bus()
    folder = bus.folder(tmp_path)
    made = folder.look()
    assert [(one.number, order.place) for one, order in made] == [
        (OF_2027["number"], "bus.command/0/1"),
        (LATER["number"], "bus.command/0/2"),
    ]
    assert made[0][1].in_force_from == at("2026-11-21")
    write(tmp_path, "c.json", OF_2027)  # the same under another name
    assert folder.look() == []
    assert bus.folder(tmp_path).look() == []  # as after a new start
    assert len(bus.orders) == 2


def test_a_midnight_that_is_too_near_is_not_taken() -> None:
    """Terms are counted by it from a midnight on that all services can know of before."""
    assert counts_from(at("2026-11-20T23:00")) == at("2026-11-22")


def test_what_is_no_notice_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    """A torn file and one against the law are named with their reasons; the lawful one is ordered."""
    write(tmp_path, "torn.json", {"year": 2027})
    write(tmp_path, "sunday.json", {**LATER, "days_off": ["2027-02-28"]})
    write(tmp_path, "good.json", OF_2027)
    write(tmp_path, "readme.txt", "no notice")
    bus = Bus()
    folder = bus.folder(tmp_path)
    assert [one.number for one, _ in folder.look()] == [OF_2027["number"]]
    assert [line.split()[0].strip(":") for line in bus.said] == ["torn.json", "good.json", "sunday.json"]
    bus.said.clear()
    assert folder.look() == []
    assert bus.said == []
    write(tmp_path, "sunday.json", LATER)
    assert [one.number for one, _ in folder.look()] == [LATER["number"]]


def test_a_notice_waits_for_a_broker_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ordered and nothing forgotten; it is asked again later, not at each look."""
    now = [100.0]
    monkeypatch.setattr("casebus_deploy.stack.holidays_folder.time.monotonic", lambda: now[0])
    write(tmp_path, "n.json", OF_2027)
    bus = Bus()
    bus.is_away = True
    folder = bus.folder(tmp_path)
    assert (folder.look(), folder.look(), len(bus.said)) == ([], [], 1)
    bus.is_away, now[0] = False, 131.0
    assert [one.number for one, _ in folder.look()] == [OF_2027["number"]]


def test_what_was_ordered_by_the_command_is_not_ordered_again(tmp_path: Path) -> None:
    """The folder is held against all orders of the bus, and a folder that is not there is empty."""
    write(tmp_path, "n.json", OF_2027)
    assert Bus(notice()).folder(tmp_path).look() == []
    assert Bus().folder(tmp_path / "none").look() == []
