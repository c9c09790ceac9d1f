"""Proofs, bundles and tiles read from the ledger's tables, verified without them."""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from sqlalchemy import event, text
from typer.testing import CliRunner, Result

from casebus_consumers.auditor.proof_rows import BY_EVENT_ID, OF_CHAIN, enough_lines
from casebus_consumers.auditor.proving import bundle, export_tiles, prove
from casebus_deploy.cli.main import build
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.event_proof import EventProof
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.evidence.merkle import root_of
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.tiles import TilePlace, read_entry_bundle
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_services.ledger.store import LedgerStore
from support.events.signed_events import chain
from support.ledger import signed_case
from support.ledger.ledgers import TOPIC, batch, ce_id, record, run
from support.ledger.proven import THREE, ProvenLedger, policy_file

THREE_LINES = enough_lines(3)


@pytest.fixture
def proven(store: LedgerStore, tmp_path: Path) -> ProvenLedger:
    """700 entries of one log and 5 of another, in three epochs, the second without enough witnesses."""
    ledger = ProvenLedger(store, tmp_path)
    store.append([run(0, 300), run(0, 5, topic="mps.record", partition=2)])
    ledger.seal(*THREE)
    store.append([run(300, 600)])
    ledger.seal(*THREE)
    store.append([run(600, 700)])
    ledger.seal("spp")
    return ledger


@pytest.fixture
def trust(tmp_path: Path) -> TrustPolicy:
    """Three of four."""
    return TrustPolicy.parse(policy_file(tmp_path).read_bytes())


@pytest.mark.parametrize("offset", [0, 255, 256, 299, 300, 599])
def test_entries_are_proven(proven: ProvenLedger, trust: TrustPolicy, offset: int) -> None:
    """An entry is proven by its first epoch under the newest checkpoint that has three cosignatures."""
    with proven.rows() as rows:
        proof = prove(rows, Origin(TOPIC, 0, offset), THREE_LINES)
    result = EventProof.parse(proof.to_bytes()).judge(trust)
    assert result.problem is None
    assert proof.leaf == leaf(record(offset))
    assert proof.epoch.number == (1 if offset < 300 else 2)
    assert Checkpoint.parse(proof.note.text).size == 2
    assert set(result.verdict.witnesses) == set(THREE)


def test_which_checkpoint(proven: ProvenLedger, trust: TrustPolicy) -> None:
    """The newest good one is taken; what lies beyond it is not proven before the witnesses have cosigned."""
    with proven.rows() as rows:
        newest = prove(rows, Origin(TOPIC, 0, 0), enough_lines(0))
        assert Checkpoint.parse(newest.note.text).size == 3
        one = prove(rows, Origin(TOPIC, 0, 650), enough_lines(1))
        assert one.judge(trust).problem == "the quorum 'witnesses' is not reached: cosigned by spp"
        judged = prove(rows, Origin(TOPIC, 0, 0), lambda note: trust.judge(note).accepted)
        assert Checkpoint.parse(judged.note.text).size == 2
        with pytest.raises(UsageError, match="no checkpoint over this entry"):
            prove(rows, Origin(TOPIC, 0, 650), THREE_LINES)


def test_what_is_not_there(proven: ProvenLedger) -> None:
    """A place without entry, an entry that is not sealed, an unknown or doubled id are told."""
    proven.store.append([run(700, 701)])
    with proven.rows() as rows:
        for place, why in ((Origin(TOPIC, 0, 999), "no entry of"), (Origin(TOPIC, 0, 700), "not sealed yet")):
            with pytest.raises(UsageError, match=why):
                prove(rows, place, THREE_LINES)
        assert rows.place_of(f"{TOPIC}/0/17") == Origin(TOPIC, 0, 17)
        assert rows.place_of(str(ce_id(17))) == Origin(TOPIC, 0, 17)
        with pytest.raises(UsageError, match="name the place"):
            rows.place_of(str(ce_id(3)))
        with pytest.raises(UsageError, match="which event"):
            rows.place_of("the third one")
        with pytest.raises(UsageError, match="no entry"):
            rows.place_of("00000000-0000-4000-8000-00000000ffff")


def test_queries_of_a_proof(proven: ProvenLedger) -> None:
    """The audit path of one entry takes no more queries than its log has tiles on the way."""
    with proven.rows() as rows:
        statements: list[str] = []
        watched = proven.store.database.readers

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(watched, "before_cursor_execute", note)
        try:
            prove(rows, Origin(TOPIC, 0, 17), THREE_LINES)
        finally:
            event.remove(watched, "before_cursor_execute", note)
    assert sum("FROM tile" in one or "leaf_hash" in one for one in statements) <= 5
    assert len(statements) <= 13


