"""Identifiers: deterministic, of the right version, and spelled alike for one matter."""

from hashlib import sha256
from uuid import UUID, uuid5

import pytest

from casebus_schemas.agencies import agency_of_source, agency_of_topic
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.ids import bus_id, chain_id, message_uuid, normalise_reference, notice_id, uuid7
from casebus_schemas.wire.signing import SignedFields


def test_versions() -> None:
    """Each id carries the version that its making promises."""
    made = (uuid7(1, bytes(10)), chain_id(b"s", "csrc", "case", "x"), message_uuid("csrc", "1"))
    assert [item.version for item in made] == [7, 8, 5]


def test_uuid7_holds_its_time() -> None:
    """The first 48 bits of a UUIDv7 are its milliseconds."""
    assert uuid7(1_669_000_000_123, b"\xff" * 10).int >> 80 == 1_669_000_000_123


def test_one_reference_one_chain() -> None:
    """Full-width and half-width spellings of a number are one reference; other secrets give other chains."""
    spellings = ["〔2020〕24号", "(2020)24号", " （2020） 24号"]
    assert {normalise_reference(text) for text in spellings} == {"(2020)24号"}
    assert len({chain_id(b"s", "csrc", "doc", text) for text in spellings}) == 1
    assert chain_id(b"s", "csrc", "doc", "1") != chain_id(b"t", "csrc", "doc", "1")


def test_bus_ids_ignore_the_order_of_causes() -> None:
    """An id of the bus depends on the set of causes alone."""
    assert bus_id("R30", "c", [b"a", b"b"]) == bus_id("R30", "c", [b"b", b"a"])
    assert bus_id("R30", "c", [b"a"]) != bus_id("R31", "c", [b"a"])


_ID = UUID("0190163d-8694-739b-aea5-966c26f8ad91")
_SAID = SignedFields(
    producer="csrc-1.1",
    seq=1,
    prev=bytes(32),
    topic="csrc.referral",
    partition=3,
    key="7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44",
    fingerprint=b"f",
    content_type="application/avro",
    id=_ID,
    type="referral.submitted",
    source="/csrc/shanghai-office",
    time_ms=1476720000000,
    value_sha256=sha256(b"value").digest(),
)


def test_notice_ids_are_pinned() -> None:
    """A notice id never changes between versions of the program."""
    assert notice_id(_SAID, "mps") == UUID("8f7eb229-0e23-5728-a5d0-019d84178445")


@pytest.mark.parametrize("topic", ["csrc.referral", "bus.finding"])
def test_d6_a_notice_id_depends_neither_on_incarnation_nor_number(topic: str) -> None:
    """By another producer under another number it is the same notice; other content is another."""
    said = _SAID._replace(topic=topic)
    again = said._replace(producer="csrc-2.9", seq=77, prev=bytes(range(32)), partition=1)
    assert notice_id(said, "mps") == notice_id(again, "mps") != notice_id(said, "spp")
    assert notice_id(said._replace(id=UUID(int=1)), "mps") != notice_id(said, "mps")
    other = said._replace(value_sha256=bytes(32))
    assert (notice_id(other, "mps") == notice_id(said, "mps")) is (topic == "bus.finding")


def test_d1_a_notice_of_the_bus_follows_from_its_event_id() -> None:
    """Whoever knows the id of what the bus says can compute the notice's."""
    assert notice_id(_SAID._replace(topic="bus.obligation"), "mps") == uuid5(_ID, "mps")


def test_speakers() -> None:
    """Sources and topics of members are read, others are an error of use."""
    assert agency_of_source("/csrc/shanghai-office") == "csrc"
    assert agency_of_topic("court.referral") == "court"
    for source in ("csrc", "/csrc/", "/nobody", "/csrc/a/b", ""):
        with pytest.raises(UsageError):
            agency_of_source(source)
    for topic in ("inbox.csrc", "csrc", ""):
        with pytest.raises(UsageError):
            agency_of_topic(topic)
