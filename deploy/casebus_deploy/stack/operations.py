"""What the operator orders on bus.command: the clock, what is done again, removed or entered."""

from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID

from casebus_producers.config import KafkaLogin, read_connection
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.topology import COMMAND, OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.law.notices import Notice
from casebus_schemas.wire.signing import SigningKey

from .operator_events import Voice


class Operator:
    """The operator's voice on `bus.command`. Each order returns its offset once Kafka has taken it."""

    def __init__(self, connection: Connection) -> None:
        """Raises UsageError if the connection holds no signing key of the operator."""
        key_file = connection.principal(OPERATOR).signing_key_file
        if key_file is None:
            raise UsageError(
                "the operator has no signing key", expected="signing_key_file in connection.json"
            )
        login = KafkaLogin.read(OPERATOR, connection)
        self._voice = Voice(login, SigningKey.from_file(key_file), "/bus/operator")

    @classmethod
    def connect(cls, file: Path | None) -> Self:
        """The operator of the bus whose connection.json is named. Raises UsageError if none is."""
        connection = read_connection(file)
        if connection is None:
            raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
        return cls(connection)

    def set_clock(self, moment: datetime, rate: float) -> int:
        """Sets the simulated clock to an aware time, running `rate` times as fast as real time."""
        return self._voice.say("clock.set", COMMAND, {"now": moment, "rate": rate})

    def redrive(self, origin: Origin, attempt: int, reasons: str | None = None) -> int:
        """Has a refused record judged again, as the `attempt`-th time (from 2)."""
        place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        facts = {"origin": place, "attempt": attempt, "reasons": reasons}
        return self._voice.say("dead_letter.redrive_requested", COMMAND, facts)

    def recompute(self, chain: UUID, reasons: str | None = None) -> int:
        """Has a chain computed again that was set aside."""
        return self._voice.say("chain.recomputation_requested", COMMAND, {"chain": chain, "reasons": reasons})

    def drop_payload(
        self, origin: Origin, value_sha256: bytes, reasons: str, kafka_before: int | None = None
    ) -> int:
        """Has the content of a record removed from the ledger, and Kafka's copies below an offset."""
        place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        facts = {
            "origin": place,
            "value_sha256": value_sha256,
            "kafka_before": kafka_before,
            "reasons": reasons,
        }
        return self._voice.say("payload.drop_ordered", COMMAND, facts)

    def step_over(self, origin: Origin, leaf: bytes, reasons: str) -> int:
        """Has the reconciler go on behind a record of bus.admission that is not the router's."""
        place = {"topic": origin.topic, "partition": origin.partition, "offset": origin.offset}
        facts = {"origin": place, "leaf": leaf, "reasons": reasons}
        return self._voice.say("admission.step_over_ordered", COMMAND, facts)

    def enter_notice(self, notice: Notice, in_force_from: datetime) -> int:
        """Has terms counted by a notice on holidays from a midnight of Beijing on."""
        facts = {
            "year": notice.year,
            "number": notice.number,
            "title": notice.title,
            "known_since": notice.known_since,
            "source": notice.source,
            "days": [{"day": moved.day, "kind": moved.kind} for moved in notice.days],
            "in_force_from": in_force_from,
        }
        return self._voice.say("holidays.notice_entered", COMMAND, facts)

    def close(self) -> None:
        """Closes the connection."""
        self._voice.close()
