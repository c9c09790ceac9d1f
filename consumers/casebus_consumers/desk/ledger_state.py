"""How the ledger stands, from its tables: epochs, logs, the newest checkpoint, and who has cosigned what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from casebus_consumers.auditor.ledger_rows import LedgerRows, reading
from casebus_consumers.auditor.proof_rows import ProofRows, size_of
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.epoch import EpochLeaf, LogHead
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.times import to_datetime
from casebus_services.ledger.ledger_database import open_database

from .evidence import Sources

_LAST_OF = text(
    "SELECT head_size, timestamp FROM cosignature WHERE key_name = :name ORDER BY head_size DESC LIMIT 1"
)

_RECENT = text("SELECT DISTINCT key_name FROM cosignature WHERE head_size > :size ORDER BY key_name")
_LOOKED_BACK = 2_000


@dataclass(frozen=True, slots=True)
class TopicLogs:
    """The logs of a topic, one a partition: entries that are sealed, and records that wait behind them."""

    topic: str
    logs: int
    entries: int
    behind: int


@dataclass(frozen=True, slots=True)
class Witness:
    """One who cosigns: size and time of the last checkpoint that it has cosigned, if any.

    `name` as the policy has it, without one the name of its key.
    """

    name: str
    size: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerState:
    """As of one instant. `final` is the newest checkpoint that is good enough for a proof, None without."""

    origin: str
    size: int
    sealed_at: datetime
    root: str
    entries: int
    topics: Sequence[TopicLogs]
    note: str
    witnesses: Sequence[Witness]
    final: int | None
    final_note: str | None
    by_policy: bool


def ledger_state(sources: Sources) -> LedgerState:
    """Reads it. Raises UsageError where nothing is sealed or there is no ledger, RetryLater if it is away."""
    database = open_database(sources.url(), read_only=True)
    try:
        with reading(database) as connection:
            return _state(connection, sources)
    finally:
        database.engine.dispose()


def _state(connection: Connection, sources: Sources) -> LedgerState:
    proofs, rows = ProofRows(connection), LedgerRows(connection)
    newest = rows.checkpoint(None)
    if newest is None:
        raise UsageError("no checkpoint yet", expected="a sealed epoch", remedy="wait for the sealer")
    size, note, leaf = newest
    epoch, heads = EpochLeaf.parse(bytes(leaf)), proofs.heads(size)
    own = SignedNote.parse(note.encode())
    lines = [row.line for row in rows.cosignatures_of(size)]
    policy = sources.policy
    recent = connection.execute(_RECENT, {"size": size - _LOOKED_BACK}).scalars()
    names = (
        {name: name for name in recent}
        if policy is None
        else {name: one.key.name for name, one in policy.witnesses.items()}
    )
    final: SignedNote | None
    try:
        final = proofs.checkpoint(1, sources.suffices())
    except UsageError:
        final = None
    return LedgerState(
        origin=proofs.origin,
        size=size,
        sealed_at=to_datetime(epoch.sealed_at_ms),
        root=own.text.splitlines()[2],
        entries=sum(head.size for head in heads.values()),
        topics=_topics(list(heads.values()), proofs.origin),
        note=note + "".join(line if line.endswith("\n") else f"{line}\n" for line in lines),
        witnesses=[_witness(connection, name, key) for name, key in names.items()],
        final=None if final is None else size_of(final),
        final_note=None if final is None else str(final),
        by_policy=policy is not None,
    )


def _topics(heads: Sequence[LogHead], origin: str) -> list[TopicLogs]:
    by_topic: dict[str, list[LogHead]] = {}
    for head in heads:
        by_topic.setdefault(head.origin.removeprefix(f"{origin}/").split("/")[0], []).append(head)
    return [
        TopicLogs(
            topic,
            len(of),
            sum(head.size for head in of),
            sum(max(head.end_offset - head.next_offset, 0) for head in of),
        )
        for topic, of in sorted(by_topic.items())
    ]


def _witness(connection: Connection, name: str, key: str) -> Witness:
    row = connection.execute(_LAST_OF, {"name": key}).one_or_none()
    if row is None:
        return Witness(name, None, None)
    return Witness(name, row.head_size, to_datetime(row.timestamp * 1000))
