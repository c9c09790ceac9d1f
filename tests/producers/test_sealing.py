"""Personal data at the door: sealed for who may read it, never queued in clear, the same on a retry."""

import copy
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_producers.checking.check import check
from casebus_producers.connector import Connector
from casebus_producers.outbox.outbox_events import Acknowledged
from casebus_producers.sealing.data_keys import DataKeys
from casebus_producers.sealing.sealer import Sealer
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.sealed.cipher import DecryptionKey, data_key_name, event_key, open_with, seal
from casebus_schemas.sealed.personal import personal_of
from casebus_schemas.sealed.place import Place
from casebus_schemas.sealed.tokens import token
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.door import DoorProblem
from casebus_services.router.judgement import judge
from support.cases.members import door_event, encryption_seed, open_outbox, signing_key
from support.events.doors import NOW_MS
from support.events.mutated_events import CHAIN
from support.events.signed_events import AT, Speaker, keyring_of, stored

CATALOG = Catalog.load()
NUMBER = "11010519491231002X"
NAME = "姜某某甲乙丙"
TOKEN_KEY = sha256(b"2026").digest()
PERSONAL: dict[str, Any] = {
    "persons": [{"ref": "S1", "name": NAME, "documents": [{"kind": "resident_id", "number": NUMBER}]}]
}
SUSPECT: dict[str, Any] = {"ref": "S1", "kind": "natural", "name": "姜某", "role": None, "tokens": []}


def _event(**changes: Any) -> dict[str, Any]:
    data = {"sealed": copy.deepcopy(PERSONAL), "suspects": [SUSPECT], **changes.pop("data", {})}
    return door_event(subject=CHAIN, data=data, **changes)


def _keyring(*agencies: str) -> Keyring:
    """The signing key of csrc that its outbox has, and encryption keys of these agencies."""
    csrc = Speaker("csrc", key=signing_key())
    others = [csrc, *map(Speaker, (a for a in agencies if a != "csrc"))]
    said = [
        speaker.announce_encryption(DecryptionKey(encryption_seed(speaker.agency)).public)
        for speaker in others
    ]
    return keyring_of(*others).extend(stored(one, 1) for one in said)


@pytest.fixture
def agency(tmp_path: Path) -> Iterator["_Agency"]:
    """csrc with an empty outbox, in a bus where mps and spp have encryption keys."""
    found = _Agency(tmp_path, _keyring("mps", "spp"))
    yield found
    found.outbox.close()


class _Agency:
    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self.outbox = open_outbox(folder)
        self.data_keys = DataKeys(folder / "data-keys")
        self.keyring = keyring
        self.sealer = Sealer(self.data_keys, lambda: self.keyring, lambda year: [TOKEN_KEY])
        self.connector = Connector(self.outbox, CATALOG, lambda: b"s" * 32, self.sealer)

    def said(self, position: int) -> tuple[dict[str, Any], Any]:
        (row,) = [row for row in self.outbox.pending(0, 100, 1 << 30) if row.position == position]
        return decode(CATALOG, row.record.value)[1], row.record


PLACE = Place(
    "csrc.referral", CHAIN, UUID("0190163d-8694-739b-aea5-966c26f8ad91"), "referral.submitted", "csrc"
)


def test_personal_data_are_sealed_for_the_recipients(agency: _Agency) -> None:
    """Who is told and may read opens what was said; the outbox holds neither name nor number."""
    queued = agency.connector.submit(_event())
    data, record = agency.said(queued.position)
    sealed = SealedBytes.parse(data["sealed"])
    assert sealed.agencies == ("mps", "spp")
    for reader in sealed.readers:
        key = DecryptionKey(encryption_seed(reader.agency)).unwrap(reader, PLACE)
        assert key is not None
        content = open_with(key, sealed, PLACE)
        assert content is not None
        assert personal_of(content)["persons"][0]["name"] == NAME
    own = agency.data_keys.find(CHAIN)
    assert own is not None
    assert open_with(event_key(own, PLACE), sealed, PLACE) is not None
    held = agency.outbox.file.read_bytes() + agency.outbox.file.with_name("outbox.db-wal").read_bytes()
    assert NAME.encode() not in held
    assert NUMBER.encode() not in held
    assert record.value in held
    assert (agency.outbox.file.parent / "data-keys" / CHAIN).stat().st_mode & 0o777 == 0o600


