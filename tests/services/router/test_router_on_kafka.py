"""The router as a process on a real broker: what goes in, what comes out, and what it survives."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from casebus_schemas.admission.verdict import Admission, original_record, split_admission
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.base64url import from_base64url
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders, digest_of, fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Outgoing, Record
from casebus_schemas.wire.signing import ZERO_DIGEST, SigningKey, admission_message, parse_block, verify
from support.events.signed_events import Speaker, chain, envelope, referral, seed_of
from support.router import router_that_cannot_send
from support.router.router_process import PARTITIONS, ROUTER_KEY, RouterBus, RouterProcess
from support.router.router_that_cannot_send import EVENT

pytestmark = pytest.mark.broker

CATALOG = Catalog.load()
DELIVERED: dict[str, Any] = {"envelope": envelope(to=["spp", "csrc"]), "deliveries": []}


@pytest.fixture(scope="module")
def router(bus: RouterBus) -> Iterator[RouterProcess]:
    """A router that follows a simulated clock."""
    with RouterProcess(bus, CASEBUS_SIMULATED_CLOCK="true") as process:
        yield process
        assert process.stop() == 0


class Watch:
    """What a topic holds beyond the moment this was made."""

    def __init__(self, bus: RouterBus, name: str) -> None:
        self._bus, self.name = bus, name
        self._ends = bus.ends(name)

    def records(self, count: int) -> list[Record]:
        """The records since, once there are at least `count`; receipts of key events do not count."""
        wanted = count
        while True:
            self._bus.until(self.name, sum(self._ends.values()) + wanted)
            read = self._bus.read(self.name, self._ends)
            found = [record for record in read if not _of_key_event(record)]
            if len(found) >= count:
                return found
            wanted = len(read) + count - len(found)


def _of_key_event(record: Record) -> bool:
    if not record.topic.startswith("receipt."):
        return False
    topic: str = decode(CATALOG, record.value)[1]["origin"]["topic"]
    return topic.endswith(".key")


def _admissions(records: list[Record]) -> dict[tuple[str, int], Admission]:
    """The first admission of each origin and attempt."""
    found: dict[tuple[str, int], Admission] = {}
    for record in records:
        admission, _ = split_admission(record)
        found.setdefault((str(admission.origin), admission.attempt), admission)
    return found


def _origin(place: tuple[str, int, int]) -> str:
    return "{}/{}/{}".format(*place)


def _header(record: Record, name: str) -> str:
    value = record.header(name)
    assert value is not None, name
    return value.decode()


def test_event_is_admitted_delivered_and_receipted(bus: RouterBus, router: RouterProcess) -> None:
    """A lawful event leads to a signed admission, a notice for each recipient and a receipt."""
    watched = {name: Watch(bus, name) for name in ("bus.admission", "inbox.mps", "inbox.spp", "receipt.csrc")}
    sent = bus.agencies["csrc"].refer(1)
    (place,) = bus.produce([sent])
    (admitted,) = watched["bus.admission"].records(1)
    admission, headers = split_admission(admitted)
    assert (str(admission.origin), admission.verdict, admission.digest) == (
        _origin(place),
        "admitted",
        sent.digest,
    )
    assert (admitted.partition, admitted.key, admitted.value, headers) == (
        place[1],
        sent.record.key,
        sent.record.value,
        sent.record.headers,
    )
    assert digest_of(original_record(admitted, admission, headers)) == sent.digest
    for agency, role in (("mps", "to"), ("spp", "by-law")):
        (notice,) = watched[f"inbox.{agency}"].records(1)
        assert (notice.key, notice.value) == (sent.record.key, sent.record.value)
        assert notice.headers[: len(sent.record.headers)] == sent.record.headers
        assert (_header(notice, "casebus-notice"), _header(notice, "casebus-role")) == (
            str(notice_id(fields_of(sent.record), agency)),
            role,
        )
        assert _header(notice, "casebus-origin") == _origin(place)
    (receipt,) = watched["receipt.csrc"].records(1)
    schema, data = decode(CATALOG, receipt.value)
    assert (schema.type, data["event"]["digest"], data["origin"]["offset"]) == (
        "receipt.admitted",
        sent.digest,
        place[2],
    )
    assert [notice["agency"] for notice in data["notices"]] == ["mps", "spp"]


def test_admissions_are_signed_as_a_stream(bus: RouterBus, router: RouterProcess) -> None:
    """Each admission is signed by the bus and continues the stream of its incarnation without a gap."""
    watch = Watch(bus, "bus.admission")
    bus.produce(bus.agencies["csrc"].refer(number) for number in range(20))
    watch.records(20)
    heads: dict[tuple[str, int], tuple[int, bytes]] = {}
    for record in bus.read("bus.admission"):
        producer, seq = _header(record, "casebus-bus-producer"), int(_header(record, "casebus-bus-seq"))
        prev = from_base64url(_header(record, "casebus-bus-prev"), 32)
        assert (seq - 1, prev) == heads.get((producer, record.partition), (0, ZERO_DIGEST))
        said = record.header("casebus-admission")
        assert said is not None
        message = admission_message(
            producer=producer,
            seq=seq,
            prev=prev,
            topic="bus.admission",
            partition=record.partition,
            key=record.key,
            value=record.value,
            admission=said,
        )
        block = parse_block(from_base64url(_header(record, "casebus-bus-sig"), 98))
        assert block.key_id == ROUTER_KEY.key_id
        assert verify(block, message, ROUTER_KEY.public)
        heads[producer, record.partition] = (seq, sha256(message).digest())


def test_refused_record_is_dead_lettered_byte_for_byte(bus: RouterBus, router: RouterProcess) -> None:
    """A refused record stands in its agency's dead letters as it was, with the reason, and is receipted."""
    dead, receipts = Watch(bus, "dead-letter.mps"), Watch(bus, "receipt.mps")
    odd = Outgoing("mps.referral", 2, None, b"\0\0", (("a", None), ("a", b"\xff"), ("", b"")))
    (place,) = bus.produce([odd])
    (letter,) = dead.records(1)
    assert (letter.key, letter.value, letter.headers[:3]) == (odd.key, odd.value, odd.headers)
    assert {
        name: _header(letter, name)
        for name in ("casebus-error-code", "__connect.errors.topic", "kafka_dlt-original-offset")
    } == {
        "casebus-error-code": "bad-frame",
        "__connect.errors.topic": "mps.referral",
        "kafka_dlt-original-offset": str(place[2]),
    }
    (receipt,) = receipts.records(1)
    assert decode(CATALOG, receipt.value)[1]["code"] == "bad-frame"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"handling": "S"}, "level-s"), ({"message_no": "110105" + "19491231" + "002X"}, "personal-data")],
)
def test_secret_is_repeated_nowhere(
    bus: RouterBus, router: RouterProcess, changes: dict[str, Any], code: str
) -> None:
    """Of a state secret or a resident id only digests are kept in admission and dead letter."""
    dead, admissions = Watch(bus, "dead-letter.csrc"), Watch(bus, "bus.admission")
    sent = bus.agencies["csrc"].refer(1, **changes)
    bus.produce([sent])
    (letter,), (admitted,) = dead.records(1), admissions.records(1)
    admission, headers = split_admission(admitted)
    assert (admission.code, admitted.value, headers) == (code, None, ())
    assert letter.value is None
    assert not {name for name, _ in letter.headers} & {name for name, _ in sent.record.headers}
    assert admission.original is not None
    assert _header(letter, "casebus-value-sha256") == admission.original[1]


