"""The demo ends cosigned: one head over all that was entered, which three of four witnesses have signed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from casebus_consumers.auditor.cosigned_heads import witnesses_in_words
from casebus_consumers.auditor.gossip import Gossip
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.topology import AUDITOR, CHECKPOINT
from casebus_schemas.connection import Connection
from casebus_schemas.errors import RetryLater
from casebus_schemas.evidence.epoch import read_epoch_headers
from casebus_schemas.wire.records import Record

from .evidence import wait_for
from .report import Check

NAME = "final-checkpoint"
WAIT_S = 120.0


@dataclass(slots=True)
class _Sealed:
    """How many entries the epochs on bus.checkpoint seal, as far as they were read."""

    sizes: dict[str, int] = field(default_factory=dict)

    def take(self, records: Iterable[Record]) -> None:
        """Records of bus.checkpoint."""
        for record in records:
            for head in read_epoch_headers(record.headers)[1]:
                self.sizes[head.origin] = head.size


class FinalCheckpoint(NamedTuple):
    """The check, and the note with its cosignatures where there is one."""

    check: Check
    note: str | None = None


def final_checkpoint(connection: Connection, entries: int) -> FinalCheckpoint:
    """Waits until all these entries are under a final head; what was found, as an auditor reads it."""
    if connection.policy_file is None:
        return FinalCheckpoint(Check(NAME, False, "connection.json names no policy"))
    login = KafkaLogin.read(AUDITOR, connection)
    sealed = _Sealed()
    with Gossip(login, connection.policy_file) as gossip, TopicReader(login, [CHECKPOINT]) as reader:
        standing = gossip.look()

        def is_final() -> bool:
            nonlocal standing
            sealed.take(reader.read_to(reader.ends()))
            standing = gossip.look()
            whole = sum(sealed.sizes.values()) >= entries and standing.size == standing.final
            return bool(standing.splits) or whole

        try:
            wait_for(is_final, "a final checkpoint over all entries", WAIT_S)
        except RetryLater as error:
            late = [f"{name}: {words}" for name, words in witnesses_in_words(standing).items()]
            return FinalCheckpoint(Check.of(NAME, [error.detail, *late], ""))
    problems = [f"two histories of size {split.size}" for split in standing.splits]
    by = ", ".join(one.name for one in standing.witnesses if one.size == standing.final)
    fine = f"{entries} entries in {standing.size} epochs under one head, cosigned by {by}"
    note = None if standing.final_note is None else str(standing.final_note)
    return FinalCheckpoint(Check.of(NAME, problems, fine), note)
