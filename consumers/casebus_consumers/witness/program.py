"""The witness's program: reads Kafka as its agency's client, cosigns, and publishes what it cosigned."""

import logging
import time
from contextlib import ExitStack, closing, suppress
from threading import Event
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from casebus_producers.connecting import connected, reason
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.agencies import WITNESSES
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.errors import BusError, RetryLater, StopService, UsageError
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.wire.records import TopicPartition

from .cosigning import Answer, Cosigning
from .key_file import STATE, end_key, key_name, load_key
from .settings import WitnessSettings
from .state import KeyEnded, State

log = logging.getLogger(__name__)

POLL_S = 1.0
OWN_LOOKED_AT = 200
"""Newest records of its own topic that a witness compares its state with, when it starts."""
FIRST_REREAD_S, LONGEST_REREAD_S = 2.0, 600.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
SEND_TIMEOUT_S = 15.0


class WitnessProgram:
    """One witness, run by one thread; `submit` and `standing` may be called by others.

    `ended` says why it will not go on: its key ended, or its settings are wrong.
    """

    def __init__(self, settings: WitnessSettings) -> None:
        self.settings = settings
        self.ended: BusError | None = None
        self._cosigning: Cosigning | None = None
        self._trouble: str | None = "starting"
        self._published = 0

    def run(self, stop: Event) -> None:
        """Reads and cosigns until `stop` is set or it has ended; a broker that is away is waited for."""
        pause_s = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                self._session(stop)
                pause_s = FIRST_PAUSE_S
            except KeyEnded as error:
                end_key(self.settings.folder)
                self._end(error)
                return
            except (StopService, UsageError) as error:
                self._end(error)
                return
            except BusError as error:
                self._trouble = error.detail
                log.warning("%s waits: %s", self.settings.witness, error.detail)
            finally:
                self._cosigning = None
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def submit(self, raw: bytes) -> Answer:
        """Answers a body of `add-checkpoint`; 503 while the witness does not run."""
        cosigning = self._cosigning
        if cosigning is None or self.ended is not None:
            return Answer(503, "the witness does not run\n")
        return cosigning.submit(raw)

    def newest(self) -> SignedNote | None:
        """The checkpoint last cosigned, with this witness's line."""
        cosigning = self._cosigning
        last = None if cosigning is None else cosigning.last
        return None if last is None else last.whole

    def standing(self) -> dict[str, Any]:
        """What a person should know: size cosigned and when, for what it waits, what stopped it."""
        cosigning = self._cosigning
        last = None if cosigning is None else cosigning.last
        stopped = None if cosigning is None else cosigning.stopped
        return {
            "witness": self.settings.witness,
            "mirror": self.settings.mirror,
            "size": None if last is None else last.head.size,
            "cosigned_at": None if last is None else last.at,
            "waits": self._trouble if cosigning is None else cosigning.waits,
            "stopped": str(self.ended) if self.ended is not None else stopped,
            "evidence": 0 if cosigning is None else len(cosigning.evidence),
        }

    def _end(self, error: BusError) -> None:
        self.ended = error
        log.critical("%s ends: %s", self.settings.witness, error.detail)

    def _session(self, stop: Event) -> None:
        settings = self.settings
        own = cosignature(settings.witness)
        name = key_name(settings.ledger, settings.witness, mirror=settings.mirror)
        key = load_key(settings.folder, name, settings.other_keys())
        registered = settings.policy.witnesses.get(settings.witness)
        if registered is None or registered.key != key.key:
            raise UsageError(
                f"the policy has another key for {settings.witness}",
                found=str(key.key),
                expected="none" if registered is None else str(registered.key),
                remedy="give every member the policy with the key that signs here",
            )
        with ExitStack() as stack:
            state = stack.enter_context(closing(State(settings.folder / STATE, str(key.key))))
            readable = settings.readable()
            cosigning = Cosigning(state, key, settings.policy, readable)
            notes = self._own_notes(own)
            cosigning.check_own(notes)
            self._published = max((size_in(note, settings.ledger) for note in notes), default=0)
            cosignatures = [cosignature(witness) for witness in WITNESSES]
            copied = dict.fromkeys(place.topic for place in readable or ())
            reader = stack.enter_context(
                TopicReader(settings.login, [CHECKPOINT, *cosignatures, *copied], cosigning.starts)
            )
            producer = _producer(settings, stack)
            self._cosigning, self._trouble = cosigning, None
            reread_at, reread_s = 0.0, FIRST_REREAD_S
            while not stop.is_set():
                if records := reader.poll(POLL_S):
                    cosigning.read(records, CHECKPOINT, cosignatures)
                self._publish(producer, own, cosigning)
                if cosigning.reread and time.monotonic() >= reread_at:
                    reread_at, cosigning.reread = time.monotonic() + reread_s, False
                    reread_s = min(2 * reread_s, LONGEST_REREAD_S)
                    reader.seek({TopicPartition(CHECKPOINT, 0): 0})

    def _own_notes(self, topic: str) -> list[SignedNote]:
        """The newest notes on the witness's own topic, as far as they can be read."""
        place = TopicPartition(topic, 0)
        found = []
        with TopicReader(self.settings.login, [topic]) as reader:
            end = reader.ends()[place]
            reader.seek({place: max(reader.first()[place], end - OWN_LOOKED_AT)})
            for record in reader.read_to({place: end}):
                try:
                    found.append(SignedNote.parse(record.value or b""))
                except ValueError as error:
                    log.warning("%s/%d: %s", topic, record.offset, error)
        return found

    def _publish(self, producer: Any, topic: str, cosigning: Cosigning) -> None:
        last = cosigning.last
        if last is None or last.head.size <= self._published:
            return
        try:
            key = self.settings.ledger.encode()
            future = producer.send(topic, key=key, value=last.whole.to_bytes(), partition=0)
            future.get(SEND_TIMEOUT_S)
        except KafkaError as error:
            raise RetryLater(
                f"a cosignature was not taken by {topic}",
                found=f"{type(error).__name__}: {error}",
                expected="an acknowledgement",
                remedy="it is stored, and goes out when the broker takes it",
            ) from error
        self._published = last.head.size


def size_in(note: SignedNote, ledger: str) -> int:
    """The size that a note of this ledger states, 0 of any other: a bus may go on under another name."""
    try:
        said = Checkpoint.parse(note.text)
    except ValueError:
        return 0
    return said.size if said.origin == ledger else 0


def _producer(settings: WitnessSettings, stack: ExitStack) -> Any:
    try:
        producer = connected(
            KafkaProducer,
            **settings.login.kafka(),
            client_id=f"{settings.witness}-witness",
            acks="all",
            enable_idempotence=True,
            max_block_ms=15_000,
            metrics_enabled=False,
        )
    except KafkaError as error:
        raise RetryLater(
            f"Kafka does not take what {settings.witness} cosigns", found=reason((), error)
        ) from error
    stack.callback(_close, producer)
    return producer


def _close(producer: Any) -> None:
    # It raises for what is not acknowledged: that is on disk, and sent again.
    with suppress(KafkaError):
        producer.close(5)
