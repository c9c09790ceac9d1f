"""Two members at their ordinary work beside somebody else's: how long their notices take."""

import statistics
import time
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Self

from confluent_kafka import OFFSET_END, Consumer, Producer, TopicPartition

from support.events.signed_events import Speaker, chain, envelope
from support.scenes.abuser import event_id
from support.scenes.fault_stack import FaultStack, client_config

ASKING, ASKED = "spp", "mps"
INTERVAL_S = 0.25


@dataclass
class Waits:
    """Seconds from the sending of each question to its notice, in the order of sending."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    def share(self, share: float) -> float:
        """The wait that this share of the questions does not exceed."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


@dataclass
class HonestPair:
    """Asks every quarter of a second and reads the inbox of the one asked, until closed."""

    stack: FaultStack
    speaker: Speaker
    sent: dict[str, float] = field(default_factory=dict)
    come: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._stop, self._reading = Event(), Event()
        self._threads = [Thread(target=self._ask, name="asks"), Thread(target=self._read, name="reads")]
        for thread in reversed(self._threads):
            thread.start()
        assert self._reading.wait(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def waits(self, since: float, until: float) -> Waits:
        """The waits of what was sent between two times of `time.monotonic`; all of it must have come."""
        asked = {id: at for id, at in dict(self.sent).items() if since <= at < until}
        deadline = time.monotonic() + 120
        while asked.keys() - self.come.keys():
            assert time.monotonic() < deadline, f"{len(asked.keys() - self.come.keys())} notices never came"
            time.sleep(0.05)
        return Waits([self.come[id] - at for id, at in asked.items()])

    def _ask(self) -> None:
        producer = Producer({**client_config(self.stack, ASKING), "enable.idempotence": True, "linger.ms": 0})
        self._reading.wait(60)
        number = 0
        while not self._stop.is_set():
            number += 1
            data = {"envelope": envelope(to=[ASKED]), "question": f"question {number}"}
            record = self.speaker.say("consultation.requested", data, chain(5000 + number)).record
            self.sent[event_id(record)] = time.monotonic()
            producer.produce(
                record.topic, record.value, record.key, record.partition, headers=list(record.headers)
            )
            producer.poll(0)
            self._stop.wait(INTERVAL_S)
        producer.flush(30)

    def _read(self) -> None:
        consumer = Consumer(
            {**client_config(self.stack, ASKED), "group.id": "mps.watch", "fetch.wait.max.ms": 20}
        )
        consumer.assign([TopicPartition(f"inbox.{ASKED}", 0, OFFSET_END)])
        consumer.poll(2.0)
        self._reading.set()
        while not (self._stop.is_set() and not (self.sent.keys() - self.come.keys())):
            message = consumer.poll(0.2)
            if message is None or message.error():
                if self._stop.is_set():
                    break
                continue
            headers: dict[str, bytes] = dict(message.headers() or ())  # type: ignore[arg-type]
            self.come.setdefault(headers["ce_id"].decode(), time.monotonic())
        consumer.close()
