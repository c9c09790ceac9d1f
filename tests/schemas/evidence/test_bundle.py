"""Bundles of a case: what holds under the reader's policy, and that nothing in the file can be another."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from casebus_schemas.evidence.bundle_check import check_bundle
from casebus_schemas.evidence.bundle_file import Bundle, BundledLog
from casebus_schemas.evidence.leaf import parse_leaf
from casebus_schemas.evidence.signed_note import NoteSigner, VerifierKey
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text
from casebus_schemas.wire.base64url import base64url_bytes, from_base64url
from casebus_schemas.wire.records import TopicPartition
from casebus_schemas.wire.signing import BLOCK_LENGTH, SigningKey, key_id
from support.events.signed_events import Speaker, chain, seed_of, stored
from support.ledger import sealed_ledger, signed_case
from support.ledger.sealed_ledger import COSIGNERS, SIGNER, policy
from support.ledger.signed_case import SignedCase, bundle_of


@pytest.fixture(scope="module")
def case() -> SignedCase:
    """Twelve matters of three referrals each."""
    return signed_case.example()


@pytest.fixture(scope="module")
def raw(case: SignedCase) -> bytes:
    """The bundle of the sixth matter."""
    return bundle_of(case, 5).to_bytes()


def test_bundle_of_a_matter(raw: bytes) -> None:
    """Three events and the three verdicts on them hold, with the keys of all who speak."""
    report = check_bundle(raw, policy())
    assert report.failed == []
    assert report.epoch is not None
    assert report.epoch.number == 2
    assert report.verdict is not None
    assert set(report.verdict.witnesses) == {"mps", "csrc", "audit"}
    types = [entry.record.header("ce_type") for entry in report.entries]
    assert types == [b"referral.submitted"] * 6
    assert {entry.record.key for entry in report.entries} == {chain(5).encode()}
    assert [entry.leaf.topic for entry in report.entries] == ["bus.admission"] * 3 + ["csrc.referral"] * 3
    assert len(report.key_entries) == 5
    assert report.signatures == 6
    assert [verdict.admitted for verdict in report.verdicts.values()] == [True] * 3
    (log,) = [name for name in Bundle.parse(raw).logs if name.startswith("bus.admission/")]
    assert report.not_covered == [
        f"whether more stands on bus.admission: of {log} only what is of this chain is shown",
        "whether more was said: absence needs a proof of its own",
        "with which keys the bus began: no genesis was brought, each first key is believed",
    ]


def test_contents_withheld(case: SignedCase) -> None:
    """Without contents all signatures hold still; the report says what is not shown."""
    bundle = bundle_of(case, 5, withheld=True)
    report = check_bundle(bundle.to_bytes(), policy())
    assert report.failed == []
    assert report.signatures == 6
    assert all(entry.withheld and entry.record.value is None for entry in report.entries)
    assert report.not_covered[0] == "the contents of 6 entries: only their SHA-256 is shown"


def test_equal_content_is_equal_bytes(case: SignedCase, raw: bytes) -> None:
    """Made twice, or read and written, a bundle has the same bytes."""
    assert bundle_of(case, 5).to_bytes() == raw
    assert Bundle.parse(raw).to_bytes() == raw


def test_every_byte_counts(raw: bytes) -> None:
    """Whatever one byte of the file is changed to, the bundle is not accepted."""
    trust = policy()
    for at in range(0, len(raw), 5):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 8
        assert not check_bundle(bytes(changed), trust).ok, f"byte {at}"
    for cut in (raw[:-1], raw[1:], raw + b"\0", b"", b"PK"):
        assert not check_bundle(cut, trust).ok


def zipped(files: dict[str, bytes], compression: int = ZIP_STORED) -> bytes:
    """A zip as the format makes it, of any files."""
    out = BytesIO()
    with ZipFile(out, "w", compression) as file:
        for name in sorted(files):
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o644 << 16, 3
            file.writestr(info, files[name], compression)
    return out.getvalue()


def unzipped(raw: bytes) -> dict[str, bytes]:
    """Its files."""
    with ZipFile(BytesIO(raw)) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize(
    "name", ["policy", "final.policy", "keys/log.vkey", "trust.json", "../x", "logs/a/0/1/x"]
)
def test_a_bundle_brings_neither_key_nor_policy(raw: bytes, name: str) -> None:
    """A file that the format does not have is not passed over: the bundle is refused with its name."""
    report = check_bundle(zipped({**unzipped(raw), name: b"log x"}), policy())
    assert report.failed == [f"the file: the bundle holds '{name}', which is not of its format"]


def test_a_bundle_of_another_ledger(case: SignedCase) -> None:
    """Who makes a ledger of his own and bundles it rightly is refused by a policy that does not know him."""
    bundle = bundle_of(case, 5)
    stranger = NoteSigner("stranger.example/bus", bytes(32))
    text = bundle.epoch.note.text.replace(sealed_ledger.LEDGER, "stranger.example/bus")
    for note in (
        stranger.signed(text),
        NoteSigner(sealed_ledger.LEDGER, bytes(32)).signed(bundle.epoch.note.text),
    ):
        forged = replace(bundle, epoch=replace(bundle.epoch, note=note))
        (failed,) = check_bundle(forged.to_bytes(), policy()).failed
        assert failed.startswith("the checkpoint: no log of the policy has signed")


def test_provisional_is_not_final(case: SignedCase) -> None:
    """A bundle with two cosignatures is refused by a policy that asks for three."""
    bundle = bundle_of(case, 5)
    two = replace(bundle, epoch=replace(bundle.epoch, note=case.ledger.note("spp", "csrc")))
    assert check_bundle(two.to_bytes(), policy(2)).ok
    assert check_bundle(two.to_bytes(), policy(3)).failed == [
        "the checkpoint: the quorum 'witnesses' is not reached: cosigned by spp, csrc"
    ]


def test_files_compressed_or_missing(raw: bytes) -> None:
    """A compressed file, or one without a part, is refused."""
    files = unzipped(raw)
    assert not check_bundle(zipped(files, ZIP_DEFLATED), policy()).ok
    for name in files:
        report = check_bundle(zipped({one: files[one] for one in files if one != name}), policy())
        about = " ".join(report.not_covered)
        withheld = "the contents of 6" in about or "how to read 6 contents" in about
        assert report.ok == (withheld and name.startswith(("payloads/", "schemas/"))), name


def case_log(raw: bytes) -> str:
    """Name of the log of referrals."""
    return next(name for name in Bundle.parse(raw).logs if name.startswith("csrc.referral/"))


def log_changed(bundle: Bundle, name: str, change: Callable[[BundledLog], BundledLog]) -> Bundle:
    """The bundle with one log changed."""
    return replace(bundle, logs={**bundle.logs, name: change(bundle.logs[name])})


def test_changes_within_a_log(case: SignedCase) -> None:
    """Leaves, headers, places or hashes of one log exchanged, left out or moved do not hold."""
    bundle = bundle_of(case, 5)
    name = next(name for name in bundle.logs if name.startswith("csrc.referral/"))
    foreign = bundle_of(case, 6).logs[
        next(n for n in bundle_of(case, 6).logs if n.startswith("csrc.referral/"))
    ]
    changes: list[Callable[[BundledLog], BundledLog]] = [
        lambda log: replace(log, leaves=[*log.leaves[1:], log.leaves[0]]),
        lambda log: replace(log, leaves=[*foreign.leaves[:1], *log.leaves[1:]]),
        lambda log: replace(log, headers=[*log.headers[1:], log.headers[0]]),
        lambda log: replace(log, proof=log.proof[:-1]),
        lambda log: replace(log, proof=[*log.proof, log.proof[0]]),
        lambda log: replace(log, ranges=[(begin + 1, end + 1) for begin, end in log.ranges]),
        lambda log: replace(log, ranges=log.ranges[1:], leaves=log.leaves[1:], headers=log.headers[1:]),
        lambda log: foreign,
    ]
    for number, change in enumerate(changes):
        report = check_bundle(log_changed(bundle, name, change).to_bytes(), policy())
        assert any(name in what or "csrc.referral" in what for what in report.failed), number


def test_an_entry_of_another_chain(case: SignedCase) -> None:
    """Entries of another chain, rightly proven, do not pass for this one's."""
    bundle = replace(bundle_of(case, 6), about={"chain": chain(5)})
    failed = check_bundle(bundle.to_bytes(), policy()).failed
    assert len(failed) == 6
    assert failed[0].endswith(f"not of the chain {chain(5)}")


