"""A bus on which one agency asks another: what stands in inboxes and accounts, before and after a mishap."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from casebus_deploy.stack.stack import Stack, StackOptions
from casebus_producers import cli as agency
from casebus_services.reconciler.accounts_database import Database
from support.cases.members import door_event
from support.scenes.kafka_view import KafkaView

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


def until(holds: Callable[[], bool], what: str) -> None:
    """Waits for it. Raises AssertionError with `what` after three minutes."""
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def told_of(bus: Bus, chains: int) -> Counter[str]:
    """The notices once all are there: of each chain the question, and duty and finding to each of the two."""
    until(lambda: bus.chains() == chains, f"{chains} chains in the accounts")
    until(lambda: bus.notices().total() >= 5 * chains, "a notice is missing")
    return bus.notices()
