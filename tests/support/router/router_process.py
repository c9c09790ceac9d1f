"""A bus of topics and logins on a broker, with the router as a process of its own, for tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from kafka import KafkaAdminClient

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.topics_admin import Wanted, apply
from casebus_producers.private_files import write_private
from casebus_schemas.catalogue.topology import topics
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of

PARTITIONS = 4
ROUTER_KEY = SigningKey(seed_of("router"))
LONG_S = 120.0


class RouterBus:
    """All topics, all logins, keys announced; `produce` and `read` as the super user."""

    def __init__(self, broker: EmbeddedBroker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.credentials = folder / "logins"
        admin = KafkaAdminClient(**broker.admin_settings())
        apply(admin, Wanted.of_bus(PARTITIONS), self.credentials)
        admin.close()
        self.operator = Speaker("bus", key=SigningKey(seed_of("operator")), producer="operator-1.1")
        self.agencies = {name: Speaker(name) for name in ("csrc", "mps", "spp", "court")}
        write_private(folder / "router.signing-key", seed_of("router").hex())
        self._producer = Producer(
            {
                **self.client_settings(),
                "message.max.bytes": 4 << 20,
                "acks": "all",
                "enable.idempotence": True,
            }
        )
        self._consumer = Consumer(
            {
                **self.client_settings(),
                "group.id": "none",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
            }
        )
        self.produce(speaker.announce() for speaker in (self.operator, *self.agencies.values()))
        self.produce([self.operator.announce(ROUTER_KEY, by=self.operator.key)])

    def client_settings(self) -> dict[str, Any]:
        """confluent-kafka's settings of the super user."""
        return {
            "bootstrap.servers": self.broker.bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.broker.admin_username,
            "sasl.password": self.broker.admin_password,
            "log_level": 2,
        }

    def produce(self, outgoing: Iterable[Outgoing | Composed]) -> list[tuple[str, int, int]]:
        """Produces all to their explicit partitions; gives their places in the order given."""
        places: dict[int, tuple[str, int, int]] = {}

        def delivered(number: int) -> Callable[[Any, Any], None]:
            def note(error: Any, message: Any) -> None:
                assert error is None, error
                places[number] = (message.topic(), message.partition(), message.offset())

            return note

        count = 0
        for count, one in enumerate(outgoing, 1):
            record = one.record if isinstance(one, Composed) else one
            while True:
                try:
                    self._producer.produce(
                        record.topic,
                        record.value,
                        record.key,
                        record.partition,
                        headers=list(record.headers),
                        on_delivery=delivered(count),
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        assert self._producer.flush(LONG_S) == 0
        return [places[number] for number in range(1, count + 1)]

    def read(self, name: str, after: dict[int, int] | None = None) -> list[Record]:
        """What stands in a topic now, by partition; `after` maps a partition to its first offset."""
        found: list[Record] = []
        for partition, end in self.ends(name).items():
            at = (after or {}).get(partition, 0)
            self._consumer.assign([TopicPartition(name, partition, at)])
            deadline = time.monotonic() + LONG_S
            while at < end:
                assert time.monotonic() < deadline, f"{name}/{partition} not read to {end}"
                for message in self._consumer.consume(1000, timeout=0.1):
                    assert message.error() is None, message.error()
                    found.append(_record(message))
                    at = found[-1].offset + 1
        self._consumer.unassign()
        return found

    def ends(self, name: str) -> dict[int, int]:
        """The next offset of each partition of a topic."""
        count = next(spec.partitions for spec in topics(PARTITIONS) if spec.name == name)
        places = [TopicPartition(name, partition) for partition in range(count)]
        return {p.partition: self._consumer.get_watermark_offsets(p, timeout=30)[1] for p in places}

    def count(self, name: str) -> int:
        """How many records a topic holds (nothing is ever deleted here)."""
        return sum(self.ends(name).values())

    def until(self, name: str, count: int, timeout_s: float = LONG_S) -> None:
        """Waits until a topic holds at least so many records."""
        deadline = time.monotonic() + timeout_s
        while (found := self.count(name)) < count:
            assert time.monotonic() < deadline, f"{name} holds {found} records, expected {count}"
            time.sleep(0.05)

    def environment(self, **more: str) -> dict[str, str]:
        """The router's CASEBUS_* variables."""
        data = self.folder / "router"
        data.mkdir(exist_ok=True)
        return {
            **os.environ,
            "CASEBUS_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "CASEBUS_SASL_USERNAME": "router",
            "CASEBUS_SASL_PASSWORD_FILE": str(password_file(self.credentials, "router")),
            "CASEBUS_PARTITIONS": str(PARTITIONS),
            "CASEBUS_DATA_DIR": str(data),
            "CASEBUS_SIGNING_KEY_FILE": str(self.folder / "router.signing-key"),
            **more,
        }


def _record(message: Any) -> Record:
    kind, stamp = message.timestamp()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        stamp,
        1 if kind == 2 else 0,
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


class RouterProcess:
    """The router as a process; `environment` counts from the next start on."""

    def __init__(
        self,
        bus: RouterBus,
        program: Sequence[str] = ("-m", "casebus_deploy.cli.main"),
        **environment: str,
    ) -> None:
        self._bus, self._program, self.environment = bus, program, environment
        self.log = bus.folder / "router.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RouterProcess":
        """Starts it."""
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self._program, "run", "router"],
                env=self._bus.environment(**self.environment),
                stdout=out,
                stderr=out,
            )
        return self

    def wait(self, timeout_s: float = LONG_S) -> int:
        """Waits for its end; gives the exit code."""
        assert self.process is not None
        return self.process.wait(timeout_s)

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self._until_working()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def _until_working(self) -> None:
        # Before that, it has not yet said what SIGTERM should do.
        assert self.process is not None
        beat = self._bus.folder / "router" / "heartbeat.json"
        deadline = time.monotonic() + LONG_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError):
                if json.loads(beat.read_text())["pid"] == self.process.pid:
                    return
            time.sleep(0.05)

    def __enter__(self) -> "RouterProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
