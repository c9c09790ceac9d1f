"""A lost database, an older Kafka, an older outbox: nothing is told twice, what is missing is said."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casebus_consumers.auditor import ledger_cli
from casebus_consumers.liaison import cases_cli
from casebus_consumers.liaison import cli as liaison
from casebus_deploy.demo.final_head import final_checkpoint
from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_producers import cli as agency
from casebus_schemas.errors import BusError
from casebus_services.reconciler.accounts_database import Database
from support.cases.members import door_event
from support.scenes.kafka_view import KafkaView

pytestmark = [pytest.mark.broker, pytest.mark.timeout(900)]
LONG_S = 180.0


class Bus:
    """A bus in a folder, and what agencies do on it."""

    def __init__(self, folder: Path) -> None:
        self.stack = Stack(StackOptions(folder, page=False, registry=False))

    def run(self, app: Any, *arguments: str) -> Result:
        """Runs a command."""
        return CliRunner().invoke(app, [*arguments, "--connection", str(self.stack.connection_file)])

    def ask(self, number: int) -> None:
        """A question of the regulator to the police: of each chain both hear of the duty to answer."""
        result = self.publish(number, "--wait", "admitted")
        assert result.exit_code == 0, result.output

    def publish(self, number: int, *options: str) -> Result:
        """The same, whatever comes of it."""
        lines = json.dumps(_question(number), ensure_ascii=False)
        connection = ["--connection", str(self.stack.connection_file)]
        return CliRunner().invoke(
            agency.app, ["publish", "-", "--agency", "csrc", *options, *connection], input=lines
        )

    def notices(self) -> Counter[str]:
        """How often each notice stands in the inboxes."""
        assert self.stack.broker is not None
        view = KafkaView(self.stack.broker)
        return Counter(
            f"{name} {dict(record.headers)['casebus-notice']!r}"
            for name in ("csrc", "mps", "spp")
            for record in view.read(f"inbox.{name}")
        )

    def chains(self) -> int:
        """How many chains the accounts hold."""
        database = Database(self.stack.database_url("accounts"), read_only=True)
        try:
            with database.reading() as transaction:
                return int(transaction.rows("SELECT count(*) FROM recon_chain WHERE events > 0")[0][0])
        finally:
            database.close()


def _question(number: int) -> dict[str, Any]:
    reference = {"issuer": "csrc", "scheme": "case", "value": f"put-back-{number}"}
    return door_event(
        type="consultation.requested",
        id=f"0190163d-8694-739b-aea5-{number:012d}",
        time="2016-10-18T10:00:00+08:00",
        envelope={"to": ["mps"], "cc": [], "precision": "second", "local_refs": [reference]},
        data={"question": "示例问题"},
    )


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def _told(bus: Bus, chains: int) -> Counter[str]:
    """The notices once all are there: of each chain the question, and duty and finding to each of the two."""
    _until(lambda: bus.chains() == chains, f"{chains} chains in the accounts")
    _until(lambda: bus.notices().total() >= 5 * chains, "a notice is missing")
    return bus.notices()


def test_d1_a_lost_accounts_database_tells_nobody_twice(tmp_path: Path) -> None:
    """Rebuilt from Kafka, the accounts are whole, and the inboxes hold each notice once, as before."""
    bus = Bus(tmp_path / "bus")
    with bus.stack:
        for number in range(3):
            bus.ask(number)
        told = _told(bus, 3)
    assert set(told.values()) == {1}
    for file in (tmp_path / "bus").glob("accounts.db*"):
        file.unlink()
    with bus.stack:
        _until(lambda: bus.chains() == 3, "the accounts are rebuilt")
        bus.ask(3)
        again = _told(bus, 4)
    assert set(again.values()) == {1}
    assert told.keys() < again.keys()
    assert (len(told), len(again)) == (15, 20)


def test_e1_an_older_kafka_is_said_and_the_documented_way_goes_on(tmp_path: Path) -> None:
    """Each position kept outside is found to be of another log; in the end nothing is lost or told twice."""
    bus = Bus(tmp_path / "bus")
    folder = bus.stack.data
    with bus.stack:
        bus.ask(0)
        _told(bus, 1)
    shutil.copytree(folder / "broker", tmp_path / "older")
    with bus.stack:
        bus.ask(1)
        told = _told(bus, 2)
        heard = bus.run(liaison.app, "inbox", "--agency", "mps", "--json")
        assert heard.exit_code == 0, heard.output
        last = json.loads(heard.stdout.splitlines()[-1])["seq"]
    shutil.rmtree(folder / "broker")
    shutil.copytree(tmp_path / "older", folder / "broker")

    with bus.stack:
        _until(lambda: bus.stack.ended().keys() == {"ledger", "reconciler"}, "both stop for good")
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
        now = _told(bus, 3)
        assert set(now.values()) == {1}
        assert told.keys() < now.keys()
        _until(lambda: bus.run(cases_cli.app, "rebuild").exit_code == 0, "the accounts are rebuilt")
        verified = bus.run(ledger_cli.app, "verify", "--against-kafka", "--json")
        assert verified.exit_code == 0, verified.output
        heard = bus.run(liaison.app, "inbox", "--agency", "mps", "--json")
        assert heard.exit_code == 0, heard.output
        final = final_checkpoint(bus.stack.connection, json.loads(verified.output)["entries"])
        assert final.check.ok, final.check.detail
        assert final.note is not None
        assert final.note.startswith("casebus.example/ledger-2\n")
