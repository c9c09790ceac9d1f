"""The router killed in full flow: no notice is lost, and what is repeated is recognisable as a repeat."""

import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha1, sha256
from pathlib import Path
from uuid import UUID

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.admission.verdict import split_admission
from casebus_schemas.wire.records import Outgoing, Record
from support.events.signed_events import chain, envelope, referral
from support.router.router_process import RouterBus, RouterProcess

pytestmark = pytest.mark.broker

log = logging.getLogger(__name__)

KILLS = int(os.environ.get("CASEBUS_TEST_KILLS", "3"))
PER_SECOND = 300
PLACES_TO_DIE = ("router.before-output", "router.after-output", "router.before-acknowledge")
# The namespace of the bus's ids, restated: the oracle must not share code with what it judges.
NAMESPACE = UUID("6a0f1c1e-8f4e-5d55-9d6b-0d5a3f4f7c21")


@pytest.fixture
def own_bus(tmp_path: Path) -> Iterator[RouterBus]:
    """A fresh bus: a kill test counts everything there is."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        yield RouterBus(broker, tmp_path)


def _notice(said: Outgoing, agency: str) -> str:
    headers = dict(said.headers)
    parts = (b"notice\ncsrc", headers["ce_id"] or b"", headers["ce_type"] or b"", said.key or b"")
    what = b"\n".join((*parts, sha256(said.value or b"").hexdigest().encode(), agency.encode()))
    raw = bytearray(sha1(NAMESPACE.bytes + what).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x50, raw[8] & 0x3F | 0x80
    return str(UUID(bytes=bytes(raw)))


class Flow:
    """Publishes 300 events a second until stopped, and knows what must come of them, by an oracle of its own.

    Referrals to the police, of which the law tells the procuratorate, some with a copy to the court; every
    tenth stands there without a key.
    """

    def __init__(self, bus: RouterBus) -> None:
        self._bus = bus
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self.published = self.refused = 0
        self.notices: set[tuple[str, str, str]] = set()

    def __enter__(self) -> "Flow":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _publish(self) -> None:
        while not self._stopping.wait(30 / PER_SECOND):
            self._bus.produce([self._event(self.published + number) for number in range(30)])
            self.published += 30

    def _event(self, number: int) -> Outgoing:
        cc = ["court"] if number % 3 == 0 else []
        data = referral(envelope=envelope(cc=cc))
        sent = self._bus.agencies["csrc"].say("referral.submitted", data, chain(number % 50))
        if number % 10 == 9:
            self.refused += 1
            return sent.record._replace(key=None)
        roles = {"mps": "to", "spp": "by-law", **({"court": "cc"} if cc else {})}
        self.notices |= {(agency, role, _notice(sent.record, agency)) for agency, role in roles.items()}
        return sent.record


def _delivered(bus: RouterBus) -> Counter[tuple[str, str, str]]:
    def text(record: Record, name: str) -> str:
        return (record.header(name) or b"").decode()

    return Counter(
        (agency, text(record, "casebus-role"), text(record, "casebus-notice"))
        for agency in ("csrc", "mps", "spp", "court")
        for record in bus.read(f"inbox.{agency}")
    )


def _judged(bus: RouterBus) -> dict[str, str]:
    verdicts: dict[str, str] = {}
    for record in bus.read("bus.admission"):
        admission, _ = split_admission(record)
        verdicts.setdefault(f"{admission.origin} {admission.attempt}", admission.verdict)
    return verdicts


def _die_at(router: RouterProcess, place: str, passing: int, log_file: Path) -> int:
    """One life of the router that ends at the place; gives the work in flight there."""
    router.environment["CASEBUS_FAULT"] = f"{place}=kill@{passing}"
    router.environment["CASEBUS_FAULT_LOG"] = str(log_file)
    router.start()
    assert router.wait() == -9
    kill = json.loads(log_file.read_text().splitlines()[-1])
    log.info("killed: %s", kill)
    assert kill["point"] == place.rpartition(",")[2]
    return int(kill["in_flight"])


def test_killed_router_loses_nothing(own_bus: RouterBus, tmp_path: Path) -> None:
    """Killed at each named point, the router delivers every notice; repeats carry the first copy's ids."""
    router = RouterProcess(own_bus)
    with Flow(own_bus) as flow:
        in_flight = [
            _die_at(router, PLACES_TO_DIE[number % 3], 2 + number % 4, tmp_path / "kills")
            for number in range(KILLS)
        ]
    del router.environment["CASEBUS_FAULT"]
    with router:
        own_bus.until("bus.admission", flow.published)
        deadline = time.monotonic() + 120
        while len(_judged(own_bus)) < flow.published:
            assert time.monotonic() < deadline, router.log.read_text()[-2000:]
        assert router.stop() == 0
    assert min(in_flight) > 0
    delivered = _delivered(own_bus)
    assert set(delivered) == flow.notices
    assert delivered.total() > len(flow.notices)
    verdicts = Counter(_judged(own_bus).values())
    assert verdicts == {"admitted": flow.published - flow.refused, "refused": flow.refused}
    origins = {record.header("casebus-origin") for record in own_bus.read("dead-letter.csrc")}
    assert len(origins) == flow.refused


def test_acknowledging_before_the_outputs_loses_notices(own_bus: RouterBus, tmp_path: Path) -> None:
    """The safeguard matters: with input acknowledged before its outputs, the same kill loses notices."""
    router = RouterProcess(own_bus)
    with Flow(own_bus) as flow:
        lost = _die_at(router, "ack-before-output,router.before-output", 4, tmp_path / "kills")
    router.environment["CASEBUS_FAULT"] = "ack-before-output"
    with router:
        own_bus.until("bus.admission", flow.published - lost)
        assert router.stop() == 0
    missing = flow.notices - set(_delivered(own_bus))
    log.info("%d records in flight at the kill, %d notices missing", lost, len(missing))
    # Of the last batch in flight Kafka may have heard only a part of what was acknowledged.
    assert flow.published - lost <= len(_judged(own_bus)) < flow.published
    assert missing
