"""Proofs of absence: what they show under the reader's policy, and each way in which they must fail."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.auditor.evidence_cli import app
from casebus_consumers.auditor.proof_rows import enough_lines
from casebus_consumers.auditor.proving_absence import absence
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.absence_check import AbsenceReport, Claim, check_absence
from casebus_schemas.evidence.bundle_file import ABSENCE, Bundle, BundledLog
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from support.events.signed_events import Speaker, chain, envelope, stored
from support.ledger.ledgers import batch, empty_sqlite
from support.ledger.proven import THREE, ProvenLedger, policy_file
from support.ledger.signed_case import SignedCase

UNTIL_MS = 1_700_000_100_000
TYPE = "referral.submitted"
SILENT = Claim(chain(5), "mps", (TYPE,), UNTIL_MS)


class Silence:
    """csrc speaks in matters 1 to 8, mps in 1 to 4 alone; what else happens a test adds before it seals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LedgerStore(empty_sqlite(folder))
        self.ledger = ProvenLedger(self.store, folder)
        self.case = SignedCase()
        self.mps: Speaker = self.case.admitter.speaker("mps")
        csrc = self.case.admitter.speaker("csrc")
        for number in range(1, 9):
            self.case.say(csrc.refer(number))
        for number in range(1, 5):
            self.case.store(self.mps.refer(number))

    def add(self, event: Any, at_ms: int = 1_700_000_000_000) -> Record:
        """Appends an event to its log at a time of the broker."""
        place = TopicPartition(event.record.topic, event.record.partition)
        run = self.case.ledger.records.setdefault(place, [])
        run.append(stored(event, len(run), at_ms))
        return run[-1]

    def state_ends(
        self,
        at_ms: int = UNTIL_MS,
        more: int = 0,
        key: SigningKey | None = None,
        outbox: Speaker | None = None,
    ) -> None:
        """mps says where its streams end: by the count of one of its outboxes, and `more`."""
        mps = outbox or self.mps
        heads = [
            {
                "producer": mps.producer,
                "topic": topic,
                "partition": partition,
                "seq": head.seq + more,
                "digest": head.digest,
            }
            for (topic, partition), head in mps.heads.items()
        ]
        data = {
            "envelope": envelope(to=[]),
            "as_of": datetime.fromtimestamp(at_ms / 1000, UTC),
            "heads": heads,
        }
        self.add(mps.say("statement.stream_head", data, chain(99), key=key), at_ms)

    def proof(self, claim: Claim = SILENT) -> Bundle:
        """Seals, and makes the proof."""
        self.store.append([batch(records) for records in self.case.ledger.records.values()])
        self.ledger.seal(*THREE)
        return self.again(claim)

    def again(self, claim: Claim = SILENT) -> Bundle:
        """The proof from what is sealed."""
        with self.ledger.rows() as rows:
            return absence(rows, claim, enough_lines(3))

    def judge(self, proof: Bundle | bytes, threshold: int = 3) -> AbsenceReport:
        """What the reader says."""
        raw = proof if isinstance(proof, bytes) else proof.to_bytes()
        return check_absence(raw, TrustPolicy.parse(policy_file(self.folder, threshold).read_bytes()))


@pytest.fixture
def silence(tmp_path: Path) -> Iterator[Silence]:
    """A ledger in which mps says nothing of matter 5."""
    made = Silence(tmp_path)
    yield made
    made.store.close()


def test_silence_is_proven(silence: Silence) -> None:
    """mps said nothing in matter 5, all of its logs are there, and it says itself that nothing is missing."""
    silence.state_ends()
    proof = silence.proof()
    report = silence.judge(proof)
    assert (report.problems, report.said, report.tail) == ([], [], [])
    assert report.finding == "proven"
    assert report.entries == 5
    assert report.opened == 0
    assert silence.judge(proof, 4).problems == [
        "the checkpoint: the quorum 'witnesses' is not reached: cosigned by mps, csrc, audit"
    ]


def test_nothing_but_the_chain_is_opened(silence: Silence) -> None:
    """Of other matters the proof shows leaves alone; of other agencies nothing but keys and heads."""
    silence.state_ends()
    silence.add(silence.mps.say("referral.withdrawn", withdrawn(), chain(5)))
    proof = silence.proof()
    assert all(name.startswith("mps.") or ".key/" in name for name in proof.logs)
    opened = [headers for name, log in proof.logs.items() if ".key/" not in name for headers in log.headers]
    assert sum(map(bool, opened)) == 2
    assert silence.judge(proof).opened == 1
    assert silence.judge(proof).finding == "proven"


