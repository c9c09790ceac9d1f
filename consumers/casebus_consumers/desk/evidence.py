"""What a desk may read of the ledger, and the work of proving with it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.agencies import BUS
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.times import parse_utc_text

from .jobs import Made, Watch, Work

if TYPE_CHECKING:
    from casebus_consumers.auditor.proof_rows import ChainEntry, ProofRows, Suffices
    from casebus_schemas.evidence.trust_policy import TrustPolicy

COVERS = ("case", "all", "none")
COSIGNATURES = 3
"""Without a policy a checkpoint with so many cosignatures is taken."""
LEDGER_VARIABLE, POLICY_VARIABLE = "CASEBUS_LEDGER_URL", "CASEBUS_POLICY_FILE"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the ledger is, as far as this desk may read it. Each may be None: the desk works without.

    `ledger_url`: its database, or a copy of it, opened to read only; `policy_file`: whose checkpoints and
    cosignatures count; `vkey`: the key of the ledger's checkpoints, as the operator says.
    """

    ledger_url: str | None = None
    policy_file: Path | None = None
    vkey: str | None = None

    @classmethod
    def read(cls, connection: Connection | None, environ: Mapping[str, str]) -> Self:
        """What environment and connection.json name; what the environment names goes before."""
        policy = environ.get(POLICY_VARIABLE)
        if connection is None:
            return cls(environ.get(LEDGER_VARIABLE), Path(policy) if policy else None)
        return cls(
            environ.get(LEDGER_VARIABLE) or connection.databases.get("ledger"),
            Path(policy) if policy else connection.policy_file,
            connection.ledger_vkey,
        )

    @property
    def policy(self) -> "TrustPolicy | None":
        """The policy. Raises UsageError if the file is none."""
        from casebus_consumers.auditor.checkpoint_view import read_policy

        return read_policy(self.policy_file)

    def suffices(self) -> "Suffices":
        """Which checkpoint is good enough to prove with."""
        from casebus_consumers.auditor.proof_rows import enough_lines

        trusted = self.policy
        return enough_lines(COSIGNATURES) if trusted is None else lambda note: trusted.judge(note).accepted

    def url(self) -> str:
        """The ledger's database. Raises UsageError where this desk was given none."""
        if self.ledger_url is None:
            raise UsageError(
                "this desk may not read the ledger",
                found="no database of the ledger",
                expected=f"a URL to read with, or a copy of it, in {LEDGER_VARIABLE}",
                remedy="ask the operator for either: `casebus ledger backup` makes a copy",
            )
        return self.ledger_url

    @contextmanager
    def rows(self) -> "Iterator[ProofRows]":
        """What proofs are made of, as of one instant. Raises UsageError, RetryLater."""
        from casebus_consumers.auditor.ledger_rows import reading
        from casebus_consumers.auditor.proof_rows import ProofRows
        from casebus_services.ledger.ledger_database import open_database

        database = open_database(self.url(), read_only=True)
        try:
            with reading(database) as connection:
                yield ProofRows(connection)
        finally:
            database.engine.dispose()


