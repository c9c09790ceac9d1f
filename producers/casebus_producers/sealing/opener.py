"""Opens what was sealed, by the agency's own encryption keys and data keys, and by what it was granted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from casebus_schemas.agencies import agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.sealed.place import Place
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.wire.headers import EventHeaders

from ..config import AgencySettings
from .data_keys import DataKeys
from .granted_keys import GRANTED, GrantedKeys

if TYPE_CHECKING:
    from casebus_schemas.sealed.cipher import DecryptionKey

State = Literal["opened", "granted", "for_others", "no_key", "damaged"]
_WORDS = {
    "opened": Sentence("仅供有权者阅", "for its readers only"),
    "granted": Sentence("已收到查阅密钥", "keys were granted"),
    "for_others": Sentence("非本机关可阅", "for others"),
    "no_key": Sentence("本机关没有相应密钥", "this agency has no key for it any more"),
    "damaged": Sentence("无法解密", "it does not open"),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of sealed content: whether it opened, for whom it is, and the personal facts in it."""

    state: State
    readers: tuple[str, ...] = ()
    personal: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def words(self) -> Sentence:
        """The state in words."""
        return _WORDS[self.state]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object; `personal` only where it opened."""
        told: dict[str, Any] = {"state": self.state, "for": list(self.readers)}
        return told if self.personal is None else {**told, "personal": self.personal}


def readers_of(raw: bytes) -> Opened:
    """For whom something is sealed, as anybody sees it."""
    try:
        return Opened("for_others", SealedBytes.parse(raw).agencies)
    except UsageError:
        return Opened("damaged")


class Opener:
    """Opens for one agency. The encryption keys are read when something is first for it."""

    def __init__(self, settings: AgencySettings, catalog: Catalog) -> None:
        self._agency = settings.agency
        self._file = settings.encryption_key_file
        self._catalog = catalog
        self._data_keys = DataKeys(settings.data_keys_dir)
        self._granted = GrantedKeys(settings.granted_keys_dir)
        self._keys: Sequence[DecryptionKey] | None = None

    def of_event(self, headers: EventHeaders, data: dict[str, Any]) -> Opened | None:
        """What the sealed field of an event holds; None where it is empty."""
        raw = data.get("sealed")
        kind = self._catalog.types.get(headers.type)
        if raw is None or kind is None:
            return None
        speaker = agency_of_source(headers.source)
        place = Place(kind.topic(speaker), headers.subject, headers.id, headers.type, speaker)
        return self.open(raw, place)

    def open(self, raw: bytes, place: Place) -> Opened:
        """Opens bytes at their event. Raises UsageError where the agency's own key files cannot be used."""
        try:
            sealed = SealedBytes.parse(raw)
        except UsageError:
            return Opened("damaged")
        if not (keys := list(self._event_keys(sealed, place))):
            ours = self._agency in (*sealed.agencies, place.speaker)
            return Opened("no_key" if ours else "for_others", sealed.agencies)
        from casebus_schemas.sealed.cipher import open_with
        from casebus_schemas.sealed.personal import personal_of

        content = next((one for key in keys if (one := open_with(key, sealed, place)) is not None), None)
        try:
            if content is None:
                return Opened("damaged", sealed.agencies)
            if place.type == GRANTED:
                self._granted.keep(content, place)
                return Opened("granted", sealed.agencies)
            return Opened("opened", sealed.agencies, personal_of(content))
        except UsageError:
            return Opened("damaged", sealed.agencies)

    def _event_keys(self, sealed: SealedBytes, place: Place) -> Sequence[bytes]:
        """The keys of ours that may open it."""
        from casebus_schemas.sealed.cipher import data_key_name, event_key

        found = [
            key
            for reader in sealed.readers
            if reader.agency == self._agency
            for own in self._own()
            if own.key_id == reader.key_id and (key := own.unwrap(reader, place)) is not None
        ]
        own = self._data_keys.find(place.chain) if place.speaker == self._agency else None
        for data_key in (own, self._granted.of_case(place.chain, place.speaker)):
            if data_key is not None and data_key_name(data_key) == sealed.data_key:
                found.append(event_key(data_key, place))
        granted = self._granted.of_event(place)
        return found if granted is None else [*found, granted]

    def _own(self) -> Sequence["DecryptionKey"]:
        if self._keys is None:
            from .decryption_keys import read_decryption_keys

            self._keys = read_decryption_keys(self._file)
        return self._keys
