"""How many of Kafka's records go with one: known once the router's committed offset has passed it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from kafka import TopicPartition

from casebus_deploy.stack.kafka_copies import KafkaCopies
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import Refused

PLACE = TopicPartition("court.record", 0)


@dataclass
class Offset:
    offset: int


class Admin:
    """Answers with the given committed offsets one after the other, the last one for ever."""

    def __init__(self, committed: Iterable[int | None]) -> None:
        self._committed = list(committed)

    def list_group_offsets(self, _groups: Any) -> dict[str, dict[TopicPartition, Offset]]:
        now = self._committed.pop(0) if len(self._committed) > 1 else self._committed[0]
        return {"router": {} if now is None else {PLACE: Offset(now)}}

    def list_partition_offsets(self, _specs: Any) -> dict[TopicPartition, Offset]:
        return {PLACE: Offset(2)}


def test_a_commit_that_comes_after_the_verdict_is_waited_for() -> None:
    """The router commits some time after its verdict: until then nothing is counted."""
    copies = KafkaCopies(Admin([None, 5, 6]), patience_s=30.0)
    assert copies.count_to(Origin("court.record", 0, 5)) == 4


def test_records_that_stay_unjudged_are_refused() -> None:
    """What the router has not judged in time is not removed."""
    with pytest.raises(Refused, match="not judged"):
        KafkaCopies(Admin([5]), patience_s=0.0).count_to(Origin("court.record", 0, 5))