def test_key_announced_just_before_is_known(bus: RouterBus, router: RouterProcess) -> None:
    """An event signed with a key that was announced and acknowledged before is never refused for its key."""
    spp = bus.agencies["spp"]
    for number in range(5):
        admissions = Watch(bus, "bus.admission")
        new = SigningKey(seed_of(f"spp {number}"))
        bus.produce([spp.announce(new, by=spp.key)])
        bus.produce([spp.say("receipt.delivered", DELIVERED, chain(number), key=new)])
        (admitted,) = admissions.records(1)
        assert split_admission(admitted)[0].code is None


def _clock_set(bus: RouterBus, now: datetime, rate: float = 0.0) -> Composed:
    return bus.operator.say("clock.set", {"envelope": envelope(to=[]), "now": now, "rate": rate}, chain(700))


def test_clock_set_before_an_event_is_its_earliest_admission(bus: RouterBus, router: RouterProcess) -> None:
    """An event published after an acknowledged clock.set is admitted at that time or later."""
    for day in range(1, 6):
        admissions = Watch(bus, "bus.admission")
        now = datetime(2016, 11, day, tzinfo=UTC)
        bus.produce([_clock_set(bus, now)])
        bus.produce([bus.agencies["csrc"].refer(day)])
        (admitted,) = admissions.records(1)
        assert split_admission(admitted)[0].admitted_at_ms == int(now.timestamp() * 1000)


