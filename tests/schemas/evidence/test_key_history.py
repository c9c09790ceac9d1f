"""The history of keys as a bundle's reader makes it, held to the keyring that the bus itself uses."""

import random

import pytest

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.avro_values import Schemas
from casebus_schemas.evidence.key_history import KeyHistory
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.sealed.public_keys import encryption_key_id
from casebus_schemas.wire.canonical import canonical_json
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey
from support.cases.members import encryption_seed
from support.events.signed_events import Speaker, seed_of, stored

CATALOG = Catalog.load()
SCHEMAS = {one.fingerprint: canonical_json(one.schema) for one in CATALOG.schemas() if "key." in one.type}


def compared(records: list[Record]) -> KeyHistory:
    """The history of these key events, after it was found equal to the bus's keyring."""
    history = KeyHistory(Schemas(SCHEMAS)).read(records)
    keyring = Keyring(CATALOG).extend(records)
    ours, theirs = (dict(keys) for keys in (history.keys, keyring.entries))
    assert ours == theirs
    return history


@pytest.mark.parametrize("seed", range(12))
def test_random_lives_of_keys(seed: int) -> None:
    """Whatever is announced, rotated, ended, by right or wrong keys, both come to the same keys."""
    chance = random.Random(seed)
    speakers = [Speaker("csrc"), Speaker("mps"), Speaker("bus", key=SigningKey(seed_of("operator")))]
    records: list[Record] = []
    counts: dict[str, int] = {}
    for number in range(40):
        speaker = chance.choice(speakers)
        keys = [SigningKey(seed_of(f"{speaker.agency} {at}")) for at in range(4)]
        by, key, other = chance.choice(keys), chance.choice(keys), chance.choice(keys)
        what = chance.choice(
            ["announce", "announce", "rotate", "key.retired", "key.revoked", "foreign", "encrypt"]
        )
        if what == "announce":
            event = speaker.announce(key, by=chance.choice([by, key]))
        elif what == "rotate":
            event = speaker.rotate(key, other, by=by)
        elif what == "encrypt":
            public = DecryptionKey(encryption_seed(f"{speaker.agency} {chance.randrange(3)}")).public
            event = speaker.announce_encryption(public)
        elif what == "foreign":
            event = speaker.announce(key, by=by, holder=chance.choice(["csrc", "mps"]))
        else:
            since = {} if what == "key.retired" else {"compromised_since_epoch": number}
            event = speaker.end(what, key, by=by, **since)
        offset = counts[speaker.agency] = counts.get(speaker.agency, -1) + 1
        records.append(stored(event, offset, 1_700_000_000_000 + number))
    # As every reader of all key topics has them: the members' first, then the bus's.
    ordered = sorted(records, key=lambda one: (one.topic == "bus.key", one.topic, one.offset))
    assert compared(ordered).keys


def test_an_encryption_key_is_a_key_of_the_history_and_signs_nothing() -> None:
    """A bundle of a bus whose agencies seal has such keys in its key topics; none of them is left over."""
    csrc = Speaker("csrc")
    public = DecryptionKey(encryption_seed("csrc")).public
    said = [stored(csrc.announce(csrc.key), 0), stored(csrc.announce_encryption(public), 1)]
    key = compared(said).keys["csrc", encryption_key_id(public)]
    assert (key.role, key.why_not(said[1], None)) == ("encrypt", "a key with the role encrypt")


def test_first_key_vouches_for_itself() -> None:
    """The first announcement is believed, a second one under an unknown key is not."""
    csrc = Speaker("csrc")
    second = SigningKey(seed_of("second"))
    history = compared([stored(csrc.announce(), 0), stored(csrc.announce(second), 1)])
    assert len(history.keys) == 1
    (why,) = history.ignored
    assert why.endswith("which is no key of csrc")


def test_weak_keys_and_unknown_schemas() -> None:
    """A key of small order is not taken; without its schema an event is not read."""
    csrc = Speaker("csrc")
    weak = bytes((1, *[0] * 31))
    from casebus_schemas.wire.signing import key_id

    records = [stored(csrc.announce(), 0)]
    records.append(stored(csrc.announce(csrc.key, by=csrc.key, public_key=weak, key_id=key_id(weak)), 1))
    assert len(compared(records).keys) == 1
    (why,) = KeyHistory(Schemas({})).read(records[:1]).ignored
    assert why.endswith("is not in the bundle")
    with pytest.raises(ValueError, match="another fingerprint"):
        Schemas({bytes(32): b"{}"})