def test_content_of_another_event(case: SignedCase) -> None:
    """A content that no entry has, or that has not its digest, is named."""
    bundle, other = bundle_of(case, 5), bundle_of(case, 6)
    (digest,) = [key for key in other.payloads if key not in bundle.payloads][:1] or [bytes(32)]
    strange = replace(bundle, payloads={**bundle.payloads, digest: b"x"})
    assert any("its SHA-256 is another" in what for what in check_bundle(strange.to_bytes(), policy()).failed)
    added = b"never said"
    more = replace(bundle, payloads={**bundle.payloads, sha256(added).digest(): added})
    (failed,) = check_bundle(more.to_bytes(), policy()).failed
    assert failed.endswith("no entry of the bundle has this content")


def test_history_of_keys_must_be_whole(case: SignedCase) -> None:
    """A key log left out, or cut short, fails: a revocation could be hidden there."""
    bundle = bundle_of(case, 5)
    name = "csrc.key/0/1"
    without = replace(bundle, logs={key: log for key, log in bundle.logs.items() if key != name})
    failed = check_bundle(without.to_bytes(), policy()).failed
    assert f"{name}: the history of keys is not whole, expected 1 entries" in failed
    assert any("which is no key of csrc" in what for what in failed)


def test_a_key_that_signs_events_vouches_for_no_ledger(case: SignedCase) -> None:
    """A policy in which the ledger or a witness has a key of an agency is not believed with its events."""
    csrc = case.admitter.speaker("csrc")
    assert csrc.key is not None
    key = VerifierKey("fire", 0x04, csrc.key.public)
    text = policy_text([SIGNER.key], {name: one.key for name, one in COSIGNERS.items()} | {"fire": key}, 3)
    report = check_bundle(bundle_of(case, 5).to_bytes(), TrustPolicy.parse(text.encode()))
    assert len(report.failed) == 3
    assert {one.partition(": ")[2][-24:] for one in report.failed} == {"… which is no key of csrc"[-24:]}
    assert "a key of csrc is that of fire in the policy, too: one key, one purpose" in report.not_covered


