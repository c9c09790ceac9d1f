"""Encryption keys on the key topics: announced under the agency's signing key, never able to sign."""

from dataclasses import replace

import pytest

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.sealed.public_keys import encryption_key_id
from support.cases.members import encryption_seed
from support.events.signed_events import Speaker, envelope, stored

EMPTY = Keyring(Catalog.load())
FIRST, SECOND = DecryptionKey(encryption_seed("csrc")), DecryptionKey(encryption_seed("csrc 2"))
NOW = 1_700_000_000_000


def _ring(*records: object) -> Keyring:
    return EMPTY.extend(stored(record, offset) for offset, record in enumerate(records))  # type: ignore[arg-type]


def test_the_last_valid_key_is_the_one_to_seal_for() -> None:
    """Of several the last announced counts until it is retired; the first one stays known."""
    csrc = Speaker("csrc")
    one, two = csrc.announce_encryption(FIRST.public), csrc.announce_encryption(SECOND.public)
    ring = _ring(csrc.announce(), one, two)
    assert ring.ignored == ()
    found = ring.encryption_key("csrc", NOW)
    assert found is not None
    assert (found.key_id, found.public, found.role) == (SECOND.key_id, SECOND.public, "encrypt")
    retired = csrc.say(
        "key.retired",
        {"envelope": envelope(to=[]), "holder": "csrc", "key_id": SECOND.key_id, "reasons": "test"},
        key=csrc.key,
    )
    ring = ring.apply(stored(retired, 3))
    again = ring.encryption_key("csrc", NOW)
    assert again is not None
    assert again.key_id == FIRST.key_id
    known = ring.find("csrc", SECOND.key_id)
    assert known is not None
    assert known.ended == "retired"
    assert ring.encryption_key("mps", NOW) is None


def test_a_term_is_kept() -> None:
    """A key that is not valid yet, or no more, is not one to seal for."""
    csrc = Speaker("csrc")
    ring = _ring(csrc.announce(), csrc.announce_encryption(FIRST.public))
    entry = ring.encryption_key("csrc", NOW)
    assert entry is not None
    for changed in (replace(entry, not_before_ms=NOW + 1), replace(entry, not_after_ms=NOW)):
        other = replace(ring, entries={(entry.agency, entry.key_id): changed})
        assert other.encryption_key("csrc", NOW) is None


def test_an_encryption_key_signs_nothing() -> None:
    """What is signed with the id of an encryption key is refused, and none opens a key topic."""
    csrc = Speaker("csrc")
    ring = _ring(csrc.announce(), csrc.announce_encryption(FIRST.public))
    entry = ring.find("csrc", FIRST.key_id)
    assert entry is not None
    assert entry.why_not(stored(csrc.refer()), NOW) == "a key with the role encrypt"
    first = _ring(csrc.announce_encryption(FIRST.public))
    assert first.entries == {}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"algorithm": "ed25519"}, "algorithm ed25519, expected x25519"),
        ({"role": "event"}, "algorithm x25519, expected ed25519"),
        ({"public_key": bytes(32)}, "a point of small order"),
        ({"public_key": b"\xff" * 32}, "not in its canonical form"),
        ({"key_id": bytes(32)}, "that of the key given"),
    ],
)
def test_what_is_no_encryption_key_is_ignored_with_its_reason(changes: dict[str, object], why: str) -> None:
    """Algorithm, role, key and id must fit each other."""
    csrc = Speaker("csrc")
    ring = _ring(csrc.announce(), csrc.announce_encryption(FIRST.public, **changes))
    assert ring.encryption_key("csrc", NOW) is None
    assert why in ring.ignored[0].reason
    assert encryption_key_id(FIRST.public) == FIRST.key_id
