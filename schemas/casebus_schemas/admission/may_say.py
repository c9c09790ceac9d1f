"""The one judge of what may be said: everything but the signature. Pure.

The agency's door, `casebus check` and the router ask it alike, so that nothing that the first two call fine
is refused on the bus for a reason that they could know.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from casebus_schemas.agencies import BUS
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog, EventSchema, EventType
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.sealed.blob import SealedBytes
from casebus_schemas.wire.codec import MAX_VALUE_BYTES

from .problem import Problem, in_order
from .resident_ids import bytes_hold_resident_id, may_hold_resident_id, pointers_of_resident_ids
from .sense import nameless, senseless
from .verdict import Role

STATE_SECRET = "S"
_MENDS = ("corrects", "withdraws")


class Answered(NamedTuple):
    """What is known of the event that another one answers; `chain` None where it is only provisional."""

    type: str
    chain: str | None


def may_say(
    catalog: Catalog,
    event: EventType,
    *,
    speaker: str,
    source: str,
    data: Mapping[str, Any],
    value: bytes | None,
    subject: str | None = None,
    answered: Answered | None = None,
    mended: Mapping[str, str] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> list[Problem]:
    """All problems of an event of the door that `speaker` wants to say, in the order of the refusal codes.

    `value` is the framed value, None where the data are too large for one; `answered` what is known of the
    event that it answers, `mended` whose event its `corrects` or `withdraws` names, as far as it is known;
    `personal` are the personal facts that are to be sealed for its recipients.
    """
    schema = catalog.latest(event.type)
    problems = [*too_large(schema, data, value)]
    readable = not problems
    problems += not_authorised(catalog, event, speaker, source)
    envelope = data.get("envelope")
    problems += sealed(catalog, event, speaker, data)
    if personal is not None and not personal_readers(catalog, event, speaker, data):
        problems.append(_FOR_NOBODY)
    if envelope is not None:
        problems += strangers(catalog, envelope)
        problems += nameless(catalog, event, speaker, envelope)
        if readable:  # in a list that is too long nobody looks further
            problems += senseless(schema, data)
        problems += _state_secret(envelope)
        problems += _wrong_answer(event, subject, answered)
        if subject is None and answered is None:
            problems += _no_chain(envelope)
        problems += _not_ones_own(speaker, mended or {})
    problems += clear_numbers(data, value)
    problems += _clear_number_in(source)
    return in_order(problems)


# --- what the router asks for every record: quick where nothing is wrong -----------------------------------


def too_large(schema: EventSchema, data: Mapping[str, Any], value: bytes | None) -> list[Problem]:
    """Lists and texts of decoded data beyond their limits; `value`, their framed value, spares the search.

    None for `value` says that the data did not fit into one.
    """
    if value is not None and len(value) <= schema.limits.harmless_bytes:
        return []
    problems = [] if value is not None else [_NO_VALUE]
    for pointer, what, number, limit in schema.limits.exceeded(data):
        message = f"more {what} than one event may have"
        found, expected = f"{number:,} {what}", f"at most {limit:,}"
        problems.append(Problem("too-large", f"/data{pointer}", message, found, expected, _SHORTER))
    return problems


def unfit(schema: EventSchema, source: str, data: Mapping[str, Any], value: bytes) -> list[Problem]:
    """What no event may hold, whoever says it: too much, level S, a person's number, sealed bytes."""
    problems = [*too_large(schema, data, value), *_state_secret(data["envelope"])]
    if data.get("sealed") is not None:  # key events, and what nobody is told of
        problems.append(_FOR_NOBODY)
    return in_order([*problems, *clear_numbers(data, value), *_clear_number_in(source)])


