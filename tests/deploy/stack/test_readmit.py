"""The operator readmits an agency without a valid key, and nobody else."""

from typing import Any, Self

import pytest

from casebus_deploy.stack import keys
from casebus_producers.config import KafkaLogin
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import Speaker, seed_of, stored

NEW = SigningKey(seed_of("csrc, readmitted"))
NOBODY = Connection("127.0.0.1:9", 4, {}, {})


class Said:
    """Stands for the operator's voice: notes what it says."""

    def __init__(self, *_login: object) -> None:
        self.said: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, *_login: object) -> Self:
        """As its class is called."""
        return self

    def say(self, type: str, topic: str, facts: dict[str, Any]) -> int:
        """Note."""
        self.said.append((type, topic, facts))
        return 7

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Said:
    """The operator's voice; csrc's only key is revoked, that of mps is valid."""
    csrc, mps, said = Speaker("csrc"), Speaker("mps"), Said()
    assert csrc.key is not None
    events = [
        stored(csrc.announce(), 0),
        stored(csrc.end("key.revoked", csrc.key), 1),
        stored(mps.announce()),
    ]
    known = Keyring(Catalog.load()).extend(events)
    monkeypatch.setattr(keys, "read_keyring", lambda _connection: known)
    monkeypatch.setattr(keys, "_signing_key", lambda *_: NEW)
    monkeypatch.setattr(KafkaLogin, "read", lambda *_: None)
    monkeypatch.setattr(keys, "Voice", said)
    return said


def test_e3_the_operator_announces_a_key_for_an_agency_without_one(voice: Said) -> None:
    """The event stands on the bus's key topic and names the agency as the holder."""
    assert keys.readmit(NOBODY, "csrc", NEW.public.hex()) == (NEW.key_id, 7)
    ((type, topic, facts),) = voice.said
    assert (type, topic) == ("key.announced", "bus.key")
    assert (facts["holder"], facts["public_key"]) == ("csrc", NEW.public)


@pytest.mark.parametrize(
    ("agency", "public", "why"),
    [
        ("mps", NEW.public.hex(), "a valid key of its own"),
        ("csrc", SigningKey(seed_of("csrc")).public.hex(), "announced before"),
        ("nobody", NEW.public.hex(), "whose key"),
        ("csrc", "abc", "not a public key"),
        ("csrc", NEW.public.hex()[2:], "of 31 bytes, expected 32"),
        ("csrc", "01" + "00" * 31, "no canonical point"),
    ],
)
def test_e3_others_are_not_readmitted(voice: Said, agency: str, public: str, why: str) -> None:
    """Who has a valid key, an old key, no member or no key is refused, and nothing is said."""
    with pytest.raises(UsageError, match=why):
        keys.readmit(NOBODY, agency, public)
    assert voice.said == []