def test_the_router_admits_it_without_a_key(agency: _Agency) -> None:
    """What the connector has sealed is admitted; the keyring holds public keys alone."""
    _, record = agency.said(agency.connector.submit(_event()).position)
    found = judge(stored(record), CATALOG, agency.keyring, 4, NOW_MS)
    assert (found.verdict, found.code) == ("admitted", None)
    assert [one.agency for one in found.recipients] == ["mps", "spp"]


def test_numbers_are_turned_into_tokens(agency: _Agency) -> None:
    """The suspect keeps its tokens and gets those of its sealed numbers, under the members' key."""
    given = sha256(b"a token of before").digest()
    suspects = [{**SUSPECT, "tokens": [given.hex()]}, {**SUSPECT, "ref": "S2", "tokens": []}]
    data, _ = agency.said(agency.connector.submit(_event(data={"suspects": suspects})).position)
    assert data["suspects"][0]["tokens"] == sorted([given, token(TOKEN_KEY, "resident_id", NUMBER)])
    assert data["suspects"][1]["tokens"] == []


def test_a_retry_is_a_repeat_and_other_facts_are_not(agency: _Agency) -> None:
    """The same facts are not said twice, however they are sealed; others under the id are refused."""
    first, again = agency.connector.submit(_event()), agency.connector.submit(_event())
    assert (again.repeated, again.digest) == (True, first.digest)
    other = _event()
    other["data"]["sealed"]["persons"][0]["name"] = "另一人"
    with pytest.raises(DoorProblem, match="was used for something else"):
        agency.connector.submit(other)


def test_one_data_key_a_case(agency: _Agency) -> None:
    """Two events of a case share the data key and no event's key; another case has another one."""
    first = agency.connector.submit(_event())
    second = agency.connector.submit(_event(id="0190163d-8694-739b-aea5-966c26f8ad92"))
    other = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c45"
    third = agency.connector.submit({**_event(id="0190163d-8694-739b-aea5-966c26f8ad93"), "subject": other})
    names = [
        SealedBytes.parse(agency.said(one.position)[0]["sealed"]).data_key for one in (first, second, third)
    ]
    assert names[0] == names[1] != names[2]
    own = agency.data_keys.find(CHAIN)
    assert own is not None
    assert event_key(own, PLACE) != event_key(own, PLACE._replace(event=second.id))