def _redrive(bus: RouterBus, place: tuple[str, int, int], attempt: int) -> Composed:
    origin = dict(zip(("topic", "partition", "offset"), place, strict=True))
    return bus.operator.say(
        "dead_letter.redrive_requested",
        {"envelope": envelope(to=[]), "origin": origin, "attempt": attempt},
        chain(701),
    )


def test_refused_record_is_driven_again(bus: RouterBus, router: RouterProcess) -> None:
    """A record refused for its key is admitted and delivered as the second attempt once the key is known."""
    court = Speaker("court", producer="court-2.1")
    new = SigningKey(seed_of("court late"))
    dead, inbox, admissions = (Watch(bus, t) for t in ("dead-letter.court", "inbox.spp", "bus.admission"))
    sent = court.say("receipt.delivered", DELIVERED, key=new)
    (place,) = bus.produce([sent])
    (letter,) = dead.records(1)
    assert (_header(letter, "casebus-error-code"), _header(letter, "casebus-attempt")) == ("unknown-key", "1")
    bus.produce([bus.agencies["court"].announce(new, by=bus.agencies["court"].key)])
    bus.produce([_redrive(bus, place, 2)])
    (notice,) = inbox.records(1)
    assert _header(notice, "casebus-notice") == str(notice_id(fields_of(sent.record), "spp"))
    found = _admissions(admissions.records(2))
    assert [found[_origin(place), attempt].verdict for attempt in (1, 2)] == ["refused", "admitted"]


def test_secrets_are_not_driven_again(bus: RouterBus, router: RouterProcess) -> None:
    """A record refused as a state secret cannot be driven again; the command shows as refused."""
    admissions = Watch(bus, "bus.admission")
    (place,) = bus.produce([bus.agencies["csrc"].refer(1, handling="S")])
    admissions.records(1)
    (command,) = bus.produce([_redrive(bus, place, 2)])
    found = _admissions(admissions.records(2))
    assert found[_origin(command), 1].code == "not-authorised"
    assert (_origin(place), 2) not in found


def test_restarted_router_does_nothing_again(bus: RouterBus, router: RouterProcess) -> None:
    """After an orderly restart neither events nor commands of before are carried out a second time."""
    admissions = Watch(bus, "bus.admission")
    assert router.stop() == 0
    router.start()
    (place,) = bus.produce([bus.agencies["csrc"].refer(6)])
    assert [str(split_admission(record)[0].origin) for record in admissions.records(1)] == [_origin(place)]


def test_a10_what_kafka_would_never_take_is_set_aside_and_driven_again(
    bus: RouterBus, router: RouterProcess
) -> None:
    """A router that cannot send what follows from one event sets it aside; mended it admits and tells it."""
    names = ("bus.admission", "inbox.mps", "dead-letter.csrc", "receipt.csrc")
    admissions, inbox, dead, receipts = (Watch(bus, name) for name in names)
    assert router.stop() == 0
    sent = [bus.agencies["csrc"].refer(8) for _ in range(3)]
    poisoned = sent[1]
    ids = {EVENT: str(EventHeaders.parse(poisoned.record.headers).id)}
    program = [router_that_cannot_send.__file__]
    with RouterProcess(bus, program, CASEBUS_SIMULATED_CLOCK="true", **ids) as faulty:
        places = bus.produce(sent)
        found = _admissions(admissions.records(3))
        assert [found[_origin(place), 1].code for place in places] == [None, "set-aside", None]
        (letter,) = dead.records(1)
        assert (letter.value, _header(letter, "casebus-error-code")) == (None, "set-aside")
        codes = [decode(CATALOG, record.value)[1].get("code") for record in receipts.records(3)]
        assert codes == [None, "set-aside", None]
        assert len(inbox.records(2)) == 2
        assert faulty.stop() == 0
    router.start()
    bus.produce([_redrive(bus, places[1], 2)])
    told = [_header(notice, "casebus-notice") for notice in inbox.records(3)]
    assert told[2] == str(notice_id(fields_of(poisoned.record), "mps"))
    again = _admissions(admissions.records(4))[_origin(places[1]), 2]
    assert (again.verdict, again.digest) == ("admitted", poisoned.digest)