class Evidence:
    """Proofs for one agency: of what it said or heard itself, and of nothing else that the ledger holds."""

    def __init__(self, sources: Sources, view: OwnView, own: OwnStore, outbox: Outbox) -> None:
        self.sources = sources
        self._view = view
        self._own = own
        self._outbox = outbox

    def works(self) -> Mapping[str, Work]:
        """The kinds of work that a desk does with the ledger."""
        return {
            "verify": self._verify,
            "event": self._event,
            "bundle": self._bundle,
            "absence": self._absence,
        }

    def known_ids(self, chain: str) -> frozenset[str]:
        """Ids of all events of a chain that the agency said or heard, those of the bus among them."""
        found = {str(event.id) for event in self._view.events(chain)}
        found |= {str(json.loads(one.body)["event"]["id"]) for one in self._own.of_speaker(BUS, chain)}
        with self._outbox.reading() as connection:
            rows = connection.execute("SELECT id FROM outbox WHERE aggregateid = ?", (chain,)).fetchall()
        return frozenset(found | {str(row[0]) for row in rows})

    # --- within ------------------------------------------------------------------------------------------

    def _verify(self, _asked: Mapping[str, Any], watch: Watch) -> Made:
        from casebus_consumers.auditor.checkpoint_view import trusted_by
        from casebus_consumers.auditor.signature_check import check_signatures
        from casebus_consumers.auditor.verify import verify_ledger
        from casebus_services.ledger.ledger_database import open_database

        database = open_database(self.sources.url(), read_only=True)
        try:
            report = verify_ledger(database, watch, trusted_by(self.sources.policy, self.sources.vkey))
            check_signatures(database, report, watch)
        finally:
            database.engine.dispose()
        found = {
            "ok": report.ok,
            "damages": report.damage_count,
            "entries": report.entries,
            "epochs": report.epochs,
            "signatures": report.signatures,
            "seconds": round(report.seconds + report.signature_seconds, 1),
            "under": report.log_key,
        }
        return Made("ledger-verified.json", _pretty(report.to_json()), found)

    def _event(self, asked: Mapping[str, Any], watch: Watch) -> Made:
        from casebus_consumers.auditor.proving import prove

        chain, id = asked["chain"], asked["id"]
        if id not in self.known_ids(chain):
            raise UsageError("no such event of this case", found=id, expected="one that this agency knows")
        watch("proof", 0, 2)
        with self.sources.rows() as rows:
            proof = prove(rows, rows.place_of(id), self.sources.suffices())
        watch("check", 1, 2)
        raw = proof.to_bytes()
        return Made(f"{id}.tlog-proof", raw, self._judged("proof", raw))

    def _bundle(self, asked: Mapping[str, Any], watch: Watch) -> Made:
        from casebus_consumers.auditor.proving import Cover, bundle

        chain, cover = asked["chain"], cast(Cover, asked["cover"])
        told = _Told(self.known_ids(chain))
        watch("proof", 0, 2)
        with self.sources.rows() as rows:
            for _, entry in rows.of_chain(chain.encode()):
                told.of(entry)
            if told.left_out:
                cover = "none"  # what is closed of the case itself could not be told from what is left out
            hidden = frozenset({"*"}) if asked["withhold"] else frozenset[str]()
            made = bundle(rows, chain, self.sources.suffices(), withhold=hidden, cover=cover, keep=told.of)
        watch("check", 1, 2)
        raw = made.to_bytes()
        found = {**self._judged("bundle", raw), "left_out": told.left_out}
        return Made(f"{chain}.zip", raw, found)

    def _absence(self, asked: Mapping[str, Any], watch: Watch) -> Made:
        from casebus_consumers.auditor.proving_absence import absence
        from casebus_schemas.evidence.absence_check import Claim

        chain, agency = asked["chain"], asked["by"]
        claim = Claim(chain, agency, tuple(asked["types"]), parse_utc_text(asked["until"]))
        told = _Told(self.known_ids(chain))
        watch("proof", 0, 2)
        with self.sources.rows() as rows:
            for _, entry in rows.of_chain(chain.encode()):
                told.of(entry, agency)
            if told.left_out:
                raise UsageError(
                    "this agency was not told of all that was said there",
                    found=f"{told.left_out} events in the case by {agency} of which it does not know",
                    expected="a case of which it knows every event of that agency",
                    remedy="ask the auditor's office, which reads every topic",
                )
            made = absence(rows, claim, self.sources.suffices())
        watch("check", 1, 2)
        raw = made.to_bytes()
        return Made(f"{chain}-{agency}-silence.zip", raw, self._judged("absence", raw))

    def _judged(self, what: Literal["proof", "bundle", "absence"], raw: bytes) -> dict[str, Any]:
        """What the verifier says of a file under this desk's policy; without a policy it is not asked."""
        from casebus_consumers.auditor.verifier import Given, judged

        trusted = self.sources.policy
        if trusted is None:
            return {"ok": None}
        found = judged(what, raw, Given(trusted))
        body = found.body()
        return {
            "ok": found.ok,
            "epoch": body.get("epoch"),
            "sealed_at": body.get("sealed_at"),
            "witnesses": sorted(body.get("witnesses") or {}),
            "finding": body.get("finding"),
            "failed": [*_listed(body, "failed", "problem", "problems", "said"), *_listed(body, "tail")],
            "not_covered": list(body.get("not_covered") or ()),
        }


def _listed(body: Mapping[str, Any], *names: str) -> Iterator[str]:
    """What members of a report say, each a text or several."""
    for name in names:
        found = body.get(name) or ()
        yield from map(str, [found] if isinstance(found, str) else found)


def _pretty(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


class _Told:
    """Which entries of a chain an agency knows, and how many it does not."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._left_out: set[bytes] = set()

    @property
    def left_out(self) -> int:
        """How many entries it does not know."""
        return len(self._left_out)

    def of(self, entry: "ChainEntry", agency: str | None = None) -> bool:
        """Whether it knows an entry; with `agency` those of others count as known."""
        from casebus_schemas.agencies import agency_of_source
        from casebus_schemas.evidence.leaf import decode_headers

        headers = dict(reversed(decode_headers(bytes(entry.headers))))
        id, source = (
            (headers.get(name) or b"").decode("utf-8", "replace") for name in ("ce_id", "ce_source")
        )
        if id in self._known:
            return True
        if agency is not None and agency_of_source(source) != agency:
            return True
        self._left_out.add(bytes(entry.leaf))
        return False
