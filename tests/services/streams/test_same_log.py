"""A position kept outside Kafka is looked at before it is trusted."""

from collections.abc import Iterable, Mapping

import pytest

from casebus_schemas.errors import Divergence, StopService
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_services.streams.same_log import Held, Known, SameLog
from support.events.signed_events import Speaker, stored

PLACE = TopicPartition("csrc.referral", 3)
FRESH = TopicPartition("mps.referral", 3)
FIRST, SECOND = (stored(Speaker("csrc").refer(number), 7) for number in (1, 2))


def _position(end: int, record: Record | None, next_offset: int = 8) -> dict[TopicPartition, int]:
    def known(places: Iterable[TopicPartition]) -> dict[TopicPartition, Known]:
        assert set(places) == {PLACE}
        return {PLACE: Known(7, lambda found: found == FIRST)}

    def ask(at: Mapping[TopicPartition, int]) -> dict[TopicPartition, Held]:
        assert at == {PLACE: 7}
        return {PLACE: Held(end, record)}

    offsets = {PLACE: next_offset, FRESH: 0}
    return SameLog(lambda _: dict(offsets), known, ask).next_offsets(offsets)


@pytest.mark.parametrize("record", [FIRST, None])
def test_e1_a_position_of_the_same_log_is_trusted(record: Record | None) -> None:
    """The record is there, or Kafka has deleted it with the beginning of the log."""
    assert _position(8, record) == {PLACE: 8, FRESH: 0}


def test_e1_a_log_that_ends_before_the_position_stops_the_service() -> None:
    """An older copy of Kafka was put back: it is said, with the way on."""
    with pytest.raises(
        StopService, match=r"shorter than what was read.*offset 5.*at least 8.*put-kafka-back"
    ):
        _position(5, None)


def test_e1_another_record_at_the_position_stops_the_service() -> None:
    """The older copy has grown beyond the position since: its end proves nothing."""
    with pytest.raises(Divergence, match=r"another log.*put-kafka-back"):
        _position(20, SECOND)


def test_e1_a_new_database_asks_nothing() -> None:
    """Where nothing was read there is nothing to compare."""
    never = SameLog(lambda _: {FRESH: 0}, lambda _: {}, lambda _: pytest.fail("asked"))
    assert never.next_offsets([FRESH]) == {FRESH: 0}
