"""A lost database, an older Kafka, an older outbox: nothing is told twice, what is missing is said."""

import json
import shutil
from pathlib import Path

import pytest

from casebus_consumers.auditor import ledger_cli
from casebus_consumers.liaison import cases_cli
from casebus_consumers.liaison import cli as liaison
from casebus_deploy.demo.final_head import final_checkpoint
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_producers import cli as agency
from casebus_schemas.errors import BusError
from support.scenes.asked_bus import Bus, told_of, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]


def test_d1_a_lost_accounts_database_tells_nobody_twice(tmp_path: Path) -> None:
    """Rebuilt from Kafka, the accounts are whole, and the inboxes hold each notice once, as before."""
    bus = Bus(tmp_path / "bus")
    with bus.stack:
        for number in range(3):
            bus.ask(number)
        told = told_of(bus, 3)
    assert set(told.values()) == {1}
    for file in (tmp_path / "bus").glob("accounts.db*"):
        file.unlink()
    with bus.stack:
        until(lambda: bus.chains() == 3, "the accounts are rebuilt")
        bus.ask(3)
        again = told_of(bus, 4)
    assert set(again.values()) == {1}
    assert told.keys() < again.keys()
    assert (len(told), len(again)) == (15, 20)


def test_e1_an_older_kafka_is_said_and_the_documented_way_goes_on(tmp_path: Path) -> None:
    """Each position kept outside is found to be of another log; in the end nothing is lost or told twice."""
    bus = Bus(tmp_path / "bus")
    folder = bus.stack.data
    with bus.stack:
        bus.ask(0)
        told_of(bus, 1)
    shutil.copytree(folder / "broker", tmp_path / "older")
    with bus.stack:
        bus.ask(1)
        told = told_of(bus, 2)
        heard = bus.run(liaison.app, "inbox", "--agency", "mps", "--json")
        assert heard.exit_code == 0, heard.output
        last = json.loads(heard.stdout.splitlines()[-1])["seq"]
    shutil.rmtree(folder / "broker")
    shutil.copytree(tmp_path / "older", folder / "broker")

    with bus.stack:
        until(lambda: bus.stack.ended().keys() == {"ledger", "reconciler"}, "both stop for good")
        for why in bus.stack.ended().values():
            assert "shorter than what was read" in why
            assert "put-kafka-back.md" in why
        silent = bus.run(liaison.app, "inbox", "--agency", "mps", "--after", str(last), "--json")
        assert silent.exit_code == 1
        assert f"there is no {last} to go on behind" in silent.output
        refused = bus.publish(2)
        assert isinstance(refused.exception, BusError)
        assert "outbox --resend" in str(refused.exception)

    for database in ("accounts", "ledger"):
        for file in folder.glob(f"{database}.db*"):
            file.rename(tmp_path / file.name)
    options = StackOptions(folder, page=False, registry=False, origin="casebus.example/ledger-2")
    bus.stack = Stack(options)
    with bus.stack:
        again = bus.run(agency.app, "outbox", "--agency", "csrc", "--resend", "--json")
        assert again.exit_code == 0, again.output
        assert "1 events that Kafka lost wait again" in again.output
        now = told_of(bus, 3)
        assert set(now.values()) == {1}
        assert told.keys() < now.keys()
        until(lambda: bus.run(cases_cli.app, "rebuild").exit_code == 0, "the accounts are rebuilt")
        verified = bus.run(ledger_cli.app, "verify", "--against-kafka", "--json")
        assert verified.exit_code == 0, verified.output
        heard = bus.run(liaison.app, "inbox", "--agency", "mps", "--json")
        assert heard.exit_code == 0, heard.output
        final = final_checkpoint(bus.stack.connection, json.loads(verified.output)["entries"])
        assert final.check.ok, final.check.detail
        assert final.note is not None
        assert final.note.startswith("casebus.example/ledger-2\n")