def withdrawn() -> dict[str, Any]:
    """A body of `referral.withdrawn`."""
    return {"envelope": envelope(to=[], withdraws=None), "reasons": "test"}


def test_tail_is_not_confirmed(silence: Silence) -> None:
    """Without a statement of the agency after the deadline the tail is open."""
    assert silence.judge(silence.proof()).finding == "tail not confirmed"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (lambda one: one.state_ends(UNTIL_MS - 1), "before the deadline"),
        (lambda one: one.state_ends(more=1), "by its own statement mps-1.1 sent number 2"),
        (lambda one: one.state_ends(key=SigningKey(bytes(32))), "not signed by a valid key"),
        (
            lambda one: (
                one.add(one.mps.end("key.revoked", one.mps.key), UNTIL_MS - 5),
                one.state_ends(),
            ),
            "not signed by a valid key",
        ),
    ],
    ids=["early", "more was sent", "another key", "revoked key"],
)
def test_statements_that_confirm_nothing(silence: Silence, state: Callable[[Silence], Any], why: str) -> None:
    """A statement that is early, not the agency's, or names more than there is leaves the tail open."""
    state(silence)
    report = silence.judge(silence.proof())
    assert report.finding == "tail not confirmed"
    assert any(why in one for one in report.tail), report.tail


def test_each_outbox_speaks_for_itself(silence: Silence) -> None:
    """Of several outboxes all must agree; what one stated too much it mends by its next statement."""
    other = replace(silence.mps, producer="mps-2.1", heads={})
    silence.add(other.refer(7))
    silence.state_ends(UNTIL_MS + 1, more=1, outbox=other)
    silence.state_ends(UNTIL_MS + 2)
    report = silence.judge(silence.proof())
    assert report.finding == "tail not confirmed"
    assert all("mps-2.1 sent number" in one for one in report.tail), report.tail
    silence.state_ends(UNTIL_MS + 3, outbox=other)
    assert silence.judge(silence.proof()).finding == "proven"


def test_what_was_said_is_found(silence: Silence) -> None:
    """An event of the type in the chain is named; one at or after the deadline is told apart."""
    early = silence.add(silence.mps.refer(5), UNTIL_MS - 1)
    late = silence.add(silence.mps.refer(5), UNTIL_MS)
    silence.state_ends()
    report = silence.judge(silence.proof())
    assert report.finding == "not proven"
    assert report.said == [f"{early.topic}/{early.partition}/{early.offset}"]
    assert report.later == [f"{late.topic}/{late.partition}/{late.offset}"]
    other = replace(silence.again(), about=SILENT._replace(types=("referral.filed",)).to_json())
    assert silence.judge(other).finding == "proven"


def test_a_gap_in_the_numbers(silence: Silence) -> None:
    """A number of the agency's own that never came is a loss before the ledger: silence is not proven."""
    silence.mps.refer(1)
    silence.add(silence.mps.refer(1))
    silence.state_ends()
    (problem,) = silence.judge(silence.proof()).problems
    assert problem.endswith("what lies between never came")


def test_not_all_of_kafka(silence: Silence) -> None:
    """Where the ledger had not taken up all that Kafka held there is no proof, nor is one accepted."""
    place = next(one for one in silence.case.ledger.records if one.topic == "mps.referral")
    silence.ledger.sealing.beyond[place] = 1
    with pytest.raises(UsageError, match="holds all that Kafka held of mps"):
        silence.proof()


def test_deadline_after_the_epoch(silence: Silence) -> None:
    """A deadline that the newest epoch has not reached gives no proof, nor does one that was put in later."""
    future = SILENT._replace(until_ms=4_102_444_800_000)
    silence.state_ends()
    proof = silence.proof()
    with pytest.raises(UsageError, match="no epoch after the deadline"):
        silence.again(future)
    assert (
        "was sealed before the deadline" in silence.judge(replace(proof, about=future.to_json())).problems[0]
    )


