"""A request to join: what its agency has signed, and why an operator may refuse it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from casebus_schemas.admission.keyring import ENCRYPT, Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.enrolment.judgement import unannounced
from casebus_schemas.enrolment.request import VALID_MS, Request, make_request
from casebus_schemas.enrolment.signed_file import signed
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.ed25519 import PrivateKey
from casebus_schemas.evidence.key_entry import Standing
from casebus_schemas.evidence.signed_note import COSIGNATURE, VerifierKey
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.signing import SigningKey, parse_block
from support.events.signed_events import seed_of, stored

LEDGER = "casebus.example/ledger"
NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
EMPTY = Keyring(Catalog.load())


def made(
    agency: str = "csrc",
    *,
    signs: str = "signing",
    seals: str = "encryption",
    cosigns: str | None = None,
    ledger: str = LEDGER,
    now_ms: int = NOW_MS,
) -> Request:
    """A request of an agency with test keys of these names."""
    private = PrivateKey(seed_of(cosigns or "none"))
    name = f"{ledger}/mirror/{agency}"
    return make_request(
        agency,
        ledger,
        "liaison office, extension 12",
        SigningKey(seed_of(signs)),
        DecryptionKey(seed_of(seals)),
        now_ms=now_ms,
        randomness=seed_of(f"{agency} {signs}")[:30],
        witness=None if cosigns is None else (VerifierKey(name, COSIGNATURE, private.public), private),
    )


def after(request: Request, keyring: Keyring = EMPTY) -> Keyring:
    """The keyring once the request's events stand on their topic."""
    begin = keyring.positions.get(f"{request.agency}.key", 0)
    return keyring.extend(stored(event, begin + at) for at, event in enumerate(request.events))


def judge(request: Request, keyring: Keyring = EMPTY, **changes: Any) -> int:
    """How many events are still to be announced."""
    return len(unannounced(request, keyring, **{"ledger": LEDGER, "now_ms": NOW_MS, **changes}))


def test_a_request_announces_its_keys_and_nothing_else() -> None:
    """Everybody who reads the key topic then knows the agency's two keys, under its own signature."""
    request = made(cosigns="witness")
    assert judge(request) == 2
    found = {entry.public: entry.role for entry in after(request).of("csrc")}
    assert found == {
        SigningKey(seed_of("signing")).public: "event",
        DecryptionKey(seed_of("encryption")).public: ENCRYPT,
    }


def test_a_request_reads_as_it_was_written() -> None:
    """What the operator reads is what the agency wrote, and the number that they compare is the same."""
    request = made(cosigns="witness")
    again = Request.read(request.file.to_bytes())
    assert again == request
    assert len(again.file.number) == 39
    assert again.file.number != made(cosigns="witness", now_ms=NOW_MS + 1000).file.number


def test_no_private_key_is_in_a_request() -> None:
    """Not one of the seeds from which the keys are made stands in the file, in any spelling."""
    raw = made(cosigns="witness").file.to_bytes()
    for name in ("signing", "encryption", "witness"):
        assert seed_of(name).hex().encode() not in raw.lower()
        assert seed_of(name) not in raw


def test_what_was_broken_off_goes_on() -> None:
    """Where the first event stands already only the second is announced, then none."""
    request = made()
    first = EMPTY.extend([stored(request.events[0], 0)])
    assert judge(request, first) == 1
    assert judge(request, after(request)) == 0


@pytest.mark.parametrize(
    "part", ["contact", "ledger", "agency", "signing_key", "encryption_key", "witness", "events"]
)
def test_a_changed_request_is_no_request(part: str) -> None:
    """Whatever is changed on its way, the agency has not signed it."""
    body = json.loads(made(cosigns="witness").file.to_bytes())
    other = json.loads(
        made("mps", signs="a", seals="b", cosigns="c", ledger="other.example/l").file.to_bytes()
    )
    body["statement"][part] = "changed" if part == "contact" else other["statement"][part]
    with pytest.raises(UsageError):
        Request.read(json.dumps(body).encode())


@pytest.mark.parametrize("part", ["signing", "witness"])
def test_each_key_of_a_request_has_signed_it(part: str) -> None:
    """Who names a key without having it is refused."""
    body = json.loads(made(cosigns="witness").file.to_bytes())
    body["signatures"][part] = "00" * 64
    with pytest.raises(UsageError, match=f"no valid signature of the {part} key"):
        Request.read(json.dumps(body).encode())


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[1]", b'{"casebus": "enrolment-request"}', b"\xff", b"[" * 99_999]
)
def test_other_bytes_are_no_request(raw: bytes) -> None:
    """What is no such file is refused with what was expected."""
    with pytest.raises(UsageError):
        Request.read(raw)


