"""What must hold after a flow, however often the bus was killed in it."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from statistics import median
from typing import Any

from casebus_schemas.admission.verdict import Admission, split_admission
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, FINDING, OBLIGATION, dead_letter, inbox, receipt
from casebus_schemas.evidence.leaf import leaf, leaf_hash
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import digest_of, fields_of
from casebus_schemas.wire.ids import notice_id
from casebus_schemas.wire.records import Record
from support.scenes.crash_run import LEDGERED, Databases, Played
from support.scenes.fault_stack import LONGEST_BACK_IN_S, FaultStack
from support.scenes.flow import Flow
from support.scenes.kafka_view import KafkaView

_SHOWN = 5
Origin = tuple[str, int, int]


@dataclass
class Found:
    """What stands in Kafka and SQL after a flow, the problems with it, and some figures."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    chain_hashes: dict[str, bytes] = field(default_factory=dict)

    @property
    def accounts_hash(self) -> str:
        """One digest of all chains' accounts, state findings and duties."""
        whole = sha256()
        for chain, digest in sorted(self.chain_hashes.items()):
            whole.update(chain.encode() + digest)
        return whole.hexdigest()

    def differ(self, what: str, expected: set[Any] | Mapping[Any, Any], found: Any) -> None:
        """Notes how two sets (or mappings) differ."""
        if expected == found:
            return
        if isinstance(expected, Mapping):
            expected, found = set(expected.items()), set(found.items())
        missing, more = expected - found, found - expected
        for word, some in (("missing", missing), ("too many", more)):
            if some:
                self.problems.append(f"{what}: {len(some)} {word}, such as {sorted(map(str, some))[:_SHOWN]}")


def check(stack: FaultStack, flow: Flow, played: Played) -> Found:
    """All checks on a bus at rest after `flow` was played into it."""
    found = Found(problems=list(played.failed))
    assert stack.broker is not None
    view = KafkaView(stack.broker)
    ledgered = view.read(*LEDGERED)
    admissions = _admissions(record for record in ledgered if record.topic == ADMISSION)
    placed = {(*place, offset) for _, place, offset in played.places}
    agency_records = {
        (r.topic, r.partition, r.offset): r for r in ledgered if r.topic.partition(".")[0] in MEMBERS
    }
    spoken = {place for place in agency_records if not place[0].endswith(".key")}
    found.differ("records of the agencies", placed, spoken)
    databases = Databases(stack)
    try:
        if "ledger" in stack.services:
            _check_ledger(found, databases, ledgered)
            _check_command(found, stack)
            _check_receipts(found, view, placed)
        if "reconciler" in stack.services:
            _check_reconciler(found, databases, flow)
    finally:
        databases.close()
    _check_admissions(found, flow, played, admissions)
    _check_inboxes(found, flow, view, ledgered)
    _check_dead_letters(found, played, view, agency_records)
    found.figures["records"] = len(placed)
    return found


def _check_ledger(found: Found, databases: Databases, ledgered: list[Record]) -> None:
    """Every record of every ledgered topic is exactly one entry, with the leaf hash of what Kafka holds."""
    rows = databases.rows(
        "ledger",
        "SELECT topic, partition, koffset, leaf_hash FROM entry JOIN log USING (log_id) "
        "WHERE kind = 'partition'",
    )
    entries = {(row[0], row[1], row[2]): bytes(row[3]) for row in rows}
    if len(entries) != len(rows):
        found.problems.append(f"{len(rows) - len(entries)} records are entries twice")
    expected = {(r.topic, r.partition, r.offset): leaf_hash(leaf(r)) for r in ledgered}
    found.differ("ledger entries", expected, entries)
    found.figures["entries"] = len(rows)


def _check_command(found: Found, stack: FaultStack) -> None:
    """`casebus ledger verify --against-kafka` finds nothing."""
    command = ["ledger", "verify", "--against-kafka", "--connection", str(stack.connection_file), "--json"]
    said = subprocess.run(
        [sys.executable, "-m", "casebus_deploy.cli.main", *command], capture_output=True, text=True
    )
    report = json.loads(said.stdout) if said.stdout else {}
    if said.returncode != 0 or report["damages"] or report["compared"] != found.figures["entries"]:
        found.problems.append(f"ledger verify: {said.returncode} {said.stdout[:500]} {said.stderr[-500:]}")


def _check_receipts(found: Found, view: KafkaView, placed: set[Origin]) -> None:
    """Each record of an agency's channels is receipted as ledgered, a repeat with the same id."""
    catalog = Catalog.load()
    ids: dict[Origin, set[bytes | None]] = {}
    for record in view.read(*(receipt(agency) for agency in MEMBERS)):
        if record.header("ce_type") == b"receipt.ledgered":
            origin = decode(catalog, record.value)[1]["origin"]
            place = (origin["topic"], origin["partition"], origin["offset"])
            if not place[0].endswith(".key"):
                ids.setdefault(place, set()).add(record.header("ce_id"))
    found.differ("receipts", placed, set(ids))
    if many := [place for place, known in ids.items() if len(known) > 1]:
        found.problems.append(f"receipts repeated under other ids: {many[:_SHOWN]}")


def _admissions(records: Iterable[Record]) -> dict[tuple[Origin, int], list[Admission]]:
    """The admissions of each origin and attempt, in order."""
    found: dict[tuple[Origin, int], list[Admission]] = {}
    for record in records:
        admission, _ = split_admission(record)
        at = (admission.origin.topic, admission.origin.partition, admission.origin.offset)
        found.setdefault((at, admission.attempt), []).append(admission)
    return found