def sealed(catalog: Catalog, event: EventType, speaker: str, data: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with bytes in `sealed`, as far as one can tell who can read none of them."""
    raw = data.get("sealed")
    if raw is None:
        return []
    try:
        found = SealedBytes.parse(raw)
    except UsageError as wrong:
        problem = Problem(
            "bad-body", _SEALED, wrong.message, str(wrong.found), str(wrong.expected), wrong.remedy
        )
        return [problem]
    allowed = personal_readers(catalog, event, speaker, data)
    if strange := [agency for agency in found.agencies if agency not in allowed]:
        expected = "recipients that may read personal data: " + (", ".join(allowed) or "none")
        return [
            Problem(
                "bad-body",
                _SEALED,
                "sealed for others than its recipients",
                ", ".join(strange),
                expected,
                _ADDRESS,
            )
        ]
    return []


def personal_readers(
    catalog: Catalog, event: EventType, speaker: str, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """For whom the personal data of an event are sealed: of those told of it who may read such data."""
    named = told(data.get("envelope"), event)
    return tuple(sorted(one for one in named if one != speaker and catalog.members.reads_personal(one)))


def not_authorised(catalog: Catalog, event: EventType, speaker: str, source: str) -> list[Problem]:
    """Who speaks: the source is the speaker's, and the type one that it may say."""
    if speaker in event.speakers and _agency(catalog, source) == speaker and event.channel != RECEIPTS:
        return []
    problems = []
    if _agency(catalog, source) != speaker:
        problems.append(
            Problem(
                "not-authorised",
                "/source",
                f"{speaker} speaks for another agency",
                found=source,
                expected=f"/{speaker} or /{speaker}/unit",
                remedy="say it with that agency's own keys",
            )
        )
    if event.channel == RECEIPTS:
        problems.append(receipts_only(event))
    elif speaker not in event.speakers:
        problems.append(
            Problem(
                "not-authorised",
                "/type",
                f"{speaker} may not say {event.type} ({event.title_zh})",
                found=speaker,
                expected="one of " + ", ".join(sorted(event.speakers)),
                remedy=_WHO,
            )
        )
    return problems


def receipts_only(event: EventType) -> Problem:
    """A type without an envelope: the bus says it on `receipt.<agency>`, and nobody admits it."""
    return Problem(
        "not-authorised",
        "/type",
        f"{event.type} is for receipts of the bus only",
        found=event.type,
        remedy=_WHO,
    )


def told(envelope: Mapping[str, Any] | None, event: EventType) -> dict[str, Role]:
    """Whom an event names or the law adds, each in the strongest role; the sender and the bus among them."""
    roles: dict[str, Role] = {}
    if envelope is None:
        return roles
    for address in envelope["to"]:
        roles.setdefault(address.partition("/")[0], "to")
    for address in envelope["cc"]:
        roles.setdefault(address.partition("/")[0], "cc")
    for agency in event.by_law:
        roles.setdefault(agency, "by-law")
    return roles


def strangers(catalog: Catalog, envelope: Mapping[str, Any]) -> list[Problem]:
    """Addressees that are no members of the bus."""
    known = addressable(catalog)
    return [
        Problem(
            "bad-body",
            f"/data/envelope/{role}/{index}",
            f"an addressee in {role} that is no member of the bus",
            found=repr(address)[:80],
            expected="agency or agency/unit with agency one of " + ", ".join(catalog.members.all),
            remedy="correct the address and publish anew",
        )
        for role in ("to", "cc")
        for index, address in enumerate(envelope[role])
        if address.partition("/")[0] not in known
    ]


@lru_cache(maxsize=8)
def addressable(catalog: Catalog) -> frozenset[str]:
    """Whom an event may name: the members, and the bus, which has no inbox."""
    return frozenset((*catalog.members.all, BUS))


def level_s(envelope: Mapping[str, Any] | None) -> Problem | None:
    """A state secret, which has no place on this network."""
    return _LEVEL_S if envelope and envelope["handling"] == STATE_SECRET else None


def clear_numbers(data: Mapping[str, Any], value: bytes | None) -> list[Problem]:
    """Resident identity numbers in clear in decoded data; `value`, their framed value, spares the search."""
    if value is not None and not may_hold_resident_id(value):
        return []
    return [clear_number(pointer) for pointer in pointers_of_resident_ids(data, "/data", day_of(data))]


def doubtful_numbers(data: Mapping[str, Any]) -> list[str]:
    """Pointers of texts that hold what has the form of such a number but is rather a paper's: for advice."""
    return list(pointers_of_resident_ids(data, "/data", day_of(data), "doubtful"))


def day_of(data: Mapping[str, Any]) -> date | None:
    """The day in Beijing on which an event happened, by its own word; None for receipts, which say none."""
    envelope = data.get("envelope")
    return None if envelope is None else beijing_day(envelope["occurred_at"])


def clear_number(pointer: str) -> Problem:
    """A person's number in clear."""
    return Problem(
        "personal-data",
        pointer,
        "a resident identity number (居民身份证号) in clear",
        found="a place, a day of birth and a right check digit, or 15 digits behind that label",
        expected="match tokens or the sealed field",
        remedy="say it anew without the number; of a record that holds one the bus keeps only digests",
    )


@lru_cache(maxsize=4096)
def name_holds_number(name: str) -> bool:
    """Whether the name of a unit or producer holds such a number."""
    return bytes_hold_resident_id(name.encode())


# --- what only the door and the check ask --------------------------------------------------------------


def _state_secret(envelope: Mapping[str, Any]) -> list[Problem]:
    found = level_s(envelope)
    return [] if found is None else [found]


def _clear_number_in(source: str) -> list[Problem]:
    return [clear_number("/source")] if name_holds_number(source) else []


def _wrong_answer(event: EventType, subject: str | None, answered: Answered | None) -> Iterable[Problem]:
    if answered is None:
        return
    if event.answers and not event.may_answer(answered.type):
        yield Problem(
            "bad-body",
            "/data/envelope/in_reply_to",
            f"{event.type} cannot answer {answered.type}",
            found=answered.type,
            expected=" or ".join(event.answers),
        )
    if subject is not None and answered.chain is not None and subject != answered.chain:
        yield Problem(
            "bad-body",
            "/subject",
            "not the chain of the event that is answered",
            found=subject,
            expected=answered.chain,
            remedy="leave subject null to copy it",
        )


def _no_chain(envelope: Mapping[str, Any]) -> Iterable[Problem]:
    if not envelope["local_refs"] and envelope["in_reply_to"] is None:
        yield Problem(
            "bad-headers",
            "/subject",
            "no chain",
            expected="a chain id, an answered event or a local case reference",
            remedy="give data.envelope.local_refs: the first one mints the chain id",
        )


def _not_ones_own(speaker: str, mended: Mapping[str, str]) -> Iterable[Problem]:
    for name in _MENDS:
        owner = mended.get(name, speaker)
        if owner != speaker:
            yield Problem(
                "not-authorised",
                f"/data/envelope/{name}",
                "another agency's event",
                found=f"an event of {owner}",
                expected="the digest of an event of one's own",
                remedy="ask its agency to correct it, or open a consultation",
            )


@lru_cache(maxsize=4096)
def _agency(catalog: Catalog, source: str) -> str | None:
    try:
        return catalog.members.of_source(source)
    except BusError:
        return None


_WHO = "see who may say what: casebus schemas list"
_SHORTER = "say it in several events, or leave the file with the sender and name it as an annex"
_NO_VALUE = Problem(
    "too-large",
    "/data",
    "the event is too large",
    expected=f"at most {MAX_VALUE_BYTES} bytes as Avro",
    remedy="leave files with the sender and name them as annexes: digest, size and title",
)
_SEALED = "/data/sealed"
_ADDRESS = "name them in to or cc"
_FOR_NOBODY = Problem(
    "bad-body",
    _SEALED,
    "personal data for nobody who may read them",
    expected="a recipient with a role that may read personal data (agencies.yaml)",
    remedy=_ADDRESS,
)
_LEVEL_S = Problem(
    "level-s",
    "/data/envelope/handling",
    "a state secret (国家秘密) has no place on this bus (State Secrets Law 2024, art. 14)",
    found="handling level S",
    expected="H0 to H3",
    remedy="use the classified channel and report the leak; if it is no state secret, say its true level",
)
