"""Sealed content as an agency's own programs read it: opened, for others, granted, destroyed, damaged."""

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from casebus_producers.sealing.decryption_keys import read_decryption_keys
from casebus_producers.sealing.opener import Opened, Opener
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from support.cases.members import settings_of
from support.events.mutated_events import CHAIN
from support.scenes.sealed_bus import CATALOG, NAME, SealedBus


@pytest.fixture
def bus(tmp_path: Path) -> Any:
    """A bus of files alone."""
    found = SealedBus(tmp_path)
    yield found
    found.outbox.close()


def _name(opened: Opened) -> str | None:
    return None if opened.personal is None else str(opened.personal["persons"][0]["name"])


def test_recipients_and_speaker_open_it_and_others_see_for_whom_it_is(bus: SealedBus) -> None:
    """Who was told reads the name; the court sees that something is sealed for mps and spp."""
    said = bus.refer()
    assert [_name(bus.opened(agency, said)) for agency in ("csrc", "mps", "spp")] == [NAME] * 3
    court = bus.opened("court", said)
    assert court.to_json() == {"state": "for_others", "for": ["mps", "spp"]}
    assert NAME not in repr(bus.opened("mps", said))


def test_an_exchanged_key_still_reads_what_was_sealed_for_it(bus: SealedBus) -> None:
    """The older keys of the file open what is older; without them it says that a key is missing."""
    said = bus.refer()
    file = settings_of(bus.connection, "mps").encryption_key_file
    assert file is not None
    old, new = file.read_text(), sha256(b"new").hexdigest()
    file.write_text(f"{new}\n{old}")
    assert [key.key_id for key in read_decryption_keys(file)][1] == DecryptionKey(bytes.fromhex(old)).key_id
    assert _name(bus.opened("mps", said)) == NAME
    file.write_text(new)
    assert bus.opened("mps", said).to_json() == {"state": "no_key", "for": ["mps", "spp"]}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_an_encryption_key_file_that_others_may_read_is_refused(bus: SealedBus, mode: int) -> None:
    """A file wider than 0600 is not used; the error says what to do."""
    said = bus.refer()
    file = settings_of(bus.connection, "mps").encryption_key_file
    assert file is not None
    file.chmod(mode)
    with pytest.raises(UsageError, match="expected mode 0600; chmod 600 it"):
        bus.opened("mps", said)


def test_a_grant_of_one_event_opens_that_event_alone(bus: SealedBus) -> None:
    """The court reads the event that was granted to it, and no other of the case; spp gets no key by it."""
    one, other = bus.refer(1), bus.refer(2)
    assert bus.opened("court", one).state == "for_others"
    granted = bus.grant(one.digest)
    assert bus.opened("spp", granted).to_json() == {"state": "for_others", "for": ["court"]}
    assert bus.opened("court", granted).to_json() == {"state": "granted", "for": ["court"]}
    assert _name(bus.opened("court", one)) == NAME
    assert bus.opened("court", other).state == "for_others"


def test_a_grant_of_the_case_opens_all_of_it_and_what_comes(bus: SealedBus) -> None:
    """With the data key of the case the court reads every sealed event of that speaker there."""
    said = bus.refer(1)
    assert bus.opened("court", bus.grant()).state == "granted"
    assert [_name(bus.opened("court", one)) for one in (said, bus.refer(2))] == [NAME, NAME]


def test_a_grant_where_nothing_was_sealed_seals_nothing(bus: SealedBus) -> None:
    """An `access.granted` of a case without personal data stays as it is."""
    queued = bus.grant()
    (row,) = bus.outbox.pending(0, 100, 1 << 30)
    assert row.position == queued.position
    assert decode(CATALOG, row.record.value)[1]["sealed"] is None


def test_a_destroyed_data_key_opens_and_grants_no_more(bus: SealedBus) -> None:
    """The speaker cannot read its own words any more, nor grant them; who was told still can."""
    said = bus.refer()
    bus.data_keys.destroy(CHAIN, date(2026, 11, 29))
    assert bus.opened("csrc", said).to_json() == {"state": "no_key", "for": ["mps", "spp"]}
    assert _name(bus.opened("mps", said)) == NAME
    queued = bus.grant()
    row = next(row for row in bus.outbox.pending(0, 100, 1 << 30) if row.position == queued.position)
    assert decode(CATALOG, row.record.value)[1]["sealed"] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)),
        lambda raw: b"in clear",
        lambda raw: SealedBytes.parse(raw).to_bytes()[:-40] + bytes(40),
    ],
)
def test_what_does_not_open_is_said_to_be_damaged(bus: SealedBus, change: Callable[[bytes], bytes]) -> None:
    """Changed bytes are shown as what they are, and nothing of them is believed."""
    queued = bus.refer()
    row = next(row for row in bus.outbox.pending(0, 100, 1 << 30) if row.position == queued.position)
    data = decode(CATALOG, row.record.value)[1]
    opener = Opener(settings_of(bus.connection, "mps"), CATALOG)
    found = opener.of_event(
        EventHeaders.parse(row.record.headers), {**data, "sealed": change(data["sealed"])}
    )
    assert found is not None
    assert (found.state, found.personal) == ("damaged", None)
