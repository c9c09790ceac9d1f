"""The keyring: which keys are believed, from when to when, and what is ignored with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebus_schemas.admission.keyring import KeyEntry, Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey, key_id
from support.signed_events import Speaker, envelope, seed_of, stored

EMPTY = Keyring(Catalog.load())
SECOND = SigningKey(seed_of("second"))
BEFORE, AFTER = 1_000, 5_000


def _event_at(time_ms: int, timestamp_type: int = 1) -> Record:
    return Record("csrc.referral", 0, 7, time_ms, timestamp_type, b"", b"", ())


def _entry(keyring: Keyring, agency: str, key: SigningKey) -> KeyEntry:
    entry = keyring.find(agency, key.key_id)
    assert entry is not None
    return entry


def _known(csrc: Speaker) -> Keyring:
    return EMPTY.apply(stored(csrc.announce(), 0))


def test_first_key_vouches_for_itself() -> None:
    """The first key on an agency's topic is believed because it signs its own announcement."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    entry = _entry(_known(csrc), "csrc", csrc.key)
    assert (entry.agency, entry.public, entry.role) == ("csrc", csrc.key.public, "event")
    assert entry.why_not(_event_at(BEFORE), 0) is None


def test_first_key_signed_by_another_is_ignored() -> None:
    """A first announcement that another key has signed changes nothing and leaves a reason."""
    keyring = EMPTY.apply(stored(Speaker("csrc").announce(by=SECOND)))
    assert not keyring.entries
    assert "announce the key that signs it" in keyring.ignored[0].reason


def test_later_key_needs_a_valid_signer() -> None:
    """A later key is believed only if a valid key of the same agency signs its announcement."""
    csrc = Speaker("csrc")
    known = _known(csrc)
    assert known.apply(stored(csrc.announce(SECOND, by=SECOND), 1)).find("csrc", SECOND.key_id) is None
    assert known.apply(stored(csrc.announce(SECOND, by=csrc.key), 1)).find("csrc", SECOND.key_id) is not None


def test_rotated_key_takes_the_place_of_the_old() -> None:
    """After a rotation the new key signs, and the old one only what was appended before."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    keyring = _known(csrc).apply(stored(csrc.rotate(csrc.key, SECOND), 1, timestamp_ms=3_000))
    assert _entry(keyring, "csrc", SECOND).why_not(_event_at(AFTER), 0) is None
    assert _entry(keyring, "csrc", csrc.key).why_not(_event_at(BEFORE), 0) is None
    assert _entry(keyring, "csrc", csrc.key).why_not(_event_at(AFTER), 0) == "a key replaced before"


@pytest.mark.parametrize("what", ["key.retired", "key.revoked"])
def test_ended_key_signs_no_more(what: str) -> None:
    """A retired or revoked key signs nothing appended after its end, however late or early it is judged."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    keyring = _known(csrc).apply(stored(csrc.announce(SECOND, by=csrc.key), 1))
    keyring = keyring.apply(stored(csrc.end(what, SECOND, by=csrc.key), 2, timestamp_ms=3_000))
    entry = _entry(keyring, "csrc", SECOND)
    assert entry.why_not(_event_at(BEFORE), 10**15) is None
    assert entry.why_not(_event_at(AFTER), 0) == f"a key {what[4:]} before"


def test_producers_own_time_stamp_is_not_believed() -> None:
    """A record that carries its producer's time stamp cannot slip in before the end of a key."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    keyring = _known(csrc).apply(stored(csrc.end("key.revoked", csrc.key), 1, timestamp_ms=3_000))
    assert _entry(keyring, "csrc", csrc.key).why_not(_event_at(BEFORE, 0), 0) == "a key revoked before"


def test_ended_key_cannot_come_back() -> None:
    """Neither a replayed announcement nor a new one revives a key that has ended."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    announcement = csrc.announce()
    keyring = EMPTY.apply(stored(announcement, 0))
    keyring = keyring.apply(stored(csrc.announce(SECOND, by=csrc.key), 1))
    keyring = keyring.apply(stored(csrc.end("key.revoked", csrc.key, by=SECOND), 2, timestamp_ms=3_000))
    for offset, again in enumerate([announcement, csrc.announce(csrc.key, by=SECOND)], 3):
        keyring = keyring.apply(stored(again, offset))
    assert _entry(keyring, "csrc", csrc.key).ended == "revoked"
    assert keyring.ignored_count == 2


