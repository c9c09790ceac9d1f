"""Seals at the agency's door: personal facts for the recipients, and match tokens of their numbers."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hmac import digest as hmac
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.sealed.cipher import data_key_name, event_key, open_with, seal
from casebus_schemas.sealed.place import Place
from casebus_schemas.sealed.tokens import read_token_keys, tokens_of
from casebus_schemas.wire.json_form import DoorProblem

from ..config import AgencySettings
from ..keys.keys_reader import read_keyring
from ..private_files import read_private
from .data_keys import DataKeys
from .granted_keys import grants_content

_PLACE = "/data/sealed"


class Sealer:
    """What an agency's connector needs to seal; the others' keys are read when they are first needed.

    `keyring` gives these keys, `token_keys` the members' keys of match tokens of a year, the newest first.
    """

    def __init__(
        self,
        data_keys: DataKeys,
        keyring: Callable[[], Keyring],
        token_keys: Callable[[int], Sequence[bytes]],
    ) -> None:
        self._data_keys = data_keys
        self._read_keyring = keyring
        self._token_keys = token_keys
        self._keyring: Keyring | None = None

    @classmethod
    def of(cls, settings: AgencySettings, catalog: Any) -> "Sealer":
        """That of an agency, which reads the key topics of the bus."""

        def token_keys(year: int) -> Sequence[bytes]:
            file = settings.token_keys_file
            return [] if file is None else read_token_keys(read_private(file, "keys of match tokens"), year)

        return cls(DataKeys(settings.data_keys_dir), lambda: read_keyring(settings, catalog), token_keys)

    @property
    def knows_keys(self) -> bool:
        """Whether the others' keys were read."""
        return self._keyring is not None

    def learn(self) -> None:
        """Reads the others' keys as they stand now. Raises RetryLater if the broker is away."""
        self._keyring = self._read_keyring()

    def sealed(self, content: bytes, place: Place, readers: Sequence[str]) -> bytes:
        """The bytes of `sealed`. Raises DoorProblem naming each reader who has announced no key."""
        public, without = {}, []
        now_ms = time.time_ns() // 1_000_000
        for agency in readers:
            entry = self._keys().encryption_key(agency, now_ms)
            if entry is None:
                without.append(agency)
            else:
                public[agency] = entry.public
        if without:
            raise DoorProblem(
                _PLACE,
                "a recipient has no encryption key",
                found=", ".join(without),
                expected="an announced key, so that it can be sealed for",
                remedy="let that agency give `casebus keys encryption`, or leave it out of to and cc",
            )
        return seal(content, place, self._data_keys.find_or_make(place.chain), public)

    def has_sealed(self, raw: bytes, place: Place) -> bool:
        """Whether these bytes are what this agency has sealed at this very event."""
        data_key, sealed = self._data_keys.find(place.chain), SealedBytes.parse(raw)
        if data_key is None or data_key_name(data_key) != sealed.data_key:
            return False
        return open_with(event_key(data_key, place), sealed, place) is not None

    def stands_for(self, content: bytes, place: Place) -> bytes:
        """32 bytes that stand for the content, so that a repeat is known; nobody else can make them."""
        key = self._data_keys.find_or_make(place.chain)
        return hmac(key, b"casebus/said/v1\n" + place.to_bytes() + content, "sha256")

    def grant(self, chain: str, events: Sequence[Place] | None) -> bytes | None:
        """The keys that an agency grants: of these events of its own, else (None) of its whole case.

        None where it has sealed nothing there.
        """
        data_key = self._data_keys.find(chain)
        if data_key is None or events == []:
            return None
        if events is None:
            return grants_content(data_key, {})
        return grants_content(None, {str(place.event): event_key(data_key, place) for place in events})

    def with_tokens(
        self, suspects: Sequence[Mapping[str, Any]], personal: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The suspects of an event, each with the tokens that it had and those of its sealed numbers."""
        keys = self._token_keys(datetime.now(UTC).year)
        made = {person["ref"]: tokens_of(person, keys) for person in personal["persons"]}
        return [{**one, "tokens": sorted({*one["tokens"], *made.get(one["ref"], ())})} for one in suspects]

    def _keys(self) -> Keyring:
        if self._keyring is None:
            self.learn()
        assert self._keyring is not None
        return self._keyring
