"""Whether an operator may admit a request: whose it is, for which bus, how old, and that its keys are new."""

from collections.abc import Container, Mapping

from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519

from casebus_schemas.admission.keyring import ENCRYPT, Keyring
from casebus_schemas.agencies import MEMBERS, WITNESSES
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.ed25519 import check_public_key
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.sealed.public_keys import check_encryption_key
from casebus_schemas.times import beijing_text, to_datetime
from casebus_schemas.wire.records import Outgoing, Record

from .request import Request

SKEW_MS = 24 * 3_600_000
"""How much the clocks of two houses may differ."""
_LOG_APPEND_TIME = 1


def unannounced(
    request: Request,
    keyring: Keyring,
    *,
    ledger: str,
    now_ms: int,
    approved: Container[str] = (),
    known: Mapping[bytes, str] | None = None,
) -> tuple[Outgoing, ...]:
    """Of the request's events those that its key topic does not hold yet: all, unless it was broken off.

    `ledger` is this bus's origin, `approved` the ids of requests that were admitted before, `known` whose the
    public keys are that stand in no keyring. Raises UsageError for a request that is not to be admitted.
    """
    _check_place(request, ledger, now_ms, approved)
    _check_purpose(request, keyring, known or {})
    _check_agency(request, keyring)
    left = [event for event in request.events if not _stands(event, request, keyring)]
    _check_effect(request, keyring, left, now_ms)
    return tuple(left)


def _check_place(request: Request, ledger: str, now_ms: int, approved: Container[str]) -> None:
    if request.agency not in MEMBERS:
        raise UsageError(
            "the request is of no agency of this bus",
            found=request.agency,
            expected="one of " + ", ".join(MEMBERS),
            remedy="enter it into agencies.yaml first (docs/how-to/add-an-agency.md)",
        )
    if request.ledger != ledger:
        raise UsageError("the request is for another bus", found=request.ledger, expected=ledger)
    if str(request.id) in approved:
        raise UsageError(
            "the request was approved before",
            found=str(request.id),
            expected="one that is new",
            remedy="its agency's connection is written by `casebus connection export`",
        )
    if now_ms >= request.not_after_ms or request.not_after_ms <= request.made_at_ms:
        raise UsageError(
            "the request is too old",
            found=f"valid until {_time(request.not_after_ms)}",
            expected="one that is valid now",
            remedy="the agency makes a new one with the same keys: casebus enroll request",
        )
    if request.made_at_ms > now_ms + SKEW_MS:
        raise UsageError(
            "the request comes from the future",
            found=_time(request.made_at_ms),
            expected="the clocks of both houses to agree",
        )


def _check_purpose(request: Request, keyring: Keyring, known: Mapping[bytes, str]) -> None:
    """No key of the request is another's, or serves two purposes."""
    try:
        check_public_key(request.signing_key)
        check_encryption_key(request.encryption_key)
        if request.witness is not None:
            check_public_key(request.witness.public)
    except ValueError as error:
        raise UsageError("a key of the request is none", found=str(error), expected="public keys") from error
    of_signing = crypto_sign_ed25519_pk_to_curve25519(request.signing_key)
    witness = None if request.witness is None else request.witness.public
    twice = [request.encryption_key in (request.signing_key, of_signing), request.signing_key == witness]
    if any(twice):
        raise UsageError(
            "one key for two purposes",
            found="the signing key is the encryption key" if twice[0] else "the signing key is the witness's",
            expected="a key of its own for each",
            remedy="the agency makes new keys in an empty folder: casebus enroll request",
        )
    if request.witness is not None:
        _check_witness(request)
    roles = {request.signing_key: "event", request.encryption_key: ENCRYPT, witness: "witness"}
    for entry in keyring.entries.values():
        role = roles.get(entry.public)
        if role is not None and (entry.agency != request.agency or entry.role != role):
            raise _used(f"{entry.agency} has announced it for the role {entry.role}")
    for public, whose in known.items():
        if public in roles:
            raise _used(f"it is the key of {whose}")


def _check_witness(request: Request) -> None:
    assert request.witness is not None
    names = [f"{request.ledger}/{kind}/{request.agency}" for kind in ("mirror", "witness")]
    if request.agency not in WITNESSES or request.witness.name not in names:
        raise UsageError(
            "the witness's key is not of a witness of this agency",
            found=request.witness.name,
            expected=" or ".join(names) if request.agency in WITNESSES else "no witness",
        )


def _used(why: str) -> UsageError:
    return UsageError(
        "a key of the request is in use already",
        found=why,
        expected="keys that the agency made for itself",
        remedy="the agency makes new keys in an empty folder: casebus enroll request",
    )


def _check_agency(request: Request, keyring: Keyring) -> None:
    """The agency has no key yet, or only those of the request, from an approval that was broken off."""
    wanted = set(request.key_ids.values())
    for entry in keyring.of(request.agency):
        if entry.key_id in wanted and entry.ended is None:
            continue
        raise UsageError(
            f"{request.agency} has announced keys already",
            found=_state(entry),
            expected="an agency without any",
            remedy="it announces others itself: casebus keys rotate (docs/how-to/rotate-keys.md); "
            "if none is valid any more: casebus keys readmit",
        )


def _state(entry: KeyEntry) -> str:
    return f"{entry.key_id.hex()[:16]}…, " + (f"which is {entry.ended}" if entry.ended else "which is valid")


def _stands(event: Outgoing, request: Request, keyring: Keyring) -> bool:
    role = "signing" if event is request.events[0] else "encryption"
    return keyring.find(request.agency, request.key_ids[role]) is not None


def _check_effect(request: Request, keyring: Keyring, left: list[Outgoing], now_ms: int) -> None:
    """What everybody will make of these events: the two keys of the request, and nothing else."""
    topic = f"{request.agency}.key"
    begin = keyring.positions.get(topic, 0)
    records = [
        Record(topic, 0, begin + at, now_ms, _LOG_APPEND_TIME, event.key, event.value, event.headers)
        for at, event in enumerate(left)
        if (event.topic, event.partition) == (topic, 0)
    ]
    after = keyring.extend(records)
    ids = request.key_ids
    found = {entry.key_id: entry.role for entry in after.of(request.agency) if entry.ended is None}
    if found == {ids["signing"]: "event", ids["encryption"]: ENCRYPT} and len(records) == len(left):
        return
    ignored = after.ignored[len(keyring.ignored) :]
    raise UsageError(
        "the announcements in the request do not announce its keys",
        found=ignored[0].reason if ignored else ", ".join(key.hex()[:16] for key in found) or "nothing",
        expected=f"two events of {topic} that announce them",
        remedy="ask the agency for the file once more",
    )


def _time(time_ms: int) -> str:
    try:
        return beijing_text(to_datetime(time_ms))
    except OverflowError:
        return f"{time_ms} ms since 1970"