def test_a_recipient_without_a_key_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Nothing is queued, and the error names the agency and the command."""
    lonely = _Agency(tmp_path, _keyring("mps"))
    with pytest.raises(DoorProblem) as refused:
        lonely.connector.submit(_event())
    assert refused.value.pointer == "/data/sealed"
    assert "found spp" in refused.value.detail
    assert "`casebus keys encryption`" in refused.value.detail
    assert lonely.outbox.status().pending == 0
    lonely.outbox.close()


def test_personal_data_for_nobody_are_refused_by_check_and_door(agency: _Agency) -> None:
    """An event that only its speaker hears of holds no personal data."""
    event = {
        **_event(envelope={"to": ["csrc"], "cc": []}),
        "type": "access.logged",
        "data": {**_event(envelope={"to": ["csrc"], "cc": []})["data"], "accesses": []},
    }
    del event["data"]["suspects"]
    (refused,) = check([event], AT, CATALOG).refused
    assert (refused["code"], refused["pointer"]) == ("bad-body", "/data/sealed")
    with pytest.raises(DoorProblem, match="for nobody who may read them"):
        agency.connector.submit(event)


def test_check_takes_identity_numbers_inside_the_sealed_facts_only(agency: _Agency) -> None:
    """A resident number is fine in the facts to be sealed, and refused anywhere else, by check and door."""
    assert check([_event()], AT, CATALOG).refused == []
    event = _event(data={"suspects": [{**SUSPECT, "role": f"身份证号 {NUMBER}"}]})
    (refused,) = check([event], AT, CATALOG).refused
    assert (refused["code"], refused["pointer"]) == ("personal-data", "/data/suspects/0/role")
    with pytest.raises(DoorProblem, match="in clear"):
        agency.connector.submit(event)


def test_check_names_the_faults_of_sealed_facts_and_repeats_none(agency: _Agency) -> None:
    """A wrong number and a stranger are named by their place; the answer holds neither number nor name."""
    event = _event()
    event["data"]["sealed"]["persons"] = [
        {"ref": "S7", "name": NAME, "documents": [{"kind": "resident_id", "number": NUMBER[:-1] + "1"}]}
    ]
    answer = check([event], AT, CATALOG).to_json()
    assert [one["pointer"] for one in answer["refused"]] == [
        "/data/sealed/persons/0/ref",
        "/data/sealed/persons/0/documents/0/number",
    ]
    assert NAME not in str(answer)
    assert NUMBER[:-1] not in str(answer)


def test_without_a_sealer_nothing_goes_out_in_clear(tmp_path: Path) -> None:
    """A program that cannot seal refuses personal data; it does not leave them out."""
    outbox = open_outbox(tmp_path)
    with pytest.raises(DoorProblem, match="cannot seal personal data"):
        Connector(outbox, CATALOG, lambda: b"s" * 32).submit(_event())
    assert outbox.status().pending == 0
    outbox.close()


def test_a_destroyed_data_key_seals_nothing_more(agency: _Agency) -> None:
    """After its destruction the key is gone, and no new one is made unless somebody decides it."""
    agency.connector.submit(_event())
    key = agency.data_keys.find(CHAIN)
    assert key is not None
    file = agency.outbox.file.parent / "data-keys" / CHAIN
    done = agency.data_keys.destroy(CHAIN, date(2026, 11, 29))
    assert done == (data_key_name(key), date(2026, 11, 29))
    assert agency.data_keys.destroy(CHAIN, date(2026, 11, 30)) == done
    assert agency.data_keys.find(CHAIN) is None
    assert key.hex() not in file.read_text()
    with pytest.raises(DoorProblem, match="was destroyed"):
        agency.connector.submit(_event(id="0190163d-8694-739b-aea5-966c26f8ad92"))


def test_a_data_key_that_others_may_read_is_refused(agency: _Agency) -> None:
    """A file wider than 0600 is not used, and the error says what to do."""
    agency.connector.submit(_event())
    (agency.outbox.file.parent / "data-keys" / CHAIN).chmod(0o640)
    with pytest.raises(DoorProblem, match="mode 0640, expected mode 0600"):
        agency.connector.submit(_event(id="0190163d-8694-739b-aea5-966c26f8ad92"))


def test_what_was_refused_is_sealed_and_signed_anew(agency: _Agency) -> None:
    """After a refusal, as for a key that its reader has not, the same facts go out with what is signed."""
    first = agency.connector.submit(_event())
    before, _ = agency.said(first.position)
    agency.outbox.mark_sent([Acknowledged(first.position, 0, 1)])
    with agency.outbox.transaction() as connection:
        connection.execute(
            "INSERT INTO receipt (seq, stage, digest, value, headers) VALUES (1, 'refused', ?, x'00', '')",
            (first.digest,),
        )
    agency.connector.submit(_event())
    after, record = agency.said(first.position)
    assert after["sealed"] != before["sealed"]
    assert after == {**before, "sealed": after["sealed"]}
    found = judge(stored(record), CATALOG, agency.keyring, 4, NOW_MS)
    assert (found.verdict, found.code) == ("admitted", None)


def test_sealed_bytes_of_another_event_are_not_taken_over(agency: _Agency) -> None:
    """Bytes come in at the event for which they were sealed; moved to another one nobody could open them."""
    first = agency.connector.submit(_event())
    sealed = b64encode(agency.said(first.position)[0]["sealed"]).decode()
    with pytest.raises(DoorProblem, match="not sealed for this event") as refused:
        agency.connector.submit(_event(id="0190163d-8694-739b-aea5-966c26f8ad92", data={"sealed": sealed}))
    assert refused.value.pointer == "/data/sealed"
    foreign = b64encode(seal(b"{}", PLACE, bytes(32), {"mps": bytes(31) + b"\1"})).decode()
    with pytest.raises(DoorProblem, match="not sealed for this event"):
        agency.connector.submit(_event(data={"sealed": foreign}))
