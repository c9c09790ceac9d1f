"""An agency that signs with SM2 beside others with Ed25519: said, admitted, ledgered and proven alike."""

from pathlib import Path
from types import ModuleType

import pytest

from casebus_consumers.auditor.damage import VerifyReport
from casebus_consumers.auditor.signature_check import check_signatures
from casebus_consumers.auditor.verify import verify_ledger
from casebus_producers.outbox.outbox import Outbox
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.proof import forged_event
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence import sm2
from casebus_schemas.evidence.algorithms import SM2
from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.signing import SigningKey
from casebus_services.ledger.store import LedgerStore
from casebus_services.router.judgement import judge
from support.cases.members import ready
from support.events.admissions import Admitter
from support.events.signed_events import Speaker, keyring_of, referral, stored
from support.ledger.ledgers import batch, empty_sqlite
from support.ledger.sealed_ledger import policy
from support.ledger.signed_case import SignedCase, bundle_of

KEY = SigningKey.parse(SM2.make())
NOW_MS = 1_480_000_000_000
CATALOG = Catalog.load()


def speakers() -> list[Speaker]:
    """The regulator signs with SM2."""
    return [Speaker("csrc", key=KEY), Speaker("mps"), Speaker("spp"), Speaker("court")]


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on as where the extra is not installed."""

    def missing() -> ModuleType:
        raise ModuleNotFoundError("gmssl_pyx")

    monkeypatch.setattr(sm2, "_library", missing)


def the_case() -> SignedCase:
    """A matter of two events of the regulator and an answer, sealed."""
    case = SignedCase(admitter=Admitter(speakers=speakers()))
    csrc = case.admitter.speaker("csrc")
    case.say(csrc.refer(5))
    case.say(csrc.refer(5))
    case.ledger.seal()
    return case


def test_its_events_are_admitted_and_a_changed_one_is_refused() -> None:
    """The router judges by the key's algorithm; the same signature under the other number is refused."""
    csrc = speakers()[0]
    keyring = keyring_of(csrc)
    good = stored(csrc.refer(1), 3)
    assert judge(good, CATALOG, keyring, 4, NOW_MS).verdict == "admitted"
    headers = EventHeaders.parse(good.headers)
    assert headers.sig[1] == 2
    assert forged_event(good, headers, keyring, NOW_MS) is None
    other = csrc.say("referral.submitted", referral(), key=SigningKey.parse(SM2.make()))
    assert judge(stored(other, 4), CATALOG, keyring, 4, NOW_MS).code == "unknown-key"
    moved = good._replace(partition=good.partition ^ 1)
    assert judge(moved, CATALOG, keyring, 4, NOW_MS).verdict == "refused"
    assert forged_event(moved, headers, keyring, NOW_MS) is not None


def test_its_key_follows_an_ed25519_key_and_the_other_way_round() -> None:
    """A key is exchanged for one of the other algorithm by the key events that exchange any."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    events = [stored(csrc.announce(), 0), stored(csrc.rotate(csrc.key, KEY), 1)]
    keyring = Keyring(CATALOG).extend(events)
    assert keyring.ignored == ()
    assert [(one.key_id, one.ended) for one in keyring.of("csrc")] == [
        (csrc.key.key_id, "replaced"),
        (KEY.key_id, None),
    ]
    back = SigningKey(bytes(range(32)))
    again = keyring.apply(stored(csrc.rotate(KEY, back), 2))
    assert again.find("csrc", KEY.key_id) is not None
    assert [one.ended for one in again.of("csrc")] == ["replaced", "replaced", None]


def test_without_the_extra_nothing_of_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is not registered and its events are refused, both with the extra to install."""
    csrc = speakers()[0]
    announced, said = stored(csrc.announce(), 0), stored(csrc.refer(1), 3)
    known = keyring_of(csrc)
    without(monkeypatch)
    keyring = Keyring(CATALOG).apply(announced)
    assert keyring.of("csrc") == ()
    assert "pip install 'casebus[sm2]'" in keyring.ignored[0].reason
    for ring in (keyring, known):  # even with a keyring that an earlier process has read
        judged = judge(said, CATALOG, ring, 4, NOW_MS)
        assert (judged.verdict, judged.code) == ("refused", "bad-signature")
        assert "pip install 'casebus[sm2]'" in str(judged.detail)
        problem = forged_event(said, EventHeaders.parse(said.headers), ring, NOW_MS)
        assert problem is not None
        assert "pip install 'casebus[sm2]'" in problem.en


def test_an_outbox_signs_with_it(tmp_path: Path) -> None:
    """What the agency's outbox queues is signed with the key of its file, whichever algorithm that is."""
    file = tmp_path / "csrc.signing-key"
    file.write_text(SM2.make())
    file.chmod(0o600)
    key = SigningKey.from_file(file)
    outbox = Outbox(tmp_path / "outbox.db", agency="csrc", key=key, partitions=4)
    outbox.enqueue([ready(1)])
    (row,) = outbox.pending(0, 10, 1 << 30)
    keyring = keyring_of(Speaker("csrc", key=key))
    headers = EventHeaders.parse(row.record.headers)
    assert forged_event(stored(row.record), headers, keyring, None) is None


def test_the_ledgers_reader_verifies_it(tmp_path: Path) -> None:
    """`ledger verify` reads its signatures like the others', and names what it did not sign."""
    case = the_case()
    store = LedgerStore(empty_sqlite(tmp_path), writer="test")
    store.append([batch(records) for records in case.ledger.records.values()])
    assert verify_ledger(store.database).ok
    report = VerifyReport()
    check_signatures(store.database, report)
    store.close()
    assert (report.damages, report.signatures) == ([], 4)


def test_a_bundle_holds_its_keys_and_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline verifier verifies them with the extra; without it it says what it lacks, and fails."""
    raw = bundle_of(the_case(), 5).to_bytes()
    report = check_bundle(raw, policy())
    assert (report.failed, report.signatures) == ([], 4)
    without(monkeypatch)
    told = check_bundle(raw, policy())
    assert not told.ok
    assert any("pip install 'casebus[sm2]'" in line for line in told.failed)