@pytest.mark.parametrize(
    "place",
    [("csrc.referral", 0, 10**9), ("bus.admission", 0, 0), ("inbox.mps", 0, 0), ("csrc.referral", 99, 0)],
)
def test_command_for_no_record_is_refused(
    bus: RouterBus, router: RouterProcess, place: tuple[str, int, int]
) -> None:
    """A re-drive of a place that holds no agency's record is refused visibly and harms nothing."""
    admissions = Watch(bus, "bus.admission")
    (command,) = bus.produce([_redrive(bus, place, 2)])
    assert _admissions(admissions.records(1))[_origin(command), 1].code == "misplaced"


def test_forged_command_is_refused(bus: RouterBus, router: RouterProcess) -> None:
    """A command that no key of the bus has signed does nothing and shows as refused."""
    admissions = Watch(bus, "bus.admission")
    forged = Speaker("bus", key=bus.agencies["csrc"].key, producer="forger-1.1")
    data = {"envelope": envelope(to=[]), "now": datetime(2001, 1, 1, tzinfo=UTC), "rate": 0.0}
    (command,) = bus.produce([forged.say("clock.set", data, chain(702))])
    assert _admissions(admissions.records(1))[_origin(command), 1].code == "unknown-key"
    admissions = Watch(bus, "bus.admission")
    bus.produce([bus.agencies["csrc"].refer(8)])
    (admitted,) = admissions.records(1)
    assert split_admission(admitted)[0].admitted_at_ms > int(
        datetime(2016, 1, 1, tzinfo=UTC).timestamp() * 1000
    )


def test_what_the_bus_says_is_delivered_but_not_admitted(bus: RouterBus, router: RouterProcess) -> None:
    """A finding reaches the agencies it names through their inboxes, without an admission or a receipt."""
    reconciler = Speaker("bus", key=bus.operator.key, producer="reconciler-1.1")
    inbox, admissions = Watch(bus, "inbox.csrc"), Watch(bus, "bus.admission")
    data = {
        "envelope": envelope(to=["csrc"]),
        "findings": [
            {
                "id": UUID(chain(5)),
                "rule": "R30",
                "class": "state",
                "severity": "medium",
                "state": "open",
                "because": {"zh": "两家数额不一致", "en": "the amounts differ"},
                "opened_at": envelope()["occurred_at"],
            }
        ],
    }
    sent = reconciler.say("finding.opened", data, chain(1))
    bus.produce([sent])
    (notice,) = inbox.records(1)
    assert (notice.value, _header(notice, "casebus-role")) == (sent.record.value, "to")
    assert admissions.records(0) == []


def test_largest_record_that_the_broker_takes_is_judged(bus: RouterBus, router: RouterProcess) -> None:
    """What a channel takes, however large, also fits into its admission and its dead letter."""
    dead, admissions = Watch(bus, "dead-letter.csrc"), Watch(bus, "bus.admission")
    sent = bus.agencies["csrc"].refer(4).record
    swollen = sent._replace(value=(sent.value or b"") + bytes((1 << 20) - 2000 - len(sent.value or b"")))
    bus.produce([swollen])
    (admitted,), (letter,) = admissions.records(1), dead.records(1)
    assert split_admission(admitted)[0].code == "too-large"
    assert (admitted.value, letter.value) == (swollen.value, swollen.value)


def test_poison_every_hundredth(bus: RouterBus, router: RouterProcess) -> None:
    """Of 10,000 records exactly the poisoned ones are dead letters, byte for byte; the rest is through."""
    csrc = bus.agencies["csrc"]
    outgoing: list[Outgoing] = []
    poison: list[Outgoing] = []
    for number in range(10_000):
        record = csrc.say("referral.submitted", referral(), chain(number % 97)).record
        if number % 100 == 0:
            record = record._replace(value=(record.value or b"")[:-1] + bytes([number % 251]) + b"\0poison")
            poison.append(record)
        outgoing.append(record)
    dead, inbox, admissions = (Watch(bus, t) for t in ("dead-letter.csrc", "inbox.mps", "bus.admission"))
    began = time.monotonic()
    bus.produce(outgoing)
    letters = dead.records(len(poison))
    assert sorted((r.key, r.value, r.headers[:12]) for r in letters) == sorted(
        (r.key, r.value, r.headers) for r in poison
    )
    assert len(inbox.records(len(outgoing) - len(poison))) == len(outgoing) - len(poison)
    assert len(_admissions(admissions.records(len(outgoing)))) == len(outgoing)
    print(f"10,000 records in {time.monotonic() - began:.1f} s")
    assert PARTITIONS == 4
