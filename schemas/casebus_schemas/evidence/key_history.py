"""Which key spoke for whom, read again from the key topics of a bundle: no package but those for signatures.

As `admission.keyring`, but for the quotas of a day and the fitness of a body, which need the catalogue: a key
event that the bus ignored for these has its effect here, on the keys of the agency that signed it alone. What
such a key signed the bus has not admitted, and its verdict stands in the bundle.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from casebus_schemas.errors import BusError
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import event_message, key_id, parse_block, verify

from .algorithms import registered
from .avro_values import NotInBundle, Schemas
from .key_entry import Ending, KeyEntry, Standing

BUS = "bus"
_ENDINGS: dict[str, Ending] = {
    "key.rotated": "replaced",
    "key.retired": "retired",
    "key.revoked": "revoked",
}
_KEPT_UNKNOWN = 20


class KeyHistory:
    """All keys that a run of key events gives, those of one topic in offset order."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.keys: dict[tuple[str, bytes], KeyEntry] = {}
        self.ignored: list[str] = []
        """Key events without effect when they were read first, and why."""
        self.unread: list[str] = []
        """Places of key events, rightly signed, whose schema is not there: they may end a key."""
        self._unknown: dict[str, list[Record]] = {}

    def read(self, records: Iterable[Record]) -> "KeyHistory":
        """Takes in key events; gives itself."""
        # The members' first: what the operator announces for one, on the bus's topic, has those read again.
        for record in sorted(records, key=_members_first):
            self._try(record)
        return self

    def _try(self, record: Record) -> None:
        try:
            self._apply(record)
        except _UnknownSigner as error:
            waiting = self._unknown.setdefault(record.topic.partition(".")[0], [])
            self._unknown[record.topic.partition(".")[0]] = [*waiting, record][-_KEPT_UNKNOWN:]
            self._ignore(record, error)
        except (BusError, ValueError, LookupError, TypeError) as error:
            self._ignore(record, error)

    def _ignore(self, record: Record, error: Exception) -> None:
        self.ignored.append(f"{record.topic}/{record.partition}/{record.offset}: {error}")

    def find(self, agency: str, identifier: bytes) -> KeyEntry | None:
        """The agency's key of this id, whatever its state."""
        return self.keys.get((agency, identifier))

    def _apply(self, record: Record) -> None:
        agency = record.topic.partition(".")[0]
        headers = EventHeaders.parse(record.headers)
        if headers.source.split("/")[1] != agency or record.key != headers.subject.encode():
            raise ValueError(f"{headers.source} on the topic of {agency}, or another key than its subject")
        block = parse_block(headers.sig)
        signer = self.keys.get((agency, block.key_id))
        message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
        try:
            type, data = self._schemas.decode(record)
        except NotInBundle:
            speaks = signer is not None and not signer.why_not(record, record.timestamp_ms)
            if signer is not None and speaks and verify(block, message, signer.public):
                self.unread.append(f"{record.topic}/{record.partition}/{record.offset}")
            raise
        readmits = agency == BUS and type == "key.announced"
        if data["holder"] != agency and not readmits:
            raise ValueError(f"{agency} speaks of a key of {data['holder']}")
        own = any(known == agency and not key.readmitted for (known, _), key in self.keys.items())
        if signer is not None or own:
            if signer is None:
                raise _UnknownSigner(f"signed by {block.key_id.hex()[:16]}…, which is no key of {agency}")
            if reason := signer.why_not(record, record.timestamp_ms):
                raise ValueError(f"signed by {reason}")
        elif type != "key.announced" or data["key_id"] != block.key_id:
            raise ValueError("the first event of a key topic must announce the key that signs it")
        else:
            signer = self._announced(agency, data)
        if not verify(block, message, signer.public):
            raise ValueError("the signature does not fit the event")
        self._effect(record, agency, type, data)

    def _try_again(self, record: Record) -> None:
        with suppress(BusError, ValueError, LookupError, TypeError):  # it was told when it was read first
            self._apply(record)

    def _effect(self, record: Record, agency: str, type: str, data: dict[str, Any]) -> None:
        if type == "key.announced":
            announced = self._announced(data["holder"], data)
            self._keep(replace(announced, readmitted=data["holder"] != agency))
            if announced.agency != agency:
                for waiting in self._unknown.pop(announced.agency, ()):
                    self._try_again(waiting)
            return
        named = self.keys[agency, data["replaces" if type == "key.rotated" else "key_id"]]
        ends = _ENDINGS[type]
        if named.ended == "revoked" or (named.ended and ends != "revoked"):
            raise ValueError(f"the key was {named.ended} before")
        if type == "key.rotated":
            self._keep(self._announced(agency, data))
        end = named.end or Standing(record.topic, record.offset, record.timestamp_ms)
        ended = replace(named, end=end, ended=ends)
        if type == "key.revoked":
            ended = replace(
                ended,
                compromised_epoch=data.get("compromised_since_epoch"),
                compromised_ms=data["compromised_since"],
            )
        self._keep(ended)

    def _announced(self, agency: str, data: dict[str, Any]) -> KeyEntry:
        public: bytes = data["public_key"]
        if data["key_id"] != key_id(public, registered(data["role"], data["algorithm"], public)):
            raise ValueError("the key id is not that of the key")
        if (agency, data["key_id"]) in self.keys:
            raise ValueError("a key is announced once only")
        term = data["not_before"], data["not_after"]
        return KeyEntry(agency, data["key_id"], public, data["role"], *term, genesis=data.get("genesis"))

    def _keep(self, key: KeyEntry) -> None:
        self.keys[key.agency, key.key_id] = key


def _members_first(record: Record) -> tuple[bool, str, int]:
    return record.topic.startswith(f"{BUS}."), record.topic, record.offset


class _UnknownSigner(ValueError):
    """A key event under a key that the agency is not known to have: a readmission may make it one."""