def with_other_events(request: Request, other: Request) -> Request:
    """The request with the events of another one, signed again by its own key."""
    statement = {**request.file.statement, "events": other.file.statement["events"]}
    key = SigningKey(seed_of("signing"))
    signers = {"signing": lambda message: parse_block(key.sign(message)).signature}
    return Request.read(signed("enrolment-request", statement, signers).to_bytes())


REFUSED: dict[str, tuple[Callable[[], Request], Callable[[Request], Keyring], dict[str, Any], str]] = {
    "of nobody": (lambda: made("police"), lambda _: EMPTY, {}, "of no agency"),
    "for another bus": (lambda: made(ledger="x.example/l"), lambda _: EMPTY, {}, "for another bus"),
    "replayed": (made, lambda _: EMPTY, {"approved": {str(made().id)}}, "approved before"),
    "too old": (made, lambda _: EMPTY, {"now_ms": NOW_MS + VALID_MS}, "too old"),
    "from the future": (made, lambda _: EMPTY, {"now_ms": NOW_MS - 2 * DAY_MS}, "from the future"),
    "another's signing key": (made, lambda _: after(made("mps", seals="x")), {}, "in use already"),
    "another's encryption key": (made, lambda _: after(made("mps", signs="x")), {}, "in use already"),
    "another's key for another purpose": (
        lambda: made(cosigns="m"),
        lambda _: after(made("mps", signs="m", seals="x")),
        {},
        "in use already",
    ),
    "the ledger's key": (
        made,
        lambda _: EMPTY,
        {"known": {SigningKey(seed_of("signing")).public: "the ledger"}},
        "the key of the ledger",
    ),
    "signs and seals": (lambda: made(cosigns="signing"), lambda _: EMPTY, {}, "two purposes"),
    "an agency that has keys": (
        made,
        lambda _: after(made(signs="x", seals="y")),
        {},
        "announced keys already",
    ),
    "events of others": (
        lambda: with_other_events(made(), made("mps", signs="x", seals="y")),
        lambda _: EMPTY,
        {},
        "do not announce its keys",
    ),
    "events of other keys": (
        lambda: with_other_events(made(), made(seals="y")),
        lambda _: EMPTY,
        {},
        "do not announce its keys",
    ),
    "a guest with a witness": (
        lambda: made("court", cosigns="witness"),
        lambda _: EMPTY,
        {},
        "not of a witness of this agency",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_an_operator_does_not_approve(why: str) -> None:
    """A request that is not new, not for this bus, or whose keys are not its agency's alone is refused."""
    make, keyring, changes, said = REFUSED[why]
    request = make()
    with pytest.raises(UsageError, match=said):
        judge(request, keyring(request), **changes)


def test_one_secret_for_signing_and_sealing_is_found() -> None:
    """The encryption key that follows from the signing key is refused, though its bytes are others."""
    from nacl.bindings import crypto_sign_ed25519_sk_to_curve25519, crypto_sign_seed_keypair

    _, secret = crypto_sign_seed_keypair(seed_of("signing"))
    request = make_request(
        "csrc",
        LEDGER,
        "office",
        SigningKey(seed_of("signing")),
        DecryptionKey(crypto_sign_ed25519_sk_to_curve25519(secret)),
        now_ms=NOW_MS,
        randomness=bytes(30),
    )
    with pytest.raises(UsageError, match="two purposes"):
        judge(request)


def test_a_revoked_key_does_not_join_again() -> None:
    """A key of the agency that has ended is not brought back by its old request."""
    request = made()
    ended = after(request)
    end = Standing("csrc.key", 9, NOW_MS)
    entries = {place: replace(one, ended="revoked", end=end) for place, one in ended.entries.items()}
    with pytest.raises(UsageError, match="announced keys already"):
        judge(request, replace(ended, entries=entries))


@pytest.mark.parametrize("contact", ["", "  ", "x" * 201])
def test_a_contact_is_short_and_there(contact: str) -> None:
    """Nobody can be asked without one."""
    with pytest.raises(UsageError, match="whom may the operator ask"):
        make_request(
            "csrc",
            LEDGER,
            contact,
            SigningKey(seed_of("s")),
            DecryptionKey(seed_of("e")),
            now_ms=NOW_MS,
            randomness=bytes(30),
        )
