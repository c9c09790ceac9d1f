"""Identifiers: deterministic, of the right version, and spelled alike for one matter."""

from uuid import UUID

import pytest

from casebus_schemas.agencies import agency_of_source, agency_of_topic
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.ids import bus_id, chain_id, message_uuid, normalise_reference, notice_id, uuid7


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


def test_notice_ids_are_pinned() -> None:
    """A notice id never changes between versions of the program."""
    assert notice_id(bytes(32), "mps") == UUID("98c93c23-f7bb-5867-98d8-a34bfb533ede")


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
