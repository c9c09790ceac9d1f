"""The keyring: which keys are believed, from when to when, and what is ignored with a reason."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.admission import keyring as keyrings
from casebus_schemas.admission.keyring import MAX_KEY_EVENTS_PER_DAY, Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.evidence.key_entry import KeyEntry, Unordered
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import SigningKey, key_id
from support.events.signed_events import Speaker, envelope, seed_of, stored

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


def test_a_key_event_behind_the_end_of_its_key_changes_nothing_whatever_its_time() -> None:
    """On one topic offsets decide: who holds a revoked key dates no key event back before its end."""
    csrc = Speaker("csrc")
    keyring = _known(csrc).apply(stored(csrc.announce(SECOND, by=csrc.key), 1, timestamp_ms=1_000))
    keyring = keyring.apply(stored(csrc.end("key.revoked", SECOND, by=csrc.key), 2, timestamp_ms=3_000))
    third = SigningKey(seed_of("third"))
    keyring = keyring.apply(stored(csrc.announce(third, by=SECOND), 3, timestamp_ms=2_000))
    assert keyring.find("csrc", third.key_id) is None
    assert keyring.ignored[-1].reason == "signed by a key revoked before"


def test_a_stolen_key_puts_in_doubt_what_stands_after_it() -> None:
    """By its epoch where epochs are known, else by Kafka's time; what lies before is not in doubt."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    since = datetime.fromtimestamp(BEFORE / 1000 + 1, UTC)
    end = csrc.end(
        "key.revoked", csrc.key, compromised_since=since, compromised_since_epoch=7, reasons="stolen"
    )
    entry = _entry(_known(csrc).apply(stored(end, 1, timestamp_ms=9_000)), "csrc", csrc.key)
    assert (entry.compromised_epoch, entry.compromised_ms) == (7, BEFORE + 1000)
    assert entry.why_not(_event_at(AFTER), 0) is None
    assert entry.doubt(_event_at(BEFORE)) is None
    assert entry.doubt(_event_at(AFTER)) == "its key is compromised since 1970-01-01T00:00:02+00:00"
    assert entry.doubt(_event_at(BEFORE), Since(7)) == "its key is compromised since epoch 7"
    assert entry.doubt(_event_at(AFTER), Since(8)) is None


class Since(Unordered):
    """A reader who knows in which epoch a record came, and nothing else."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def is_since(self, record: Record, epoch: int) -> bool | None:
        """Whether it came after an epoch."""
        return self._epoch <= epoch


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
    assert keyring.ignored[0].reason.startswith(("Ed25519 public key ", "an Ed25519 public key of 5 bytes"))


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


@settings(deadline=None)  # signatures are made within
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


DAY_MS = 86_400_000


def test_a4_repeats_cost_no_signature_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is announced again is ignored before its signature is looked at."""
    known = _known(csrc := Speaker("csrc"))
    monkeypatch.setattr(keyrings, "verify", lambda *_: pytest.fail("a signature was checked"))
    after = known.extend(stored(csrc.announce(), offset) for offset in range(1, 50))
    assert (after.entries, after.ignored_count) == (known.entries, 49)


def test_a4_key_events_of_a_day_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the day's quota an agency's key events are ignored unread; others and the next day are not."""
    csrc, mps = Speaker("csrc"), Speaker("mps")
    repeat = csrc.announce()
    flood = [stored(repeat, offset) for offset in range(MAX_KEY_EVENTS_PER_DAY + 50)]
    known = EMPTY.extend(flood)
    late, real = stored(csrc.announce(SECOND, by=csrc.key), 1_000), keyrings._read
    read: list[str] = []

    def reading(record: Record, *more: object) -> object:
        read.append(record.topic)
        return real(record, *more)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(keyrings, "_read", reading)
    after = known.extend([late, stored(mps.announce(), 0)])
    assert after.find("csrc", SECOND.key_id) is None
    assert f"more than {MAX_KEY_EVENTS_PER_DAY} key events" in after.ignored[-1].reason
    assert read == ["mps.key"]
    tomorrow = late._replace(offset=1_001, timestamp_ms=late.timestamp_ms + DAY_MS)
    assert after.apply(tomorrow).find("csrc", SECOND.key_id) is not None


def test_a4_a_flood_keeps_no_revocation_from_being_heard() -> None:
    """An agency whose quota of the day is used up can still revoke its key."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    repeat = csrc.announce()
    known = EMPTY.extend(stored(repeat, offset) for offset in range(MAX_KEY_EVENTS_PER_DAY + 50))
    after = known.apply(stored(csrc.end("key.revoked", csrc.key), 1_000))
    assert _entry(after, "csrc", csrc.key).ended == "revoked"


def test_a4_producers_own_times_open_no_other_day() -> None:
    """Time stamps that a producer gives do not bring it a new quota."""
    csrc = Speaker("csrc")
    repeat = stored(csrc.announce())._replace(timestamp_type=0)
    flood = [repeat._replace(offset=n, timestamp_ms=n * DAY_MS) for n in range(MAX_KEY_EVENTS_PER_DAY + 1)]
    assert "in a day" in EMPTY.extend(flood).ignored[-1].reason


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reasons": "号99000019900101001" + "7"}, "personal-data"),
        ({"reasons": "x" * 4_001}, "too-large"),
        ({"envelope": envelope(to=[], handling="S")}, "level-s"),
        ({"sealed": b"bytes"}, "bad-body"),
    ],
)
def test_b7_key_events_are_judged(changes: dict[str, object], code: str) -> None:
    """What no event may hold is ignored on key topics, which everybody reads, with the place of the fault."""
    csrc = Speaker("csrc")
    assert csrc.key is not None
    known = EMPTY.extend([stored(csrc.announce(), 0), stored(csrc.announce(SECOND, by=csrc.key), 1)])
    data = {"envelope": envelope(to=[]), "holder": "csrc", "key_id": SECOND.key_id, "reasons": "test"}
    after = known.apply(stored(csrc.say("key.retired", {**data, **changes}, key=csrc.key), 2))
    assert _entry(after, "csrc", SECOND).ended is None
    assert after.ignored[-1].reason.startswith(f"{code}, /data/")


def test_a10_a_key_event_at_which_our_code_fails_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails for one key event, it alone is set aside with its reason, and the next one is read."""
    csrc, mps, real = Speaker("csrc"), Speaker("mps"), keyrings._read

    def failing(record: Record, *more: object) -> object:
        if record.topic == "csrc.key":
            raise ZeroDivisionError
        return real(record, *more)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(keyrings, "_read", failing)
    after = EMPTY.extend([stored(csrc.announce()), stored(mps.announce())])
    assert [one.reason for one in after.ignored] == ["set aside: ZeroDivisionError"]
    assert mps.key is not None
    assert after.find("mps", mps.key.key_id) is not None
