"""Poison in the flow: refused byte for byte, an entry of the ledger like all else, and no obstacle."""

from collections.abc import Callable

import pytest

from casebus_schemas.catalogue.topology import agency_topics
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.wire.records import Outgoing
from support.scenes.crash_run import Databases, Player, settle
from support.scenes.crash_scene import Scenes
from support.scenes.fault_stack import agency_keys
from support.scenes.flow import Flow, Said
from support.scenes.kafka_view import KafkaView

pytestmark = pytest.mark.broker

RECORDS = 10_000
EVERY = 100

Spoil = Callable[[Outgoing], Outgoing]


def _value(change: Callable[[bytes], bytes | None]) -> Spoil:
    return lambda record: record._replace(value=change(record.value or b""))


POISON: tuple[Spoil, ...] = (
    _value(lambda value: None),
    _value(lambda value: b""),
    _value(lambda value: b"\x01" + value[1:]),
    _value(lambda value: value[:1] + b"\xff\xff\xff\xff" + value[5:]),
    _value(lambda value: value[: len(value) // 2]),
    _value(lambda value: value + b"\0"),
    _value(lambda value: value[:5] + b"\xfe" * 9 + value[14:]),
    lambda record: record._replace(key=None),
    lambda record: record._replace(partition=(record.partition + 1) % 4),
    lambda record: record._replace(headers=()),
    lambda record: record._replace(headers=(*record.headers, ("ce_id", b"again"))),
    lambda record: record._replace(
        headers=tuple((n, b"\xff\xfe" if n == "ce_source" else v) for n, v in record.headers)
    ),
)


def test_poison_every_hundredth(scenes: Scenes) -> None:
    """Of 10,000 records exactly the poisoned ones are dead letters, unchanged; each record is an entry."""
    flow = Flow(agency_keys(scenes.secrets), RECORDS // 3, name="poison", trouble=False)
    said = flow.said[:RECORDS]
    for number in range(0, RECORDS, EVERY):
        one = said[number]
        spoilt = POISON[number // EVERY % len(POISON)](one.record)
        said[number] = Said(one.agency, spoilt, one.digest, False, frozenset())
    flow.said[:] = said
    assert len(said) == RECORDS
    with scenes.bus(services=("router", "ledger")) as stack:
        played = Player(stack).play(flow, per_s=3000)
        assert (played.failed, len(played.places), settle(stack)) == ([], RECORDS, [])
        assert stack.broker is not None
        view = KafkaView(stack.broker)
        records = view.read(*(spec.name for spec in agency_topics()))
        letters = view.read(*(f"dead-letter.{agency}" for agency in ("csrc", "mps", "spp", "court")))
        inboxes = view.read(*(f"inbox.{agency}" for agency in ("csrc", "mps", "spp", "court")))
        databases = Databases(stack)
        entries = databases.rows(
            "ledger",
            "SELECT topic, partition, koffset, leaf_hash FROM entry JOIN log USING (log_id) "
            "WHERE kind = 'partition'",
        )
        databases.close()
    poison = [one.record for one in said if not one.admitted]
    assert len(poison) == RECORDS // EVERY
    assert sorted(map(_bytes, poison)) == sorted(
        str((letter.key, letter.value, letter.headers[:-_REASONS])) for letter in letters
    )
    assert {(record.header("casebus-notice") or b"").decode() for record in inboxes} == {
        str(notice) for _, notice in flow.expected_notices()
    }
    leaves = {(row[0], row[1], row[2]): bytes(row[3]) for row in entries}
    assert {at: leaves.get(at) for at in map(_place, records)} == {
        _place(record): leaf_hash(leaf(record)) for record in records
    }


_REASONS = 18
"""Headers that the router appends to a dead letter: the bus's three, Kafka Connect's and Spring's."""


def _bytes(record: Outgoing) -> str:
    return str((record.key, record.value, record.headers))


def _place(record: object) -> tuple[str, int, int]:
    return (record.topic, record.partition, record.offset)  # type: ignore[attr-defined]
