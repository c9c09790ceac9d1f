"""The keyring: which key speaks for which agency, folded from the topics of key life in offset order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from casebus_schemas.agencies import BUS, MEMBERS, agency_of_source, agency_of_topic
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, RefusalCode, Refused
from casebus_schemas.evidence.algorithms import registered
from casebus_schemas.evidence.key_entry import Ending, KeyEntry, Standing
from casebus_schemas.texts.harmless import harmless
from casebus_schemas.times import to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import event_message, key_id, parse_block, verify

from .may_say import unfit

MAX_KEYS_PER_AGENCY = 1000
"""Beyond this, announcements are ignored: one agency must not be able to fill the memory of every worker."""
MAX_KEY_EVENTS_PER_DAY = 200
"""Of one agency, and as many revocations, by the broker's time: beyond it they are ignored unread, so that a
flood of them costs nobody else time, and no flood of others keeps a revocation from being heard."""
_DAY_MS = 86_400_000
KEPT_REASONS = 100
_KEPT_UNKNOWN = 20
_LOG_APPEND_TIME = 1

KEY_EVENTS = frozenset({"key.announced", "key.rotated", "key.retired", "key.revoked"})
ENCRYPT = "encrypt"
"""The role of a key for which others seal."""


@dataclass(frozen=True, slots=True)
class IgnoredKeyEvent:
    """A record of a key topic that changed nothing, and why; `code` as in the receipt for it.

    `unread` where it came beyond the quota of a day: then there is no receipt.
    """

    topic: str
    offset: int
    reason: str
    code: RefusalCode = "not-authorised"
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys known at some point of the key topics. Immutable; equal records give equal keyrings.

    Each agency's keys follow from its own topic and from what the operator announces for it on the bus's. The
    order in which topics are read does not matter: `unknown` keeps the last events under a key that was not
    known when they were read, and a later re-admission has them read again. `ignored` keeps the last reasons
    for people to see, `ignored_count` counts all.
    """

    catalog: Catalog
    entries: Mapping[tuple[str, bytes], KeyEntry] = field(default_factory=lambda: MappingProxyType({}))
    positions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    today: Mapping[tuple[str, bool], tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    unknown: Mapping[str, tuple[Record, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ignored: tuple[IgnoredKeyEvent, ...] = ()
    ignored_count: int = 0

    @property
    def version(self) -> str:
        """The next offset of each key topic read so far, as compact text."""
        return " ".join(f"{topic}:{self.positions[topic]}" for topic in sorted(self.positions))

    def find(self, agency: str, identifier: bytes) -> KeyEntry | None:
        """The agency's key of this id, whatever its state."""
        return self.entries.get((agency, identifier))

    def holders(self, identifier: bytes) -> tuple[str, ...]:
        """Agencies that have announced a key of this id, in name order."""
        return tuple(sorted(agency for agency, known in self.entries if known == identifier))

    def of(self, agency: str) -> tuple[KeyEntry, ...]:
        """All keys of an agency, in the order of their announcement."""
        return tuple(entry for entry in self.entries.values() if entry.agency == agency)

    def encryption_key(self, agency: str, now_ms: int) -> KeyEntry | None:
        """The key for which others seal what the agency is to read: of those valid now the last announced."""
        valid = [one for one in self.of(agency) if one.role == ENCRYPT and one.ended is None]
        in_term = [
            one
            for one in valid
            if (one.not_before_ms or 0) <= now_ms and (one.not_after_ms is None or now_ms < one.not_after_ms)
        ]
        return in_term[-1] if in_term else None

    def with_cuts(self, cuts: Mapping[tuple[str, bytes], Sequence[tuple[TopicPartition, int]]]) -> "Keyring":
        """The keyring with where partitions ended when its reader learnt of the ends of these keys."""
        cut = {place: replace(self.entries[place], cut=tuple(at)) for place, at in cuts.items()}
        return replace(self, entries=MappingProxyType({**self.entries, **cut}))

    def apply(self, record: Record) -> "Keyring":
        """The keyring after one record more; a record below the position already read changes nothing."""
        return self.extend((record,))

    def extend(self, records: Iterable[Record]) -> "Keyring":
        """The keyring after these records, those of one topic in offset order.

        A key event that is malformed, or that its agency may not say, is ignored with a reason.
        """
        entries, positions, today = dict(self.entries), dict(self.positions), dict(self.today)
        unknown = dict(self.unknown)
        reasons: list[IgnoredKeyEvent] = []
        for record in records:
            if record.offset < positions.get(record.topic, 0):
                continue
            positions[record.topic] = record.offset + 1
            try:
                _count(record, today)
                changed = _changed_entries(record, entries, self.catalog)
            except (BusError, ValueError) as error:
                if isinstance(error, _UnknownSigner):
                    agency = agency_of_topic(record.topic)
                    unknown[agency] = (*unknown.get(agency, ()), record)[-_KEPT_UNKNOWN:]
                reasons.append(_ignored(record, error))
            except Exception as error:  # noqa: BLE001  one record that nobody foresaw must not end the reading
                why = f"set aside: {type(error).__name__}"
                reasons.append(IgnoredKeyEvent(record.topic, record.offset, why, "set-aside"))
            else:
                entries.update({(entry.agency, entry.key_id): entry for entry in changed})
                for agency in {entry.agency for entry in changed if entry.readmitted}:
                    _read_again(unknown.pop(agency, ()), entries, self.catalog)
        return replace(
            self,
            entries=MappingProxyType(entries),
            positions=MappingProxyType(positions),
            today=MappingProxyType(today),
            unknown=MappingProxyType(unknown),
            ignored=(*self.ignored, *reasons)[-KEPT_REASONS:],
            ignored_count=self.ignored_count + len(reasons),
        )


Entries = dict[tuple[str, bytes], KeyEntry]


class _BeyondQuota(ValueError):
    """A key event that is not read."""


class _UnknownSigner(ValueError):
    """A key event under a key that the agency is not known to have: a re-admission may make it one."""


def _read_again(records: Iterable[Record], entries: Entries, catalog: Catalog) -> None:
    for record in records:
        try:
            changed = _changed_entries(record, entries, catalog)
        except (BusError, ValueError):  # told when it was read first
            continue
        entries.update({(entry.agency, entry.key_id): entry for entry in changed})


def _ignored(record: Record, error: BusError | ValueError) -> IgnoredKeyEvent:
    unread = isinstance(error, _BeyondQuota)
    if not isinstance(error, Refused):
        return IgnoredKeyEvent(record.topic, record.offset, harmless(str(error)[:500]), unread=unread)
    why = harmless(f"{error.code}, {error}"[:500])
    return IgnoredKeyEvent(record.topic, record.offset, why, error.code)


def _count(record: Record, today: dict[tuple[str, bool], tuple[int, int]]) -> None:
    """Counts the record against its agency's quota of the day. Raises _BeyondQuota."""
    kind = record.topic, record.header("ce_type") == b"key.revoked"
    # A producer's own time stamps are not believed: all of them are of one day.
    day = record.timestamp_ms // _DAY_MS if record.timestamp_type == _LOG_APPEND_TIME else 0
    last, count = today.get(kind, (day, 0))
    today[kind] = day, count + 1 if day == last else 1
    if today[kind][1] > MAX_KEY_EVENTS_PER_DAY:
        raise _BeyondQuota(f"more than {MAX_KEY_EVENTS_PER_DAY} key events of one agency in a day")


def _changed_entries(record: Record, entries: Entries, catalog: Catalog) -> tuple[KeyEntry, ...]:
    """The entries that this key event adds or changes. Raises BusError or ValueError if it must be ignored.

    The first key of an agency vouches for itself: only that agency may write its topic. Every later event
    needs a signature by a key of the agency that is valid when it is appended.
    """
    agency = agency_of_topic(record.topic)
    headers, data = _read(record, agency, catalog)
    if (
        "public_key" in data and (data["holder"], data["key_id"]) in entries
    ):  # a repeat costs no signature check
        raise ValueError("a key is announced once only, so that an ended one cannot come back")
    block = parse_block(headers.sig)
    found = entries.get((agency, block.key_id))
    # A key that the operator announced takes nothing from the first of the agency's own.
    if found is not None or any(
        known == agency and not one.readmitted for (known, _), one in entries.items()
    ):
        if found is None:
            raise _UnknownSigner(f"signed by {_short(block.key_id)}, which is no key of {agency}")
        signer = found
        if reason := signer.why_not(record, record.timestamp_ms):
            raise ValueError(f"signed by {reason}")
    elif headers.type != "key.announced" or data["key_id"] != block.key_id:
        raise ValueError("the first event of a key topic must announce the key that signs it")
    else:
        signer = _announced(agency, data, entries)
    message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
    if not verify(block, message, signer.public):
        raise ValueError("the signature does not fit the event")
    return _effect(record, agency, headers.type, data, entries)


def _read(record: Record, agency: str, catalog: Catalog) -> tuple[EventHeaders, dict[str, Any]]:
    headers = EventHeaders.parse(record.headers)
    if record.value is None:
        raise ValueError("a key event without a value")
    schema, data = decode(catalog, record.value)
    if schema.type != headers.type or schema.fingerprint != headers.fingerprint:
        raise ValueError(f"headers say {headers.type}, the value is {schema.type}")
    if schema.type not in KEY_EVENTS:
        raise ValueError(f"{schema.type} does not belong on a key topic")
    if record.key != headers.subject.encode():
        raise ValueError("the record's key is not the event's subject")
    readmits = agency == BUS and schema.type == "key.announced" and data["holder"] in MEMBERS
    if agency_of_source(headers.source) != agency or not (readmits or data["holder"] == agency):
        raise ValueError(f"{headers.source} speaks of a key of {data['holder']} on the topic of {agency}")
    if _ms(data["envelope"]["occurred_at"]) != headers.time_ms:
        raise ValueError("ce_time and occurred_at disagree")
    # Everybody reads the key topics, and no router stands before them.
    if problem := next(iter(unfit(schema, headers.source, data, record.value)), None):
        raise Refused(problem.code, problem.message, pointer=problem.pointer)
    return headers, data


def _effect(
    record: Record, agency: str, event: str, data: dict[str, Any], entries: Entries
) -> tuple[KeyEntry, ...]:
    if event == "key.announced":
        announced = _announced(data["holder"], data, entries)
        return (replace(announced, readmitted=data["holder"] != agency),)
    named = entries.get((agency, data["replaces" if event == "key.rotated" else "key_id"]))
    if named is None:
        raise ValueError(f"the key named is no key of {agency}")
    if event == "key.rotated":
        # An overlap of two keys is two events: announced, and later retired.
        new = _announced(agency, data, entries)
        if new.role != named.role:
            raise ValueError(f"a key with the role {named.role} cannot be replaced by one with {new.role}")
        return new, _ended(named, "replaced", record)
    if event == "key.retired":
        return (_ended(named, "retired", record),)
    return (
        replace(
            _ended(named, "revoked", record),
            compromised_epoch=data.get("compromised_since_epoch"),
            compromised_ms=_ms(data["compromised_since"]),
        ),
    )


def _ended(entry: KeyEntry, how: Ending, record: Record) -> KeyEntry:
    if entry.ended == "revoked" or (entry.ended and how != "revoked"):
        raise ValueError(f"the key was {entry.ended} before")
    end = entry.end or Standing(record.topic, record.offset, record.timestamp_ms)
    return replace(entry, end=end, ended=how)


def _announced(agency: str, data: dict[str, Any], entries: Entries) -> KeyEntry:
    public: bytes = data["public_key"]
    identifier = key_id(public, registered(data["role"], data["algorithm"], public))
    if data["key_id"] != identifier:
        raise ValueError(
            f"key id {_short(data['key_id'])}, expected {_short(identifier)}, that of the key given"
        )
    if (agency, identifier) in entries:
        raise ValueError("a key is announced once only, so that an ended one cannot come back")
    if sum(known == agency for known, _ in entries) >= MAX_KEYS_PER_AGENCY:
        raise ValueError(f"more than {MAX_KEYS_PER_AGENCY} keys of one agency")
    return KeyEntry(
        agency=agency,
        key_id=identifier,
        public=public,
        role=data["role"],
        not_before_ms=_ms(data["not_before"]),
        not_after_ms=_ms(data["not_after"]),
        genesis=data.get("genesis"),
    )


def _ms(time: datetime | None) -> int | None:
    return None if time is None else to_moment(time)


def _short(identifier: bytes) -> str:
    return identifier.hex()[:16] + "…"
