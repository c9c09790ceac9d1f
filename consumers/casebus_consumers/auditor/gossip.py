"""Reads bus.checkpoint and all cosignatures from Kafka, once or again and again, and compares them."""

import time
from pathlib import Path
from typing import Self

from casebus_consumers.witness.settings import read_policy
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.topology import CHECKPOINT, cosignature
from casebus_schemas.evidence.trust_policy import TrustPolicy

from .cosigned_heads import CosignedHeads, Standing

PROVISIONAL = ".provisional"
"""Behind the name of a policy file: the policy with the smaller quorum."""


def read_policies(file: Path) -> tuple[TrustPolicy, TrustPolicy]:
    """The policy by which a head is final, and that by which it is provisional. Raises UsageError.

    Where there is no second file both are the same.
    """
    final, second = read_policy(file), file.with_name(file.name + PROVISIONAL)
    return final, read_policy(second) if second.exists() else final


class Gossip:
    """A reader of all heads; `look` takes in what came since. Used by one thread.

    `newest` bounds the records of each topic read at first, and the heads remembered; None: no bound.
    """

    def __init__(self, login: KafkaLogin, policy_file: Path, newest: int | None = None) -> None:
        """Raises UsageError for the policy, RetryLater if the broker is away."""
        final, provisional = read_policies(policy_file)
        self._heads = CosignedHeads(final, provisional, newest)
        self._witnesses = {cosignature(name): name for name in final.witnesses}
        self._reader = TopicReader(login, [CHECKPOINT, *self._witnesses])
        try:
            if newest is not None:
                first = self._reader.first()
                ends = self._reader.ends()
                self._reader.seek({at: max(first[at], end - newest) for at, end in ends.items()})
        except BaseException:
            self._reader.close()
            raise

    def close(self) -> None:
        """Leaves the broker."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self) -> Standing:
        """How all stands now, with every record that Kafka holds now. Raises RetryLater."""
        for records, _ in self._reader.runs_to(self._reader.ends()):
            for record in records:
                if record.topic == CHECKPOINT:
                    self._heads.checkpoints([record])
                else:
                    self._heads.cosignatures(self._witnesses[record.topic], [record])
        return self._heads.standing(time.time_ns() // 1_000_000)
