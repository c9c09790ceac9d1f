"""The router and sealed content: the form, for whom, under which keys; never what it says."""

from collections.abc import Mapping
from hashlib import sha256

import pytest

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.sealed.cipher import DecryptionKey, seal
from casebus_schemas.sealed.place import Place
from casebus_services.router.judgement import Judgement, judge
from support.cases.members import encryption_seed
from support.events.doors import NOW_MS
from support.events.signed_events import NAMESPACE, Speaker, chain, envelope, keyring_of, referral, stored

CATALOG = Catalog.load()
AT = Place("csrc.referral", chain(1), NAMESPACE, "referral.submitted", "csrc")
KEYS = {agency: DecryptionKey(encryption_seed(agency)).public for agency in ("csrc", "mps", "spp", "court")}


def _keyring() -> Keyring:
    speakers = [Speaker(agency) for agency in KEYS]
    said = [one.announce_encryption(KEYS[one.agency]) for one in speakers]
    return keyring_of(*speakers).extend(stored(one, 1) for one in said)


def _sealed(readers: Mapping[str, bytes]) -> bytes:
    return seal(b"what the router cannot read", AT, sha256(b"data key").digest(), readers)


def _judged(sealed: bytes) -> Judgement:
    csrc = Speaker("csrc")
    data = referral(envelope=envelope(to=["mps"], cc=["spp/csrc-office"]), sealed=sealed)
    return judge(stored(csrc.say("referral.submitted", data, chain(1))), CATALOG, _keyring(), 4, NOW_MS)


@pytest.mark.parametrize("readers", [("mps", "spp"), ("mps",), ("spp",)])
def test_sealed_for_whom_it_is_told_or_fewer_is_admitted(readers: tuple[str, ...]) -> None:
    """All recipients or some of them may be able to read it."""
    found = _judged(_sealed({one: KEYS[one] for one in readers}))
    assert (found.verdict, found.code) == ("admitted", None)
    assert [one.agency for one in found.recipients] == ["mps", "spp"]


@pytest.mark.parametrize("reader", ["court", "csrc"])
def test_sealed_for_somebody_who_is_not_told_is_refused(reader: str) -> None:
    """Nobody gets personal data past the list of recipients, its speaker neither."""
    found = _judged(_sealed({"mps": KEYS["mps"], reader: KEYS[reader]}))
    assert found.code == "bad-body"
    assert found.detail is not None
    assert found.detail.startswith(f"/data/sealed: sealed for others than its recipients, found {reader}, ")


@pytest.mark.parametrize(
    ("agency", "key"), [("mps", DecryptionKey(sha256(b"nobody").digest()).public), ("mps", KEYS["spp"])]
)
def test_sealed_under_a_key_that_its_reader_has_not_announced_is_refused(agency: str, key: bytes) -> None:
    """An unknown key, or that of another agency, would leave the recipient with what it cannot read."""
    found = _judged(_sealed({agency: key}))
    assert found.code == "unknown-key"
    assert found.kept
    assert "/data/sealed: sealed for mps under key " in (found.detail or "")


def test_sealed_under_the_id_of_a_signing_key_is_refused() -> None:
    """A key that signs is none to seal for."""
    whole = SealedBytes.parse(_sealed({"mps": KEYS["mps"]}))
    signing = Speaker("mps").key
    assert signing is not None
    wrong = whole.readers[0]._replace(key_id=signing.key_id)
    assert (
        _judged(SealedBytes(whole.data_key, (wrong,), whole.nonce, whole.ciphertext).to_bytes()).code
        == "unknown-key"
    )


@pytest.mark.parametrize("raw", [b"", "姜某君 in clear".encode(), b"CBS\1\1" + bytes(2000)])
def test_b7_what_has_not_the_form_is_refused(raw: bytes) -> None:
    """Clear bytes, or anything else in `sealed`, are refused as bad-body."""
    found = _judged(raw)
    assert found.code == "bad-body"
    assert (found.detail or "").startswith("/data/sealed: ")


def test_numbers_in_ciphertext_are_nobodys() -> None:
    """Bytes that look like a resident number by chance are not looked into: they are ciphertext."""
    whole = SealedBytes.parse(_sealed({"mps": KEYS["mps"]}))
    number = b" 11010519491231002X "
    ciphertext = number + whole.ciphertext[len(number) :]
    assert _judged(SealedBytes(whole.data_key, whole.readers, whole.nonce, ciphertext).to_bytes()).admitted