def test_an_agency_that_is_none(silence: Silence) -> None:
    """Nothing is proven of an agency of which the ledger has no log."""
    stranger = SILENT._replace(agency="fire")
    report = silence.judge(silence.proof(stranger))
    assert report.problems == ["the ledger has no log of fire: is it an agency of this bus?"]


def test_an_agency_that_has_never_said_anything(silence: Silence) -> None:
    """It has announced its key, and the whole tree of heads has no other log of it: it was silent."""
    silence.add(Speaker("court").announce())
    report = silence.judge(silence.proof(SILENT._replace(agency="court")))
    assert (report.problems, report.said, report.entries) == ([], [], 0)
    assert report.finding == "tail not confirmed"


def test_logs_must_be_whole_and_opened(silence: Silence) -> None:
    """A log left out or cut, an entry left out, moved or not opened, is found."""
    silence.add(silence.mps.say("referral.withdrawn", withdrawn(), chain(5)))
    silence.state_ends()
    proof = silence.proof()
    assert silence.judge(proof).finding == "proven"
    name = next(
        name for name, log in proof.logs.items() if name.startswith("mps.referral") and any(log.headers)
    )
    log = proof.logs[name]
    closed = BundledLog(log.ranges, log.leaves, [b""] * len(log.leaves), log.proof)
    short = BundledLog([(0, len(log.leaves) - 1)], log.leaves[:-1], log.headers[:-1], log.proof)
    claimed = BundledLog([(0, len(log.leaves))], [*log.leaves[:-1], b"x"], log.headers, log.proof)
    for changed, why in (
        ({name: closed}, "of the chain, and not opened"),
        ({name: short}, "not all of its"),
        ({name: claimed}, "do not give the root"),
    ):
        report = silence.judge(replace(proof, logs={**proof.logs, **changed}))
        assert any(why in one for one in report.problems), report.problems
    without = {one: kept for one, kept in proof.logs.items() if one != name}
    assert any("not all of its" in one for one in silence.judge(replace(proof, logs=without)).problems)


def test_every_byte_counts(silence: Silence) -> None:
    """Whatever one byte of the file is changed to, it proves nothing any more."""
    silence.state_ends()
    raw = silence.proof().to_bytes()
    assert silence.judge(raw).finding == "proven"
    trust = TrustPolicy.parse(policy_file(silence.folder).read_bytes())
    for at in range(0, len(raw), 23):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 8
        assert check_absence(bytes(changed), trust).finding != "proven", f"byte {at}"


def test_a_case_is_no_absence(silence: Silence) -> None:
    """The two formats do not pass for each other, and a manifest says the four things alone."""
    silence.state_ends()
    proof = silence.proof()
    assert silence.judge(replace(proof, format="casebus/bundle/v1")).finding == "not proven"
    assert Bundle.parse(proof.to_bytes(), ABSENCE).about == proof.about
    about = SILENT.to_json()
    wrong: tuple[dict[str, Any], ...] = (
        {"types": []},
        {"until": "soon"},
        {"until": True},
        {"agency": "mps.referral"},
        {"sure": 1},
    )
    for change in wrong:
        assert silence.judge(replace(proof, about={**about, **change})).finding == "not proven", change


def test_commands(silence: Silence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands write the proof and judge it under the reader's policy."""
    silence.state_ends()
    silence.proof()
    monkeypatch.setenv("CASEBUS_LEDGER_URL", str(silence.store.database.engine.url))
    out, final = str(tmp_path / "silence.zip"), str(policy_file(tmp_path))
    asked = ["prove-absence", "--chain", chain(5), "--by", "mps", "--of", TYPE, "-o", out, "--until"]
    made = CliRunner().invoke(app, [*asked, "2023-11-15T06:15:00+08:00"])
    assert made.exit_code == 0, made.output
    judged = CliRunner().invoke(app, ["verify-absence", out, "--policy", final])
    assert judged.exit_code == 0
    assert judged.stdout.splitlines()[-1] == "已证明未曾发言 PROVEN: it said nothing of the kind"
    body = json.loads(CliRunner().invoke(app, ["verify-absence", out, "--policy", final, "--json"]).stdout)
    assert (body["finding"], body["claim"]["until"]) == ("proven", 1_700_000_100_000)
    wrong = CliRunner().invoke(app, [*asked, "tomorrow"])
    assert isinstance(wrong.exception, UsageError)
