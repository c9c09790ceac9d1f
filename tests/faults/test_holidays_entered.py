"""A notice on holidays that is entered on a whole bus: ordered, ledgered, stored, and counted by."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli import holidays
from casebus_schemas.catalogue.topology import COMMAND
from casebus_schemas.wire.records import TopicPartition
from support.events.notices import OF_2027
from support.scenes.crash_run import Databases, next_offsets
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack

pytestmark = [pytest.mark.broker, pytest.mark.faults]


def _ledgered(bus: FaultStack) -> int:
    databases = Databases(bus)
    try:
        return next_offsets(databases)[TopicPartition(COMMAND, 0)]
    finally:
        databases.close()


def test_the_order_is_ledgered_and_every_reader_of_the_accounts_counts_by_it(
    scenes: Scenes, tmp_path: Path
) -> None:
    """The list of the bus soon has the notice with its midnight, and so has the ledger; twice is refused."""
    file = tmp_path / "notice.json"
    file.write_text(json.dumps(OF_2027, default=str), encoding="utf-8")
    with scenes.bus() as bus:

        def run(*arguments: str) -> Any:
            told = ("--json", "--connection", str(bus.connection_file))
            done = CliRunner().invoke(holidays.app, ["holidays", *arguments, *told])
            assert done.exit_code == 0, done.output
            return json.loads(done.stdout)

        before = _ledgered(bus)
        ordered = run("add", str(file))
        assert isinstance(ordered, dict)
        deadline = time.monotonic() + 60
        while True:
            listed = run("list")
            assert isinstance(listed, list)
            if listed[-1]["year"] == 2027 and _ledgered(bus) > before:
                break
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.1)
        assert listed[-1]["number"] == OF_2027["number"]
        assert listed[-1]["in_force_from"] == ordered["in_force_from"]
        again = CliRunner().invoke(
            holidays.app, ["holidays", "add", str(file), "--connection", str(bus.connection_file)]
        )
        assert again.exit_code != 0
        folder = tmp_path / "holidays"
        folder.mkdir()
        file.rename(folder / file.name)
        assert run("add", str(folder)) == []
        later = {**OF_2027, "number": "国办发明电〔2027〕3号", "known_since": "2027-01-20", "workdays": []}
        later["days_off"] = ["2027-02-26"]
        (folder / "later.json").write_text(json.dumps(later, default=str), encoding="utf-8")
        assert [one["number"] for one in run("add", str(folder))] == [later["number"]]
        assert run("add", str(folder)) == []  # seen from the orders, whether they are stored yet or not