def test_a_key_of_the_bus_has_no_other_purpose(case: SignedCase) -> None:
    """A policy in which the router's key cosigns: nothing that the bus said is believed."""
    key = VerifierKey("fire", 0x04, SigningKey(seed_of("router")).public)
    text = policy_text([SIGNER.key], {name: one.key for name, one in COSIGNERS.items()} | {"fire": key}, 3)
    failed = check_bundle(bundle_of(case, 5).to_bytes(), TrustPolicy.parse(text.encode())).failed
    assert failed == ["a key of bus is that of fire in the policy, too: one key, one purpose"]


def test_an_agency_cannot_spoil_the_bundles_of_others(case: SignedCase) -> None:
    """Whoever announces the ledger's own key, or another agency's, is named; what others said holds."""
    other = SignedCase()
    mps = other.admitter.speaker("mps")
    for key in (SIGNER.key.public, SigningKey(seed_of("csrc")).public):
        other.store(mps.announce(mps.key, by=mps.key, public_key=key, key_id=key_id(key)))
    other.say(other.admitter.speaker("csrc").refer(5))
    other.ledger.seal()
    report = check_bundle(bundle_of(other, 5).to_bytes(), policy())
    assert report.failed == []
    named = [one for one in report.not_covered if "key" in one and "mps" in one]
    assert [one[:30] for one in named] == [
        "a key of mps is that of ledger.example/bus in the policy, too"[:30],
        "csrc and mps have announced the same key"[:30],
    ]


def seal_anew(case: SignedCase) -> None:
    """All of it in one epoch: within that, Kafka's time decides."""
    case.ledger.epochs.clear()
    case.ledger.heads.clear()
    case.ledger.seal()


def test_a_revocation_cannot_be_withheld() -> None:
    """A bundle that hides what a key event says, its content or its schema, is not accepted."""
    case = signed_case.example(matters=1)
    csrc = case.admitter.speaker("csrc")
    assert csrc.key is not None
    revoked = stored(csrc.end("key.revoked", csrc.key), 1)
    case.ledger.records[TopicPartition("csrc.key", 0)].append(revoked)
    seal_anew(case)
    bundle = bundle_of(case, 0)
    assert sum("revoked before" in what for what in check_bundle(bundle.to_bytes(), policy()).failed) == 3
    digest = sha256(revoked.value or b"").digest()
    silent = replace(bundle, payloads={key: value for key, value in bundle.payloads.items() if key != digest})
    assert check_bundle(silent.to_bytes(), policy()).failed == [
        "csrc.key/0/1: the content of a key event is withheld, it may end a key"
    ]
    schema = bytes.fromhex((revoked.header("ce_dataschema") or b"").decode()[7:])
    mute = replace(bundle, schemas={key: value for key, value in bundle.schemas.items() if key != schema})
    assert check_bundle(mute.to_bytes(), policy()).failed == [
        "csrc.key/0/1: the schema of a signed key event is withheld, it may end a key"
    ]