def test_nothing_is_looked_for_row_by_row(store: LedgerStore) -> None:
    """The entries of a chain and those of an event's id are found by an index, on each kind of database."""
    chains = [record(at)._replace(key=str(ce_id(at)).encode(), value=b"") for at in range(10_000)]
    store.append([batch(chains)])
    postgres = store.database.dialect == "postgresql"
    with store.database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
        for query, given, index in (
            (OF_CHAIN, {"key": str(ce_id(7)).encode()}, "entry_of_chain"),
            (BY_EVENT_ID, {"event_id": ce_id(7).bytes}, "entry_of_event"),
        ):
            explain = text(f"EXPLAIN {'' if postgres else 'QUERY PLAN '}{query.text}")
            plan = " ".join(map(str, connection.execute(explain, given).all()))
            assert index in plan, plan


@pytest.fixture
def case(store: LedgerStore, tmp_path: Path) -> tuple[signed_case.SignedCase, ProvenLedger]:
    """A ledger of twelve really signed matters."""
    case = signed_case.example()
    ledger = ProvenLedger(store, tmp_path)
    ledger.take(case)
    ledger.seal(*THREE)
    return case, ledger


def test_bundle_of_a_chain(case: tuple[signed_case.SignedCase, ProvenLedger], trust: TrustPolicy) -> None:
    """The bundle from the tables is the one made of the records, but for the ledger's name, and it holds."""
    said, ledger = case
    with ledger.rows() as rows:
        made = bundle(rows, chain(5), THREE_LINES)
    report = check_bundle(made.to_bytes(), trust)
    assert report.failed == []
    assert report.signatures == 6
    assert [entry.withheld for entry in report.entries] == [False] * 6
    assert made.page == page(made)
    expected = signed_case.bundle_of(said, 5, covered_from=0)
    assert report.all_verdicts
    assert made.logs.keys() == expected.logs.keys()
    for name, log in made.logs.items():
        assert (log.leaves, list(log.proof)) == (expected.logs[name].leaves, list(expected.logs[name].proof))
    assert made.payloads == expected.payloads
    assert made.schemas == expected.schemas


def test_a_bundle_of_its_own_entries_alone(
    case: tuple[signed_case.SignedCase, ProvenLedger], trust: TrustPolicy
) -> None:
    """On demand nothing of other cases is shown; the report then says what may have been left out."""
    said, ledger = case
    with ledger.rows() as rows:
        made = bundle(rows, chain(5), THREE_LINES, cover="none")
    report = check_bundle(made.to_bytes(), trust)
    assert (report.failed, report.all_verdicts) == ([], False)
    expected = signed_case.bundle_of(said, 5)
    assert {name: log.leaves for name, log in made.logs.items()} == {
        name: log.leaves for name, log in expected.logs.items()
    }


def test_leaves_begin_before_the_first_event(store: LedgerStore, tmp_path: Path, trust: TrustPolicy) -> None:
    """Of a long log the leaves are shown from the last before the case on; from the start on demand."""
    said = signed_case.example(matters=40, events=1)
    place, number = next(
        (place, number)
        for place, records in said.ledger.records.items()
        if place.topic == "bus.admission"
        for number in (len(records) - 2,)
        if number > 3
    )
    # An hour lies between any two records, so that there is a last one before the case.
    for key, records in said.ledger.records.items():
        said.ledger.records[key] = [
            one._replace(timestamp_ms=one.timestamp_ms + 3_600_000 * one.offset) for one in records
        ]
    wanted = (said.ledger.records[place][number].key or b"").decode()
    ledger = ProvenLedger(store, tmp_path)
    ledger.take(said)
    ledger.seal(*THREE)
    log = f"{place.topic}/{place.partition}/1"
    size = len(said.ledger.records[place])
    for cover, begin in (("case", number - 1), ("all", 0)):
        with ledger.rows() as rows:
            made = bundle(rows, wanted, THREE_LINES, cover=cover)  # type: ignore[arg-type]
        report = check_bundle(made.to_bytes(), trust)
        assert report.failed == []
        assert report.all_verdicts
        assert list(made.logs[log].ranges) == [(begin, size)]
        assert sum(map(bool, made.logs[log].headers)) == 1


