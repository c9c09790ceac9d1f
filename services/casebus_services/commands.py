"""Commands of the operator on bus.command: the clock, what is done again, removed or stepped over. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.agencies import BUS, agency_of_source
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import ADMISSION, COMMAND
from casebus_schemas.errors import BusError, Refused, UsageError
from casebus_schemas.law.calendars import EnteredNotice
from casebus_schemas.law.notice_data import KEYS, notice_of
from casebus_schemas.times import in_beijing, to_moment
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Record
from casebus_schemas.wire.signing import event_digest, event_message, parse_block, verify

from .clock import ClockSetting

RECOMPUTATION = "chain.recomputation_requested"
STEP_OVER = "admission.step_over_ordered"
NOTICE = "holidays.notice_entered"


@dataclass(frozen=True, slots=True)
class SetClock:
    """`clock.set`: the simulated clock from the command's own Kafka time on."""

    setting: ClockSetting


@dataclass(frozen=True, slots=True)
class Redrive:
    """`dead_letter.redrive_requested`: judge the record at `origin` again, as the `attempt`-th time."""

    origin: Origin
    attempt: int


@dataclass(frozen=True, slots=True)
class Recompute:
    """`chain.recomputation_requested`: compute a chain again that was set aside."""

    chain: str


@dataclass(frozen=True, slots=True)
class DropPayload:
    """`payload.drop_ordered`: the content of this digest, that of the record at `origin`, is not to be kept.

    `kafka_before` is the offset below which Kafka's copies of the same partition go too, None if they stay.
    """

    origin: Origin
    value_sha256: bytes
    kafka_before: int | None
    reasons: str


@dataclass(frozen=True, slots=True)
class StepOver:
    """`admission.step_over_ordered`: go on behind the record of bus.admission at `origin` with this leaf.

    A record that is the router's is taken all the same.
    """

    origin: Origin
    leaf: bytes
    reasons: str


@dataclass(frozen=True, slots=True)
class EnterNotice:
    """`holidays.notice_entered`: a notice on holidays, counted by from a time on; `digest` is the order's."""

    entered: EnteredNotice


Command = SetClock | Redrive | Recompute | DropPayload | StepOver | EnterNotice


def command_of(record: Record, catalog: Catalog, keyring: Keyring) -> Command:
    """The command that a record of bus.command is.

    Raises Refused if it is none, or not signed by a valid key of the bus.
    """
    headers = EventHeaders.parse(record.headers)
    schema, data = decode(catalog, record.value)
    read = _READERS.get(schema.type)
    if schema.type != headers.type or schema.fingerprint != headers.fingerprint:
        raise Refused("header-mismatch", "type and schema", found=headers.type, expected=schema.type)
    if read is None or record.topic != COMMAND or record.key != headers.subject.encode():
        raise Refused(
            "misplaced", "not a command of the bus", found=schema.type, expected=", ".join(_READERS)
        )
    if to_moment(data["envelope"]["occurred_at"]) != headers.time_ms:
        raise Refused("header-mismatch", "ce_time and occurred_at", found=headers.time)
    _check_speaker(record, headers, keyring)
    return read(record, data)


def _check_speaker(record: Record, headers: EventHeaders, keyring: Keyring) -> None:
    try:
        block = parse_block(headers.sig)
        speaker = agency_of_source(headers.source)
    except (ValueError, BusError) as error:
        raise Refused("bad-headers", "the speaker of a command", found=str(error)) from error
    signer = keyring.find(BUS, block.key_id)
    if signer is None or (why_not := signer.why_not(record, record.timestamp_ms)):
        found = "no key of the bus" if signer is None else why_not
        raise Refused("unknown-key", "a command must be signed by the bus's operator", found=found)
    message = event_message(headers.signed_fields(record.topic, record.partition, record.value))
    if not verify(block, message, signer.public):
        raise Refused("bad-signature", "the signature does not fit the command")
    if speaker != BUS:
        raise Refused("not-authorised", "only the bus commands", found=headers.source, expected="/bus/…")


def _set_clock(record: Record, data: dict[str, Any]) -> Command:
    rate: float = data["rate"]
    if not 0 <= rate <= 1e6:
        raise Refused("bad-body", "rate of the clock", found=rate, expected="0 to 1,000,000")
    time_ms = to_moment(data["now"])
    return SetClock(ClockSetting(time_ms=time_ms, since_ms=record.timestamp_ms, rate=rate))


def _redrive(_record: Record, data: dict[str, Any]) -> Command:
    place = data["origin"]
    if data["attempt"] < 2:
        raise Refused("bad-body", "number of the attempt", found=data["attempt"], expected="2 or more")
    return Redrive(Origin(place["topic"], place["partition"], place["offset"]), data["attempt"])


def _recompute(_record: Record, data: dict[str, Any]) -> Command:
    return Recompute(str(data["chain"]))


def _drop(_record: Record, data: dict[str, Any]) -> Command:
    place, before = data["origin"], data["kafka_before"]
    if before not in (None, place["offset"] + 1):
        raise Refused("bad-body", "where Kafka is to begin", found=before, expected="just behind the origin")
    origin = Origin(place["topic"], place["partition"], place["offset"])
    return DropPayload(origin, data["value_sha256"], before, data["reasons"])


def _step_over(_record: Record, data: dict[str, Any]) -> Command:
    place = data["origin"]
    if place["topic"] != ADMISSION:
        raise Refused("bad-body", "what is stepped over", found=place["topic"], expected=ADMISSION)
    return StepOver(Origin(ADMISSION, place["partition"], place["offset"]), data["leaf"], data["reasons"])


def _enter_notice(record: Record, data: dict[str, Any]) -> Command:
    days = {key: [one["day"] for one in data["days"] if one["kind"] == kind] for kind, key in KEYS.items()}
    strange = [one["kind"] for one in data["days"] if one["kind"] not in KEYS]
    in_force_from: datetime = data["in_force_from"]
    if strange or in_beijing(in_force_from).time() != time():
        found = f"{', '.join(strange)} {in_force_from}"
        raise Refused("bad-body", "a notice on holidays", found=found, expected="from a midnight of Beijing")
    names = ("year", "number", "title", "known_since", "source")
    try:
        notice = notice_of({name: data[name] for name in names} | days)
    except UsageError as error:
        raise Refused("bad-body", "a notice on holidays", found=str(error)) from error
    headers = EventHeaders.parse(record.headers)
    digest = event_digest(headers.signed_fields(record.topic, record.partition, record.value or b""))
    return EnterNotice(EnteredNotice(in_force_from, digest, notice))


_READERS: dict[str, Callable[[Record, dict[str, Any]], Command]] = {
    "clock.set": _set_clock,
    "dead_letter.redrive_requested": _redrive,
    "payload.drop_ordered": _drop,
    RECOMPUTATION: _recompute,
    STEP_OVER: _step_over,
    NOTICE: _enter_notice,
}
