"""A witness as a process of its own, for tests that kill it: `python -m support.ledger.witness_child`."""

import json
import sys
from pathlib import Path
from threading import Event

from casebus_consumers.witness.program import WitnessProgram
from casebus_consumers.witness.settings import WitnessSettings, read_policy
from casebus_producers.config import KafkaLogin
from casebus_producers.connecting import quiet_kafka


def main(told: dict[str, str]) -> None:
    """Runs until it is killed."""
    quiet_kafka()
    login = KafkaLogin(
        bootstrap_servers=told["bootstrap_servers"],
        sasl_username=told["username"],
        sasl_password_file=Path(told["password_file"]),
    )
    settings = WitnessSettings(
        witness=told["witness"],
        login=login,
        folder=Path(told["folder"]),
        policy=read_policy(Path(told["policy"])),
    )
    program = WitnessProgram(settings)
    program.run(Event())
    raise SystemExit(f"{program.ended}")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
