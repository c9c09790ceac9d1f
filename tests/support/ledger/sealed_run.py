"""A ledger that is filled, sealed and killed on a real broker, and what must hold of its checkpoints then."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.catalogue.topology import ledgered_topics
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.epoch import EpochTree, LogHead, read_epoch_headers, with_changes
from casebus_schemas.evidence.merkle import EMPTY_ROOT, Frontier, verify_consistency
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_schemas.evidence.submission import Submission
from casebus_services.ledger.store import LedgerStore
from casebus_services.streams.sink import KafkaSink
from support.events.sealing import LOG_SEED
from support.ledger.ledger_process import LedgerProcess, eventually, spread
from support.ledger.ledgers import record
from support.scenes.kafka_view import KafkaView

LEDGERED = [spec.name for spec in ledgered_topics()]
TOPICS = ("csrc.referral", "mps.referral", "court.referral", "spp.record")


@contextmanager
def processes(
    broker: EmbeddedBroker, credentials: Path, url: str, folder: Path, origin: str, count: int = 1
) -> Iterator[tuple[LedgerProcess, list[LedgerProcess]]]:
    """A ledger and its sealers, not started; sealers share nothing but database and topics."""
    with ExitStack() as stack:
        ledger = stack.enter_context(LedgerProcess(broker, credentials, url, folder / "ledger"))
        names = [folder / f"sealer-{number}" for number in range(count)]
        all_sealers = [
            stack.enter_context(LedgerProcess(broker, credentials, url, name, "sealer", origin))
            for name in names
        ]
        yield ledger, all_sealers


class Filling:
    """Says made-up records, in order over topics and partitions."""

    def __init__(self, sink: KafkaSink) -> None:
        self._sink = sink
        self.said = 0

    def __call__(self, count: int) -> None:
        """So many more."""
        first, self.said = self.said, self.said + count
        self._sink.send_all(
            spread(
                record(number, topic=TOPICS[number % 4], partition=number // 4 % 4)
                for number in range(first, self.said)
            )
        )


def all_sealed(view: KafkaView, store: LedgerStore) -> bool:
    """Whether the last epoch has all that stands in Kafka."""
    with store.database.engine.begin() as connection:
        sealed = connection.execute(_SEALED).scalar() or 0
    entries = sum(view.ends(LEDGERED).values())
    return int(sealed) == entries


def check_checkpoints(view: KafkaView, store: LedgerStore, origin: str) -> int:
    """Each size has one note, in the database as on bus.checkpoint, and each extends the one before.

    Gives how many sizes there are. Checkpoints of other ledgers on the same topic are passed over.
    """
    key = NoteSigner(origin, LOG_SEED).key
    notes: dict[int, set[str]] = {}
    heads: list[LogHead] = []
    log, root = Frontier(), EMPTY_ROOT
    for found in view.read("bus.checkpoint"):
        submission = Submission.parse(found.value or b"")
        said = Checkpoint.parse(submission.note.text)
        if said.origin != origin:
            continue
        assert submission.note.is_signed_by(key)
        known = said.size in notes
        notes.setdefault(said.size, set()).add(str(submission.note))
        if known:
            continue
        epoch, changed = read_epoch_headers(found.headers)
        assert (epoch.number, said.size) == (log.size + 1, log.size + 1)
        heads = with_changes(heads, changed)
        assert epoch.heads_root == EpochTree(heads).root
        if log.size:
            assert verify_consistency(log.size, said.size, submission.proof, root, said.root)
        log.append(epoch.hash())
        root = said.root
        assert log.root() == root
    with store.database.engine.begin() as connection:
        stored = {row.head_size: {row.note} for row in connection.execute(_NOTES)}
    assert notes == stored
    return len(notes)


def kill_at_random(
    ledger: LedgerProcess,
    sealers: list[LedgerProcess],
    fill: Filling,
    sealed: Callable[[], bool],
    *,
    kills: int,
    seed: int,
) -> None:
    """Kills ledger and sealers so often, at moments that the seed decides, while records come in."""
    chance = random.Random(seed)
    for process in (ledger, *sealers):
        process.start()
    for _ in range(kills):
        fill(chance.randrange(1, 400))
        victim = chance.choice([ledger, *sealers, *sealers])
        process_time = chance.random() * 1.5
        ended = victim.wait_for_end(process_time)
        assert ended is None, victim.log_file.read_text()[-3000:]
        victim.kill()
        victim.start()
    fill(40)
    eventually(sealed)


_SEALED = text(
    "SELECT sum(size) FROM (SELECT max(size) AS size FROM epoch_head GROUP BY log_id) AS last_heads"
)
_NOTES = text("SELECT head_size, note FROM checkpoint")
