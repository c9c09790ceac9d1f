"""The bundle of a case as it is played: agencies' events, verdicts, and the bus's own findings and duties."""

from pathlib import Path
from typing import Any

from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_page import page
from casebus_schemas.wire.base64url import base64url_bytes
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from support.events.signed_events import Speaker, seed_of, stored
from support.ledger.sealed_ledger import policy
from support.ledger.signed_case import SignedCase, bundle_of
from support.reconciler.desk import Desk


def played(folder: Path) -> SignedCase:
    """A referral, its receipt, a filing with another figure, in two matters, and what the bus said."""
    database = Database(f"sqlite:///{folder / 'accounts.db'}")
    database.migrate()
    desk = Desk(database)
    case = SignedCase(admitter=desk.admitter)
    router = SigningKey(seed_of("router"))
    bus = Speaker("bus", key=router)
    bus.announce()  # as the case has it
    case.store(bus.announce(SigningKey(seed_of("bus")), by=router))
    admit = desk.admitter.admit

    def store_and_admit(event: Any, **when: Any) -> Record:
        case.store(event)
        admission = admit(event, **when)
        place = TopicPartition(admission.topic, admission.partition)
        case.ledger.records.setdefault(place, []).append(admission)
        return admission

    desk.admitter.admit = store_and_admit  # type: ignore[method-assign]  # what is admitted is ledgered too
    for number in (1, 2):
        desk.play(number, 1_700_000_000_000)
    desk.agent.handle(desk.admitter.batches())
    for outgoing in desk.sink.sent:
        run = case.ledger.records.setdefault(TopicPartition(outgoing.topic, outgoing.partition), [])
        run.append(stored(outgoing, len(run)))
    case.ledger.seal()
    database.close()
    return case


def test_findings_and_duties_are_in_the_bundle(tmp_path: Path) -> None:
    """What the bus itself found and announced is proven as the agencies' words are, under the bus's key."""
    case = played(tmp_path)
    for number in (1, 2):
        report = check_bundle(bundle_of(case, number).to_bytes(), policy())
        assert report.failed == []
        types = sorted((entry.record.header("ce_type") or b"").decode() for entry in report.entries)
        assert types.count("finding.opened") == 2
        assert types.count("obligation.announced") == 2
        assert report.signatures == len(report.entries) == 10


def test_the_page_tells_them_in_both_languages(tmp_path: Path) -> None:
    """The page shows who said what, and the bus's findings with their reasons."""
    text = page(bundle_of(played(tmp_path), 1)).decode()
    assert "<code>because</code>" in text
    assert text.count("finding.opened</h2>") == 2
    assert "46,190,000.00" in text
    assert "4,619.00" in text


def test_a_finding_under_another_key(tmp_path: Path) -> None:
    """A finding that somebody without a key of the bus made up is named by its place."""
    case = played(tmp_path)
    place = next(one for one in case.ledger.records if one.topic == "bus.finding")
    records = case.ledger.records[place]
    said = [(name, value) for name, value in records[0].headers if name != "casebus-sig"]
    forged = SigningKey(bytes(32)).sign(b"anything")
    records[0] = records[0]._replace(headers=(*said, ("casebus-sig", base64url_bytes(forged))))
    case.ledger.epochs.clear()
    case.ledger.heads.clear()
    case.ledger.seal()
    failed = [
        what
        for number in (1, 2)
        for what in check_bundle(bundle_of(case, number).to_bytes(), policy()).failed
    ]
    (only,) = failed
    assert only.startswith(f"bus.finding/{place.partition}/0: signed by ")
    assert only.endswith("which is no key of bus")