def test_terms_are_read_on_the_bus_clock() -> None:
    """A key with a term is valid from `not_before` until just before `not_after` on the bus's clock."""
    csrc = Speaker("csrc")
    start, end = envelope()["occurred_at"], envelope()["occurred_at"].replace(year=2017)
    keyring = EMPTY.apply(stored(csrc.announce(not_before=start, not_after=end)))
    assert csrc.key is not None
    entry = _entry(keyring, "csrc", csrc.key)
    first, last = int(start.timestamp() * 1000), int(end.timestamp() * 1000)
    assert [entry.why_not(_event_at(0), now) for now in (first - 1, first, last - 1, last)] == [
        "a key that is not valid yet",
        None,
        None,
        "a key whose term has ended",
    ]


def test_another_agency_cannot_take_a_key() -> None:
    """An agency that announces another's public key as its own does not get in the way of the owner."""
    csrc, mps = Speaker("csrc"), Speaker("mps")
    keyring = EMPTY.apply(stored(mps.announce(), 0)).apply(stored(mps.announce(csrc.key, by=mps.key), 1))
    keyring = keyring.apply(stored(csrc.announce(), 0))
    assert csrc.key is not None
    assert keyring.find("csrc", csrc.key.key_id) is not None
    assert keyring.holders(csrc.key.key_id) == ("csrc", "mps")


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        bytes.fromhex("0100000000000000000000000000000000000000000000000000000000000000"),
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        b"short",
    ],
)
def test_weak_public_keys_are_ignored(public: bytes) -> None:
    """A public key of small order, in a non-canonical spelling or of wrong length is never registered."""
    csrc = Speaker("csrc")
    weak = csrc.announce(SECOND, by=csrc.key, public_key=public, key_id=key_id(public))
    keyring = _known(csrc).apply(stored(weak, 1))
    assert len(keyring.entries) == 1
    assert keyring.ignored[0].reason == "a public key of wrong length, of small order or not canonical"


def test_key_event_that_lies_is_ignored() -> None:
    """A key event of another holder, source, key id or with a broken signature changes nothing."""
    csrc = Speaker("csrc")
    known = _known(csrc)
    good = csrc.announce(SECOND, by=csrc.key)
    lies = [
        stored(csrc.announce(SECOND, by=csrc.key, holder="mps"), 1),
        stored(csrc.announce(SECOND, by=csrc.key, key_id=bytes(32)), 1),
        stored(csrc.announce(SECOND, by=csrc.key, algorithm="unknown"), 1),
        stored(good, 1)._replace(topic="mps.key"),
        stored(good, 1)._replace(key=None),
        stored(good, 1)._replace(value=None),
        stored(good, 1)._replace(value=b"\0\0\0\0\1rubbish"),
        stored(good, 1)._replace(headers=()),
        stored(good, 1)._replace(
            headers=tuple(
                (n, b"2016-10-19T00:00:00Z" if n == "ce_time" else v) for n, v in good.record.headers
            )
        ),
    ]
    for lie in lies:
        after = known.apply(lie)
        assert (after.entries, after.ignored_count) == (known.entries, 1)


def test_version_names_the_next_offset_of_each_topic() -> None:
    """The version tells how far each key topic was read."""
    csrc, mps = Speaker("csrc"), Speaker("mps")
    keyring = EMPTY.extend([stored(mps.announce(), 0), stored(csrc.announce(), 4)])
    assert keyring.version == "csrc.key:5 mps.key:1"


@given(st.randoms(use_true_random=False))
def test_order_between_topics_and_repeats_do_not_matter(random: object) -> None:
    """Every worker comes to the same keyring, whatever the interleaving of topics and the repeats."""
    csrc, mps = Speaker("csrc"), Speaker("mps")
    assert csrc.key is not None
    ours = [stored(csrc.announce(), 0), stored(csrc.rotate(csrc.key, SECOND), 1), stored(mps.announce(), 2)]
    theirs = [stored(mps.announce(), 0), stored(mps.announce(SECOND, by=mps.key), 1)]
    ours[2] = ours[2]._replace(topic="csrc.key")
    queues, merged = [list(ours), list(theirs)], []
    while any(queues):
        queue = random.choice([queue for queue in queues if queue])  # type: ignore[attr-defined]  # hypothesis' Random
        merged.append(queue.pop(0))
        if random.random() < 0.3:  # type: ignore[attr-defined]  # as above
            merged.append(random.choice(merged))  # type: ignore[attr-defined]  # as above
    assert EMPTY.extend(merged).entries == EMPTY.extend(ours + theirs).entries
    assert EMPTY.extend(merged).version == EMPTY.extend(ours + theirs).version
