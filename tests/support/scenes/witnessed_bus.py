"""A real Kafka with an operator who seals what he likes, and four witnesses as agencies' clients."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from casebus_consumers.witness.program import WitnessProgram
from casebus_consumers.witness.settings import WitnessSettings
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.witnesses import make_witnesses, policy_file, witness_dir
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.agencies import WITNESSES, Members
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature, ledgered_topics
from casebus_schemas.evidence.epoch import LogHead, log_origin
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.records import Record, TopicPartition
from support.ledger.head_logs import ORIGIN, Sealed, signer

WAIT_S = 15.0


def wait_for(what: str, there: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Until it is so. Raises AssertionError when it takes too long."""
    deadline = time.monotonic() + wait_s
    while not there():
        assert time.monotonic() < deadline, f"not within {wait_s:.0f} s: {what}"
        time.sleep(0.05)


@dataclass
class WitnessedBus:
    """`sealed` is the head log that the operator shows now; its key signs whatever he wants."""

    broker: EmbeddedBroker
    credentials: Path
    folder: Path
    sealed: Sealed = field(default_factory=Sealed)
    programs: dict[str, WitnessProgram] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_witnesses(self.folder, str(signer().key))
        self.policy = TrustPolicy.parse(policy_file(self.folder).read_bytes())
        self._stops: dict[str, tuple[Event, Thread]] = {}
        self._producer: Any = KafkaProducer(**self.broker.admin_settings(), bootstrap_timeout_ms=30_000)

    # --- what the operator does --------------------------------------------------------------------------

    def say(self, *values: bytes, topic: str = "csrc.referral", partition: int = 3) -> None:
        """Records on a topic of the bus."""
        for value in values:
            self._producer.send(topic, value=value, partition=partition).get(30)

    def seal(self) -> int:
        """Seals an epoch over all that stands in Kafka, and publishes it; gives its number."""
        self.sealed.seal(self.heads())
        number = len(self.sealed.epochs)
        self.publish(number)
        return number

    def publish(self, number: int) -> None:
        """Publishes an epoch's record."""
        value, headers = self.sealed.record(number)
        pairs = [(name, content or b"") for name, content in headers]
        self._producer.send(CHECKPOINT, value=value, headers=pairs, partition=0).get(30)

    def heads(self) -> list[LogHead]:
        """The heads of all logs, computed from Kafka."""
        found: dict[TopicPartition, list[Record]] = {}
        for record in self.read([spec.name for spec in ledgered_topics(4)]):
            found.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        return [
            LogHead(
                log_origin(ORIGIN, place.topic, place.partition),
                len(records),
                root_of([leaf_hash(leaf(record)) for record in records]),
                records[-1].offset + 1,
                records[-1].offset + 1,
            )
            for place, records in found.items()
        ]

    def rewrite(self, *topics: str) -> None:
        """Deletes topics and makes them anew, empty."""
        admin = KafkaAdminClient(**self.broker.admin_settings(), bootstrap_timeout_ms=10_000)
        specs = {spec.name: spec for spec in ledgered_topics(4)}
        try:
            admin.delete_topics(list(topics))
            wait_for("topics are gone", lambda: not set(topics) & set(admin.list_topics()))
            admin.create_topics(
                [
                    NewTopic(
                        topic, specs[topic].partitions if topic in specs else 1, 1, topic_configs=LOG_APPEND
                    )
                    for topic in topics
                ],
                wait_for_metadata=True,
            )
        finally:
            admin.close()

    # --- what the witnesses do -----------------------------------------------------------------------------

    def settings(self, witness: str) -> WitnessSettings:
        """What a witness's program is told."""
        principal = Members.load().login_of(witness)
        return WitnessSettings(
            witness=witness,
            login=KafkaLogin(
                bootstrap_servers=self.broker.bootstrap_servers,
                sasl_username=principal,
                sasl_password_file=self.credentials / f"{principal}.password",
            ),
            folder=witness_dir(self.folder, witness),
            policy=self.policy,
        )

    def start(self, *witnesses: str) -> None:
        """Starts these witnesses, or all."""
        for witness in witnesses or WITNESSES:
            program, stop = WitnessProgram(self.settings(witness)), Event()
            thread = Thread(target=program.run, args=(stop,), name=witness, daemon=True)
            thread.start()
            self.programs[witness], self._stops[witness] = program, (stop, thread)

    def stop(self, *witnesses: str) -> None:
        """Stops these, or all."""
        for witness in witnesses or tuple(self._stops):
            stop, thread = self._stops.pop(witness)
            stop.set()
            thread.join(30)
            assert not thread.is_alive()

    def standing(self, witness: str) -> dict[str, Any]:
        """What a witness says of itself."""
        return self.programs[witness].standing()

    def wait_cosigned(self, size: int, *witnesses: str) -> None:
        """Until these, or all, have cosigned the size."""
        for witness in witnesses or WITNESSES:
            self.wait_until(witness, lambda standing: bool(standing["size"] == size))

    def wait_until(self, witness: str, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Until what a witness says of itself is so; gives it."""
        deadline = time.monotonic() + WAIT_S
        while not so(standing := self.standing(witness)):
            assert time.monotonic() < deadline, standing
            time.sleep(0.05)
        return standing

    def wait_published(self, witness: str, count: int) -> None:
        """Until a witness's topic holds so many notes."""
        wait_for(f"{witness} publishes {count}", lambda: len(self.cosigned(witness)) == count)

    def cosigned(self, witness: str) -> list[SignedNote]:
        """All notes on a witness's topic."""
        return [SignedNote.parse(record.value or b"") for record in self.read([cosignature(witness)])]

    def read(self, topics: Sequence[str]) -> list[Record]:
        """All records of topics, as the auditor reads them."""
        login = KafkaLogin(
            bootstrap_servers=self.broker.bootstrap_servers,
            sasl_username=self.broker.admin_username,
            sasl_password_file=self.broker.admin_password_file,
        )
        with TopicReader(login, topics) as reader:
            return list(reader.read_to(reader.ends()))


LOG_APPEND = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
