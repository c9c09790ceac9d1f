"""The genesis of a bus: made of the keys with which it begins, named by its first key, and examined."""

from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.stack import founding, keys
from casebus_deploy.stack.founding import found_bus, genesis_examined, genesis_file, genesis_of
from casebus_producers.config import KafkaLogin
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection, Principal
from casebus_schemas.enrolment.request import Request, make_request
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.genesis import read_genesis
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of, stored

ORIGIN = "casebus.example/ledger"


class Said:
    """Stands for the operator's voice: notes what it says."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []

    def __call__(self, *_login: object) -> "Said":
        """As its class is called."""
        return self

    def say(self, _type: str, _topic: str, facts: dict[str, Any]) -> None:
        """Note."""
        self.facts.append(facts)

    def close(self) -> None:
        """Nothing is open."""


def request(agency: str, ledger: str = ORIGIN) -> Request:
    """A request to join."""
    signing, encryption = SigningKey(seed_of(agency)), DecryptionKey(bytes(31) + agency.encode()[:1])
    return make_request(
        agency, ledger, "office", signing, encryption, now_ms=1_790_000_000_000, randomness=bytes(30)
    )


def test_members_found_a_bus_before_it_starts(tmp_path: Path) -> None:
    """The file pins the bus's keys and those of the requests; the first start takes it as it is, once."""
    made = found_bus(tmp_path, ORIGIN, [request("csrc"), request("mps")])
    assert read_genesis(genesis_file(tmp_path)) == made
    assert {key.holder for key in made.keys} == {"bus", "csrc", "mps"}
    assert made.pins("csrc", SigningKey(seed_of("csrc")).key_id)
    assert genesis_of(tmp_path, ORIGIN, (), {}) == made
    with pytest.raises(UsageError, match="one genesis"):
        found_bus(tmp_path, ORIGIN, [])
    with pytest.raises(UsageError, match="is not of this bus"):
        genesis_of(tmp_path, "casebus.example/other", (), {})
    keys.key_file(tmp_path / "secrets", keys.BUS_SIGNERS[0]).write_text(bytes(32).hex())
    with pytest.raises(UsageError, match="no keys of operator"):
        genesis_of(tmp_path, ORIGIN, (), {})


def test_requests_that_do_not_fit_found_nothing(tmp_path: Path) -> None:
    """A request for another bus, or two of one agency."""
    for wrong in ([request("csrc", "casebus.example/other")], [request("csrc"), request("csrc")]):
        with pytest.raises(UsageError, match="does not fit"):
            found_bus(tmp_path, ORIGIN, wrong)
    assert not genesis_file(tmp_path).exists()


def test_the_first_key_of_the_bus_names_the_genesis_and_no_other_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bus that has begun is not asked again."""
    keys.make_secrets(tmp_path / "secrets")
    named = {
        name: Principal(name, tmp_path, signing_key_file=keys.key_file(tmp_path / "secrets", name))
        for name in keys.SIGNERS
    }
    connection, said = Connection("127.0.0.1:9", 4, named, {}), Said()
    monkeypatch.setattr(KafkaLogin, "read", lambda *_: None)
    monkeypatch.setattr(keys, "Voice", said)
    ring = Keyring(Catalog.load())
    monkeypatch.setattr(keys, "read_keyring", lambda _connection: ring)
    members = tuple(name for name in keys.SIGNERS if name not in keys.BUS_SIGNERS)
    made = genesis_of(tmp_path, ORIGIN, members, {})
    keys.announce(connection, lambda: made)
    (first, *others) = [facts for facts in said.facts if facts["holder"] == "bus"]
    operator = SigningKey.from_file(keys.key_file(tmp_path / "secrets", "operator"))
    assert (first["genesis"], first["key_id"]) == (made.digest, operator.key_id)
    rest = [*others, *(facts for facts in said.facts if facts["holder"] != "bus")]
    assert {facts["genesis"] for facts in rest} == {None}
    ring = ring.apply(stored(Speaker("bus", key=operator).announce()))
    keys.announce(connection, lambda: pytest.fail("it has begun"))


def test_the_doctor_holds_the_keys_against_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus's own file is fine; a member's other copy is BAD, a missing one said."""
    made = found_bus(tmp_path, ORIGIN, [])
    operator = SigningKey.from_file(keys.key_file(tmp_path / "secrets", "operator"))
    said = [stored(Speaker("bus", key=operator).announce(genesis=made.digest))]
    monkeypatch.setattr(KafkaLogin, "read", lambda *_: None)
    monkeypatch.setattr(founding, "read_keyring", lambda *_: Keyring(Catalog.load()).extend(said))
    nobody = {"operator": Principal("operator", tmp_path)}
    connection = Connection("127.0.0.1:9", 4, nobody, {}, genesis_file=genesis_file(tmp_path))
    assert [one.state for one in genesis_examined(connection, None)] == ["ok"]
    (tmp_path / "copy").write_bytes(found_bus(tmp_path / "other", ORIGIN, []).to_bytes())
    bad, another = genesis_examined(connection, tmp_path / "copy")
    assert (bad.state, another.state) == ("bad", "bad")
    assert bad.found.startswith(f"bus.key begins with the genesis {made.digest.hex()}, expected")
    (unreadable,) = genesis_examined(connection, tmp_path / "nowhere")
    assert unreadable.state == "bad"
    (none,) = genesis_examined(Connection("127.0.0.1:9", 4, nobody, {}), None)
    assert none.state == "warn"
