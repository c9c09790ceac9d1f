"""What proofs cost: an audit path from a million rows, a whole proof, a bundle of a case judged."""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import pytest
from sqlalchemy import event

from bench.figures import Figure
from casebus_consumers.auditor.ledger_rows import reading
from casebus_consumers.auditor.processes import processors
from casebus_consumers.auditor.proof_rows import ProofRows, enough_lines
from casebus_consumers.auditor.proving import prove
from casebus_consumers.auditor.verifier import Given, judged
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.evidence import ed25519
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.leaf import leaf_hash
from casebus_schemas.evidence.merkle import Frontier, inclusion_proof, verify_inclusion
from casebus_services.ledger.store import LedgerStore
from support.ledger import signed_case
from support.ledger.ledgers import TOPIC, empty_sqlite, run
from support.ledger.proven import THREE, ProvenLedger
from support.ledger.sealed_ledger import policy

pytestmark = pytest.mark.bench

ENTRIES = 1_000_037
AT_ONCE = 20_000
EVENTS = 10_000
PLACES = (0, 65_535, 524_288, 777_777, 999_424, 1_000_036)


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvenLedger]:
    """A sealed ledger of one log with a million entries."""
    folder = tmp_path_factory.mktemp("million")
    store = LedgerStore(empty_sqlite(folder))
    for first in range(0, ENTRIES, AT_ONCE):
        store.append([run(first, min(first + AT_ONCE, ENTRIES))])
    ledger = ProvenLedger(store, folder)
    ledger.seal(*THREE)
    yield ledger
    store.close()


def best_ms(
    call: Callable[[], object], times: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The shortest of some runs in milliseconds: what the work itself takes on a shared machine."""
    runs = []
    for _ in range(times):
        begun = clock()
        call()
        runs.append((clock() - begun) * 1000)
    return min(runs)


def test_inclusion_from_sql(million: ProvenLedger, figure: Figure) -> None:
    """An audit path among a million entries takes at most 2 ms and 10 queries, read anew each time."""
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = million.store.database.readers
    slowest, most = 0.0, 0
    with reading(million.store.database) as connection:
        rows = ProofRows(connection)
        log_id = rows.entry_at(Origin(TOPIC, 0, 0)).log_id
        head = rows.heads(1)[log_id]
        event.listen(engine, "before_cursor_execute", note)
        for index in PLACES:
            statements.clear()
            path = inclusion_proof(index, head.size, rows.hashes(log_id, head.size))
            most = max(most, len(statements))
            leaf = rows.entry_at(Origin(TOPIC, 0, index))
            assert verify_inclusion(leaf_hash(leaf.leaf), index, head.size, path, head.root)
        event.remove(engine, "before_cursor_execute", note)
        for index in PLACES:
            make = partial(path_of, rows, log_id, head.size, index)
            slowest = max(slowest, best_ms(make))
        whole = best_ms(lambda: prove(rows, Origin(TOPIC, 0, 777_777), enough_lines(3)))
        proof = prove(rows, Origin(TOPIC, 0, 777_777), enough_lines(3))
    figure("inclusion proof among 1,000,037 entries, slowest place", slowest, "ms", at_most=2.0)
    figure("its queries", most, "queries", at_most=10)
    figure("whole proof of an event", whole, "ms")
    figure("its file", len(proof.to_bytes()), "bytes")


def path_of(rows: ProofRows, log_id: int, size: int, index: int) -> list[bytes]:
    """An audit path, with nothing remembered from the one before."""
    return inclusion_proof(index, size, rows.hashes(log_id, size))


def test_bundle(figure: Figure) -> None:
    """A bundle of 10,000 events and the verdicts on them, with and without signatures, by processor time too.

    Two signatures an event, each of which costs what the library takes: what is beyond it is ours.
    """
    case = signed_case.example(matters=1, events=EVENTS, distinct=True)
    raw = signed_case.bundle_of(case, 0, covered_from=0).to_bytes()
    trust = policy()
    key = ed25519.PrivateKey(bytes(32))
    message, signature = bytes(500), key.sign(bytes(500))
    clock = time.process_time
    verify = ed25519.verify
    alone = best_ms(lambda: [verify(key.public, signature, message) for _ in range(1000)], 3, clock)
    leaves = [bytes([at % 256]) * 32 for at in range(20_000)]
    tree = best_ms(lambda: Frontier().extend(leaves), 3, clock)
    without = best_ms(lambda: check_bundle(raw, trust, signatures=False), 3, clock)
    took, processor = 1e9, 1e9
    for _ in range(3):
        begun, before = time.perf_counter(), os.times()
        ok, lines, _ = judged("bundle", raw, Given(trust))
        took = min(took, time.perf_counter() - begun)
        processor = min(processor, sum(os.times()[:4]) - sum(before[:4]))
        assert ok
        assert list(islice(lines, 1))
    figure("bundle of 10,000 events, a file of", len(raw) / EVENTS, "bytes an event")
    figure("judged with all signatures (two an event)", EVENTS / took, "events/s")
    figure("its processor time, all processes", processor / EVENTS * 1e6, "us an event")
    figure("what the library alone takes of it", 2 * alone, "us an event")
    figure("so on every processor free", processors() * EVENTS / processor, "events/s")
    figure("its signatures", 2 * EVENTS / took, "signatures/s")
    figure("the library alone, of one processor", 1000 / alone * 1000, "signatures/s")
    figure("judged without signatures, of one processor", EVENTS / without * 1000, "events/s")
    figure("without signatures, entries", 2 * EVENTS / without * 1000, "entries/s")
    figure("a tree over as many leaves alone", 20_000 / tree * 1000, "leaves/s")