def test_contents_are_withheld(case: tuple[signed_case.SignedCase, ProvenLedger], trust: TrustPolicy) -> None:
    """An event's content is withheld with that of its admission, by id, by place, or all of them."""
    _, ledger = case
    with ledger.rows() as rows:
        whole = check_bundle(bundle(rows, chain(5), THREE_LINES).to_bytes(), trust)
        entry = next(one for one in whole.entries if one.leaf.topic == "csrc.referral")
        names = ((entry.record.header("ce_id") or b"").decode(), entry.place, "*")
        for name in names:
            made = bundle(rows, chain(5), THREE_LINES, withhold=frozenset({name}))
            report = check_bundle(made.to_bytes(), trust)
            assert report.failed == []
            assert entry.leaf.value_sha256 not in made.payloads
            hidden = {one.place for one in report.entries if one.withheld}
            assert entry.place in hidden


def test_a_chain_of_which_nothing_is_there(case: tuple[signed_case.SignedCase, ProvenLedger]) -> None:
    """An unknown chain has no bundle."""
    with case[1].rows() as rows, pytest.raises(UsageError, match="nothing of the chain"):
        bundle(rows, chain(999), THREE_LINES)


def test_tiles_give_the_roots(proven: ProvenLedger, tmp_path: Path) -> None:
    """From the exported files alone a stranger computes the roots of head log and partition logs."""
    folder = tmp_path / "tiles"
    with proven.rows() as rows:
        count = export_tiles(rows, folder, THREE_LINES)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) == count
    checkpoint = Checkpoint.parse(SignedNote.parse((folder / "checkpoint").read_bytes()).text)
    leaves = read_entry_bundle((folder / "tile/entries/000.p/2").read_bytes())
    assert (checkpoint.size, checkpoint.root) == (2, root_of([leaf_hash(one) for one in leaves]))
    log = folder / "logs" / TOPIC / "0/1"
    head = (log / "head").read_text().split("\n")
    entries = [
        entry
        for number, width in ((0, 256), (1, 256), (2, 88))
        for entry in read_entry_bundle((log / TilePlace(None, number, width).path()).read_bytes())
    ]
    assert entries == [leaf(record(offset)) for offset in range(600)]
    hashes = [leaf_hash(entry) for entry in entries]
    assert (log / "tile/0/001").read_bytes() == b"".join(hashes[256:512])
    assert (log / "tile/0/002.p/88").read_bytes() == b"".join(hashes[512:])
    assert (log / "tile/1/000.p/2").read_bytes() == root_of(hashes[:256]) + root_of(hashes[256:512])
    assert (head[1], b64decode(head[2])) == ("600", root_of(hashes))


def test_commands(
    case: tuple[signed_case.SignedCase, ProvenLedger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands write a proof and a bundle, and verify them under the reader's policy."""
    runner, program = CliRunner(), build()
    said, ledger = case
    url = ledger.store.database.engine.url.render_as_string(hide_password=False)
    final, all_four = str(policy_file(tmp_path, 3)), str(policy_file(tmp_path, 4))
    place = next(one for one in said.ledger.records if one.topic == "csrc.referral")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CASEBUS_LEDGER_URL", url)

    def ledger_command(*arguments: str) -> Result:
        return runner.invoke(program, ["ledger", *arguments])

    assert ledger_command("prove", f"{place.topic}/{place.partition}/0", "-o", "event.proof").exit_code == 0
    proven = ledger_command("verify-proof", "event.proof", "--policy", final)
    assert (proven.exit_code, "已证明 proven" in proven.stdout) == (0, True)
    assert ledger_command("verify-proof", "event.proof", "--policy", all_four).exit_code == 1
    assert ledger_command("bundle", chain(5), "-o", "case.zip", "--policy", final).exit_code == 0
    verified = ledger_command("verify-bundle", "case.zip", "--policy", final, "--json")
    body = json.loads(verified.stdout)
    assert (verified.exit_code, body["ok"], body["chain"], len(body["entries"])) == (0, True, chain(5), 6)
    refused = ledger_command("bundle", chain(5), "-o", "none.zip", "--policy", all_four)
    assert isinstance(refused.exception, UsageError)
    assert not Path("none.zip").exists()
    assert ledger_command("export-tiles", "tiles").exit_code == 0
    assert Path("tiles/checkpoint").exists()
    assert ledger_command("verifier", "-o", "verify.py").exit_code == 0
    assert Path("verify.py").read_text().startswith("#!/usr/bin/env python3")
    assert isinstance(ledger_command("verify-proof", "nowhere", "--policy", final).exception, UsageError)
