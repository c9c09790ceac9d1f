"""The key of COSE receipts is announced once, as a key that signs no event."""

from pathlib import Path
from typing import Any, Self

import pytest

from casebus_deploy.stack import keys
from casebus_producers.config import KafkaLogin
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, stored


class Said:
    """Stands for the operator's voice: notes what it says."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []

    def __call__(self, *_login: object) -> Self:
        """As its class is called."""
        return self

    def say(self, _type: str, _topic: str, facts: dict[str, Any]) -> None:
        """Note."""
        self.facts.append(facts)

    def close(self) -> None:
        """Nothing is open."""


def test_the_receipt_key_is_announced_once_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its role signs no event, and once it stands in the keyring it is not said again."""
    keys.make_secrets(tmp_path)
    file = keys.receipt_key_file(tmp_path)
    key, said = SigningKey.from_file(file), Said()
    others = {SigningKey.from_file(keys.key_file(tmp_path, one)).key_id for one in keys.SIGNERS}
    assert key.key_id not in others | {SigningKey.from_file(keys.log_key_file(tmp_path)).key_id}
    bus = Speaker("bus")
    monkeypatch.setattr(keys, "_signing_key", lambda *_: bus.key)
    monkeypatch.setattr(KafkaLogin, "read", lambda *_: None)
    monkeypatch.setattr(keys, "Voice", said)
    connection = Connection("127.0.0.1:9", 4, {}, {}, ledger_receipt_key_file=file)
    keyring = Keyring(Catalog.load()).apply(stored(bus.announce(), 0))
    assert keys.announce_receipt_key(connection, keyring) == 1
    assert said.facts == [
        {
            "holder": "bus",
            "key_id": key.key_id,
            "algorithm": "ed25519",
            "role": "log",
            "public_key": key.public,
        }
    ]
    known = keyring.apply(stored(bus.announce(key, by=bus.key, role="log"), 1))
    entry = known.find("bus", key.key_id)
    assert entry is not None
    assert entry.why_not(stored(bus.announce(), 2), None) == "a key with the role log"
    assert keys.announce_receipt_key(connection, known) == 0
    assert keys.announce_receipt_key(Connection("127.0.0.1:9", 4, {}, {}), keyring) == 0
    assert len(said.facts) == 1