def _check_admissions(
    found: Found, flow: Flow, played: Played, admissions: dict[tuple[Origin, int], list[Admission]]
) -> None:
    """The first admission of each record has the right verdict; later ones only repeat it."""
    first = {at: known[0] for (at, attempt), known in admissions.items() if attempt == 1}
    expected = {(*place, offset): (said.admitted, said.digest) for said, place, offset in played.places}
    found.differ("admissions", expected, {at: (one.admitted, one.digest) for at, one in first.items()})
    for at, known in admissions.items():
        if len({(one.verdict, one.digest, one.recipients) for one in known}) > 1:
            found.problems.append(f"admissions of {at} contradict each other")
    found.figures["admissions repeated"] = sum(len(known) - 1 for known in admissions.values())


def _check_inboxes(found: Found, flow: Flow, view: KafkaView, ledgered: list[Record]) -> None:
    """Inboxes hold the oracle's notices and those of what the bus says; repeats have equal ids and bytes."""
    catalog = Catalog.load()
    said_by_bus: dict[str, str] = {}
    expected = set(flow.expected_notices())
    for record in ledgered:
        if record.topic in (FINDING, OBLIGATION):
            digest = digest_of(record)
            if said_by_bus.setdefault(_text(record, "ce_id"), digest.hex()) != digest.hex():
                found.problems.append(f"the bus says {_text(record, 'ce_id')} in two ways")
            envelope = decode(catalog, record.value)[1]["envelope"]
            told = {to.partition("/")[0] for to in (*envelope["to"], *envelope["cc"])} & set(MEMBERS)
            expected |= {(agency, notice_id(fields_of(record), agency)) for agency in told}
    notices: dict[tuple[str, str], set[tuple[bytes | None, str]]] = {}
    copies = 0
    for agency in MEMBERS:
        for record in view.read(inbox(agency)):
            copies += 1
            what = (record.value, _text(record, "casebus-sig"))
            notices.setdefault((agency, _text(record, "casebus-notice")), set()).add(what)
    found.differ("notices", {(agency, str(notice)) for agency, notice in expected}, set(notices))
    if many := [notice for notice, known in notices.items() if len(known) > 1]:
        found.problems.append(f"notices with one id and several contents: {many[:_SHOWN]}")
    found.figures["notices"] = len(notices)
    found.figures["said by the bus"] = len(said_by_bus)
    found.figures["notices repeated"] = copies - len(notices)


def _check_dead_letters(
    found: Found, played: Played, view: KafkaView, records: Mapping[Origin, Record]
) -> None:
    """Dead letters are exactly the broken records, byte for byte."""
    letters: dict[Origin, Record] = {}
    for record in view.read(*(dead_letter(agency) for agency in MEMBERS)):
        topic, partition, offset = _text(record, "casebus-origin").split("/")
        letters[topic, int(partition), int(offset)] = record
    broken = {(*place, offset) for said, place, offset in played.places if not said.admitted}
    found.differ("dead letters", broken, set(letters))
    for at in letters.keys() & records.keys():
        letter, record = letters[at], records[at]
        same = (record.key, record.value) == (letter.key, letter.value)
        if not same or letter.headers[: len(record.headers)] != record.headers:
            found.problems.append(f"the dead letter of {at} is not what was published")
    found.figures["dead letters"] = len(letters)


def _check_reconciler(found: Found, databases: Databases, flow: Flow) -> None:
    """Each admitted event has one effect."""
    rows = databases.rows("accounts", "SELECT digest FROM recon_event")
    found.differ("events with an effect", flow.admitted_digests(), {bytes(row[0]) for row in rows})
    if len(rows) != len({bytes(row[0]) for row in rows}):
        found.problems.append("an event has two effects")
    counted = databases.rows("accounts", "SELECT sum(events) FROM recon_chain")[0][0]
    if counted != len(flow.admitted_digests()):
        found.problems.append(f"chains hold {counted} events, expected {len(flow.admitted_digests())}")
    rows = databases.rows("accounts", "SELECT chain, hash FROM recon_chain")
    found.chain_hashes = {row[0]: bytes(row[1]) for row in rows}
    rules = databases.rows("accounts", "SELECT rule, count(*) FROM recon_finding GROUP BY rule")
    found.figures.update({f"finding {rule}": count for rule, count in rules})


def check_outages(stack: FaultStack, expected: Mapping[str, int]) -> list[str]:
    """As many kills at each point as were asked for, each with work in flight, each service back in time."""
    problems = []
    counted = Counter(kill.point for kill in stack.kills())
    if counted != Counter(expected):
        problems.append(f"kills: {dict(counted)}, expected {dict(expected)}")
    away: dict[str, list[float]] = {}
    for outage in stack.outages():
        kill = outage.kill
        if kill.in_flight <= 0:
            problems.append(f"{kill} had nothing in flight")
        if outage.assigned_s is None or outage.assigned_s > LONGEST_BACK_IN_S:
            problems.append(f"{kill.service} came back after {outage.assigned_s} s from {kill}")
        else:
            away.setdefault(kill.service, []).append(outage.assigned_s)
    for service, seconds in away.items():
        if (middle := median(seconds)) > (bound := stack.may_be_away_s(service)):
            problems.append(
                f"{service} was away for {middle:.1f} s in the middle, expected {bound:.1f} s at most"
            )
    return problems


def _text(record: Record, name: str) -> str:
    value = record.header(name)
    assert value is not None, f"{name} is missing at {record.topic}/{record.partition}/{record.offset}"
    return value.decode()