def test_forged_event_in_an_honest_ledger() -> None:
    """An event that the ledger holds rightly but that csrc did not sign is named by its place."""
    forged = signed_case.example(matters=3)
    place = next(one for one in forged.ledger.records if one.topic == "csrc.referral")
    records = forged.ledger.records[place]
    records[0] = records[0]._replace(value=(records[0].value or b"") + b"\0")
    forged.ledger.epochs.clear()
    forged.ledger.heads.clear()
    forged.ledger.seal()
    number = next(at for at in range(3) if chain(at).encode() == records[0].key)
    failed = check_bundle(bundle_of(forged, number).to_bytes(), policy()).failed
    assert failed == [f"{place.topic}/{place.partition}/0: the bus's verdict names another event"]


@pytest.mark.parametrize(("at", "header"), [(3, "casebus-bus-sig"), (1, "casebus-admission")])
def test_of_verdicts_in_a_run_the_forged_one_is_named(at: int, header: str) -> None:
    """A right signature vouches for the verdicts before it, and never for one that says something else."""
    case = signed_case.example(matters=1, events=4)
    place = next(one for one in case.ledger.records if one.topic == "bus.admission")
    records = case.ledger.records[place]
    assert len(records) == 4
    headers = dict(records[at].headers)
    said = headers[header] or b""
    changed = {"casebus-admission": said.replace(b'"attempt":1', b'"attempt":2')}
    block = from_base64url((headers["casebus-bus-sig"] or b"").decode(), BLOCK_LENGTH)
    changed["casebus-bus-sig"] = base64url_bytes(block[:-40] + bytes(40))
    assert changed[header] != said
    forged = tuple((name, changed[name] if name == header else value) for name, value in records[at].headers)
    records[at] = records[at]._replace(headers=forged)
    seal_anew(case)
    failed = check_bundle(bundle_of(case, 0).to_bytes(), policy()).failed
    assert failed == [f"{place.topic}/{place.partition}/{at}: the signature does not fit the content"]


def test_event_after_the_end_of_its_key() -> None:
    """What a key signs after its revocation does not hold; what it signed before does."""
    case = signed_case.example(matters=1)
    csrc = case.admitter.speaker("csrc")
    assert csrc.key is not None
    ended = stored(csrc.end("key.revoked", csrc.key), 1, 1_700_000_000_500)
    case.ledger.records[TopicPartition("csrc.key", 0)].append(ended)
    place = next(one for one in case.ledger.records if one.topic == "csrc.referral")
    late = case.ledger.records[place][-1]._replace(timestamp_ms=1_700_000_000_500)
    case.ledger.records[place][-1] = late
    seal_anew(case)
    failed = check_bundle(bundle_of(case, 0).to_bytes(), policy()).failed
    assert failed == [f"{place.topic}/{place.partition}/{late.offset}: signed by a key revoked before"]


def test_refused_events_are_shown_as_refused() -> None:
    """An event that the bus refused is no failure of the bundle; its verdict says what became of it."""
    case = signed_case.SignedCase()
    stranger = Speaker("csrc", key=SigningKey(bytes(32)))
    case.say(stranger.refer(0))
    case.ledger.seal()
    report = check_bundle(bundle_of(case, 0).to_bytes(), policy())
    assert report.failed == []
    (verdict,) = report.verdicts.values()
    assert (verdict.verdict, verdict.code) == ("refused", "unknown-key")


def test_manifest_says_the_chain_alone(raw: bytes) -> None:
    """A manifest of another format, or that claims more, is refused."""
    files = unzipped(raw)
    for change in ({"format": "casebus/bundle/v2"}, {"chain": 5}, {"trusted": True}):
        about = {**json.loads(files["manifest.json"]), **change}
        text = json.dumps(about, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"
        assert not check_bundle(zipped({**files, "manifest.json": text}), policy()).ok


def test_without_signatures(raw: bytes) -> None:
    """Paths and digests alone may be looked at; the report then says so."""
    report = check_bundle(raw, policy(), signatures=False)
    assert report.ok
    assert report.signatures == 0
    assert report.not_covered[0] == "signatures of events and admissions were not looked at"


def test_leaves_stand_in_their_order(case: SignedCase) -> None:
    """The entries of a log come out in the order of their offsets."""
    bundle = bundle_of(case, 5)
    for name, log in bundle.logs.items():
        offsets = [parse_leaf(leaf).offset for leaf in log.leaves]
        assert offsets == sorted(offsets), name
