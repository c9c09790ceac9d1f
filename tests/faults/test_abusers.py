"""One member abuses its lawful login and key; the others go on working, and nothing that it said is lost."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from casebus_schemas.admission.verdict import split_admission
from casebus_schemas.errors import REFUSAL_CODES
from casebus_schemas.wire.records import Outgoing
from support.events.signed_events import Speaker
from support.scenes.abuser import AGENCY, WAYS, Abuser, Way
from support.scenes.crash_run import settle
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import FaultStack, agency_keys, client_config
from support.scenes.honest import ASKING, HonestPair, Waits
from support.scenes.kafka_view import KafkaView

pytestmark = [pytest.mark.broker, pytest.mark.faults]

CALM_S = 6.0
LATER_S = 1.0
"""How much later than calm an honest notice may come on a machine that starts a service within `STARTS_S`,"""
STARTS_S = 1.5
SLOW_MACHINE = 4.0
"""or how many times the calm wait, where even that is long."""
MOST_MEMORY = 400 << 20
SHORT_SHARE = 0.1
PUSH_S = 300.0


class AbuserLogin:
    """Sends the abuser's records under its own login, as fast as the broker takes them."""

    def __init__(self, stack: FaultStack) -> None:
        self.places: list[tuple[str, int, int]] = []
        self.not_taken: Counter[str] = Counter()
        self._producer = Producer(
            {
                **client_config(stack, AGENCY),
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.max.bytes": 2 << 20,
                "message.timeout.ms": int(PUSH_S * 1000),
            }
        )

    def push(self, records: Iterator[Outgoing]) -> int:
        """Sends all; gives how many. Those that the broker does not take are counted with its word."""
        count = 0
        for record in records:
            count += 1
            while True:
                try:
                    self._producer.produce(
                        record.topic,
                        record.value,
                        record.key,
                        record.partition,
                        headers=list(record.headers),
                        on_delivery=self._delivered,
                    )
                    break
                except BufferError:
                    self._producer.poll(0.05)
            self._producer.poll(0)
        assert self._producer.flush(PUSH_S) == 0
        return count

    def _delivered(self, error: object, message: object) -> None:
        if error is not None:
            self.not_taken[str(error)] += 1
        else:
            self.places.append((message.topic(), message.partition(), message.offset()))  # type: ignore[attr-defined]


def _peaks(stack: FaultStack) -> dict[str, int]:
    assert stack.supervisor is not None
    peaks = {}
    for name, pid in stack.supervisor.pids.items():
        status = Path(f"/proc/{pid}/status").read_text()
        peaks[name] = int(status.split("VmHWM:")[1].split()[0]) << 10
    return peaks


def _judge(scenes: Scenes, name: str, ways: tuple[Way, ...], share: float) -> None:
    keys = agency_keys(scenes.secrets)
    with scenes.bus() as stack:
        assert stack.supervisor is not None
        assert stack.broker is not None
        before = stack.supervisor.states()
        speaker = Speaker(ASKING, key=keys[ASKING], producer=f"{ASKING}-asks.1")
        login = AbuserLogin(stack)
        said: Counter[str] = Counter()
        with HonestPair(stack, speaker) as pair:
            time.sleep(1.0)  # the first questions meet services that warm up
            calm_from = time.monotonic()
            time.sleep(CALM_S)  # the calm that is measured
            calm = pair.waits(calm_from, time.monotonic())
            abused_from = time.monotonic()
            still_open: list[str] = []
            of_way: dict[str, Waits] = {}
            for way in ways:
                begun = time.monotonic()
                said[way.__name__] = login.push(
                    way(Abuser(keys[AGENCY], f"abuse-{WAYS.index(way) + 1}"), share)
                )
                still_open += router_is_behind(stack, login)
                of_way[way.__name__] = pair.waits(begun, time.monotonic())
            abused = pair.waits(abused_from, time.monotonic())
        assert settle(stack) == []
        after = stack.supervisor.states()
        peaks = _peaks(stack)
        verdicts = {
            admission.origin: (admission.verdict, admission.code)
            for admission in (split_admission(r)[0] for r in KafkaView(stack.broker).read("bus.admission"))
        }
    fates = Counter(
        code or verdict
        for origin, (verdict, code) in verdicts.items()
        if origin.topic.startswith(f"{AGENCY}.") and not origin.topic.endswith(".key")
    )
    scenes.say(
        f"{name}: {sum(said.values())} records of the abuser {dict(fates)}; honest notices calm "
        f"p50 {calm.median:.2f} p95 {calm.share(0.95):.2f} s, abused p50 {abused.median:.2f} "
        f"p95 {abused.share(0.95):.2f} most {max(abused.seconds):.2f} s; "
        + ", ".join(f"{service} {peak >> 20} MB" for service, peak in peaks.items())
    )
    for name_of_way, waits in of_way.items():
        if waits.seconds:
            most = f"most {max(waits.seconds):.2f} s of {len(waits.seconds)}"
            scenes.say(f"  {name_of_way}: {said[name_of_way]} records, {most}")
    assert still_open == []
    assert not login.not_taken
    judged = {(o.topic, o.partition, o.offset) for o in verdicts}
    assert {place for place in login.places if not place[0].endswith(".key")} <= judged
    assert set(fates) <= {"admitted", *REFUSAL_CODES}
    assert {name: state.restarts for name, state in after.items()} == {
        name: state.restarts for name, state in before.items()
    }
    assert {service: peak for service, peak in peaks.items() if peak > MOST_MEMORY} == {}
    later_s = LATER_S * max(1.0, statistics.median(stack.calm_start_s.values()) / STARTS_S)
    assert abused.share(0.95) <= max(calm.share(0.95) + later_s, SLOW_MACHINE * calm.share(0.95))


def router_is_behind(stack: FaultStack, login: AbuserLogin, timeout_s: float = 240.0) -> list[str]:
    """Waits until the router has acknowledged all of the abuser's records; gives what is open after that."""
    assert stack.broker is not None
    view = KafkaView(stack.broker)
    ends: dict[tuple[str, int], int] = {}
    for topic, partition, offset in login.places:
        if not topic.endswith(".key"):
            ends[topic, partition] = max(ends.get((topic, partition), 0), offset + 1)
    deadline = time.monotonic() + timeout_s
    while True:
        routed = view.committed("router", sorted({topic for topic, _ in ends}))
        waiting = [f"router: {place} of {end}" for place, end in ends.items() if routed[place] < end]  # type: ignore[index]
        if not waiting or time.monotonic() > deadline:
            return waiting
        time.sleep(0.2)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_one_abuser_stops_nobody(scenes: Scenes, way: Way) -> None:
    """In full measure, each way by itself."""
    _judge(scenes, way.__name__, (way,), 1.0)


def test_short_abuse_of_every_kind_stops_nobody(scenes: Scenes) -> None:
    """A tenth of each way, one after the other on one bus."""
    _judge(scenes, "short abuse", WAYS, SHORT_SHARE)
