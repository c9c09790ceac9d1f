"""docs/how-to/back-up-and-restore.md: the drill, followed to the letter, and its single losses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from typer.testing import CliRunner

from casebus_deploy.cli.main import build
from casebus_services.sqlite_backup import back_up
from support.cases.guides import blocks
from support.scenes.asked_bus import Bus, told_of, until

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(900)]
PAGE = "back-up-and-restore.md"
CASEBUS = Path(sys.executable).with_name("casebus")


class Page:
    """The commands of the page, with its folders below one of the test's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._variables = {
            "PATH": f"{CASEBUS.parent}:{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "LANG": "C.UTF-8",
        }

    def follow(self, number: int, connection: Path | None = None) -> list[str]:
        """Runs the lines of the n-th block; gives what each said. A line that starts the bus is left out."""
        said = []
        for line in blocks(PAGE, "console")[number].splitlines():
            here = line.replace("/srv/", f"{self._folder}/")
            if here.startswith("export "):
                name, _, value = here.removeprefix("export ").partition("=")
                self._variables[name] = value
            elif not here.startswith("casebus up "):
                named = {} if connection is None else {"CASEBUS_CONNECTION": str(connection)}
                done = subprocess.run(
                    ["bash", "-c", here],
                    env=self._variables | named,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=False,
                )
                assert done.returncode == 0, (here, done.stdout, done.stderr)
                said.append(done.stdout)
        return said


def run(bus: Bus, *arguments: str) -> tuple[int, Any]:
    """Exit code and JSON of a command."""
    variables = {"CASEBUS_CONNECTION": str(bus.stack.connection_file)}
    done = CliRunner().invoke(build(arguments), [*arguments, "--json"], env=variables)
    return done.exit_code, json.loads(done.stdout)


def test_a_short_drill_follows_the_page(tmp_path: Path) -> None:
    """The machine is lost but for Kafka: by the page all is there again, verified, and told once."""
    page, lost, bus = Page(tmp_path), Bus(tmp_path / "casebus"), Bus(tmp_path / "new")
    with lost.stack:
        lost.ask(0)
        told_of(lost, 1)
        until(lambda: run(lost, "ledger", "gossip")[1]["size"] > 0, "nothing was sealed")
        page.follow(0, lost.stack.connection_file)
        size = run(lost, "ledger", "gossip")[1]["size"]
        lost.ask(1)
        told = told_of(lost, 2)
        until(lambda: run(lost, "ledger", "gossip")[1]["size"] > size, "what came later is not sealed")
    (restored, _) = page.follow(1)
    for what in ("topics", "accounts", "witnesses"):
        assert what in restored
    shutil.rmtree(tmp_path / "casebus")
    with bus.stack:
        until(lambda: bus.stack.ended().keys() == {"sealer"}, "the sealer ends for good")
        assert "knows a larger head" in bus.stack.ended()["sealer"]
        page.follow(2)
        told_of(bus, 2)
    page.follow(3)
    assert list((tmp_path / "new").glob("*.db-wal")) == []
    with bus.stack:
        assert bus.stack.ended() == {}
        page.follow(4)
        bus.ask(2)
        now = told_of(bus, 3)
        assert set(now.values()) == {1}
        assert told.keys() < now.keys()
        until(lambda: run(bus, "ledger", "gossip")[1]["final"] > 0, "the new witnesses cosign")
        code, verified = run(bus, "ledger", "verify", "--against-kafka")
        assert (code, verified["damages"]) == (0, [])


def test_single_losses_end_equal_or_say_what_is_missing(tmp_path: Path) -> None:
    """Older accounts, accounts without their log, a topic that lost its records; nobody deletes one."""
    bus = Bus(tmp_path / "bus")
    data = bus.stack.data
    with bus.stack:
        bus.ask(0)
        told_of(bus, 1)
        back_up(data / "accounts.db", tmp_path / "older.db")
        shutil.copyfile(data / "accounts.db", tmp_path / "without-log.db")
        bus.ask(1)
        told = told_of(bus, 2)
        assert bus.stack.broker is not None
        admin = KafkaAdminClient(**bus.stack.broker.admin_settings())
        with pytest.raises(KafkaError):
            admin.delete_topics(["csrc.consultation"])
        admin.close()
    for kept in ("older.db", "without-log.db"):
        for file in data.glob("accounts.db*"):
            file.unlink()
        shutil.copyfile(tmp_path / kept, data / "accounts.db")
        with bus.stack:
            until(lambda: bus.chains() == 2, f"{kept}: the accounts are made anew")
            assert run(bus, "rebuild")[0] == 0
            assert (bus.stack.ended(), bus.notices()) == ({}, told)
    for folder in (data / "broker" / "kafka").glob("csrc.consultation-*"):
        shutil.rmtree(folder)
    with bus.stack:
        until(lambda: "ledger" in bus.stack.ended(), "the ledger stops for good")
        assert "Kafka is shorter than what was read of it" in bus.stack.ended()["ledger"]
        code, verified = run(bus, "ledger", "verify", "--against-kafka")
        assert code == 1
        missing = {(one["log"], one["found"]) for one in verified["damages"]}
        assert {found for _, found in missing} >= {"end at offset 0"}
        assert all("csrc.consultation" in log for log, _ in missing)
