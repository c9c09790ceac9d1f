"""The signing keys of an installation: made once, announced on the key topics, kept in files of mode 0600."""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casebus_producers.config import KafkaLogin
from casebus_producers.keys.keys_reader import read_keyring as read_all_keys
from casebus_producers.sealing.decryption_keys import encryption_facts, read_decryption_keys
from casebus_schemas.admission.keyring import ENCRYPT, Keyring
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.services import services
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.algorithms import of_public_key
from casebus_schemas.evidence.genesis import Genesis
from casebus_schemas.evidence.key_entry import KeyEntry
from casebus_schemas.evidence.key_file import read_seed
from casebus_schemas.evidence.signed_note import NoteSigner
from casebus_schemas.wire.signing import SigningKey, key_id

from .operator_events import Voice

BUS_SIGNERS = (OPERATOR, *(service.name for service in services().values() if service.signs))
"""Who signs for the bus; the operator's key vouches for the others."""
SIGNERS = (*MEMBERS, *BUS_SIGNERS)


def key_file(secrets_dir: Path, principal: str) -> Path:
    """File of a principal's Ed25519 seed."""
    return secrets_dir / f"{principal}.signing-key"


def log_key_file(secrets_dir: Path) -> Path:
    """File of the ledger's own key, which signs checkpoints and nothing else."""
    return secrets_dir / "log.signing-key"


def receipt_key_file(secrets_dir: Path) -> Path:
    """File of the key that signs the ledger's COSE receipts and nothing else."""
    return secrets_dir / "receipt.signing-key"


def log_vkey(secrets_dir: Path, origin: str) -> str | None:
    """The verifier key of the ledger's checkpoints, None before there is a key.

    Raises UsageError if its file is at fault.
    """
    file = log_key_file(secrets_dir)
    return str(NoteSigner(origin, read_seed(file)).key) if file.exists() else None


def chain_secret_file(secrets_dir: Path, agency: str) -> Path:
    """File of the secret from which an agency's chain ids are made."""
    return secrets_dir / f"{agency}.chain-secret"


def encryption_key_file(secrets_dir: Path, agency: str) -> Path:
    """File of an agency's private encryption keys, a line each."""
    return secrets_dir / f"{agency}.encryption-key"


def token_keys_file(secrets_dir: Path, agency: str) -> Path:
    """An agency's copy of the members' yearly keys of match tokens."""
    return secrets_dir / f"{agency}.token-keys"


def make_secrets(secrets_dir: Path, agencies: Sequence[str] = MEMBERS) -> None:
    """Makes every key and secret of these agencies and of each service that is not there yet. Idempotent.

    The members' key of match tokens is the same for all: here one program makes it, on buses of several
    hosts the members hand it to each other, and the operator never has it.
    """
    secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for principal in (*agencies, *BUS_SIGNERS):
        _write_once(key_file(secrets_dir, principal))
    for agency in agencies:
        _write_once(chain_secret_file(secrets_dir, agency))
        _write_once(encryption_key_file(secrets_dir, agency))
    shared = _token_keys(secrets_dir)
    for agency in agencies:
        _write_once(token_keys_file(secrets_dir, agency), shared)
    _write_once(log_key_file(secrets_dir))
    _write_once(receipt_key_file(secrets_dir))


def agencies_here(connection: Connection) -> tuple[str, ...]:
    """The agencies whose private keys this connection names."""
    known = connection.principals
    return tuple(name for name in MEMBERS if name in known and known[name].signing_key_file is not None)


def announce(connection: Connection, genesis: Callable[[], Genesis] | None = None) -> int:
    """Announces each key that its topic does not hold yet; returns how many. Idempotent, blocking.

    Agencies whose keys are here announce their own, the operator those of the bus. The first key of a bus
    that has not begun names the digest of its genesis. Raises RetryLater if the broker is away.
    """
    keyring = read_keyring(connection)
    begins = genesis is not None and not keyring.of(BUS)
    digest = genesis().digest if genesis is not None and begins else None
    announced = 0
    for agency in agencies_here(connection):
        announced += _announce_one(connection, keyring, agency, agency, [agency])
        announced += _announce_encryption(connection, keyring, agency)
    announced += _announce_one(connection, keyring, BUS, OPERATOR, BUS_SIGNERS, digest)
    return announced + announce_receipt_key(connection, keyring)


def readmit(connection: Connection, agency: str, public_key: str) -> tuple[bytes, int]:
    """Announces, as the operator, a key for an agency; gives its id and the offset on bus.key.

    Raises UsageError for who is no member, for what is no key or is known, and while the agency has a valid
    key of its own, which announces others.
    """
    try:
        public = bytes.fromhex(public_key)
        algorithm = of_public_key(public)
    except ValueError as error:
        raise UsageError(
            f"not a public key: {error}",
            found=public_key[:80],
            expected="hexadecimal digits of a public key: 64 of Ed25519, 128 of SM2",
        ) from error
    if agency not in MEMBERS:
        raise UsageError("whose key?", found=agency, expected=", ".join(MEMBERS))
    identifier, keyring = key_id(public, algorithm.number), read_keyring(connection)
    now_ms = time.time_ns() // 1_000_000
    valid = [one for one in keyring.of(agency) if _signs(one, now_ms)]
    if valid or keyring.find(agency, identifier) is not None:
        raise UsageError(
            f"{agency} is not readmitted with this key",
            found="a valid key of its own" if valid else "a key that was announced before",
            expected="no valid key any more, and a new one",
            remedy="the agency itself announces others: casebus keys rotate",
        )
    login, key = KafkaLogin.read(OPERATOR, connection), _signing_key(connection, OPERATOR)
    voice = Voice(login, key, f"/{BUS}/{OPERATOR}")
    try:
        offset = voice.say("key.announced", f"{BUS}.key", _public_facts(agency, identifier, public))
    finally:
        voice.close()
    return identifier, offset


def _signs(entry: KeyEntry, now_ms: int) -> bool:
    return (
        entry.role == "event"
        and entry.ended is None
        and (entry.not_after_ms is None or entry.not_after_ms > now_ms)
    )


def read_keyring(connection: Connection) -> Keyring:
    """The keyring as the key topics stand now, read as the operator."""
    return read_all_keys(KafkaLogin.read(OPERATOR, connection), Catalog.load())


def _announce_one(
    connection: Connection,
    keyring: Keyring,
    holder: str,
    principal: str,
    signers: Iterable[str],
    genesis: bytes | None = None,
) -> int:
    own = _signing_key(connection, principal)
    unit = f"/{holder}" if holder == principal else f"/{holder}/{principal}"
    voice = Voice(KafkaLogin.read(principal, connection), own, unit)
    announced = 0
    try:
        for signer in signers:
            key = _signing_key(connection, signer)
            if keyring.find(holder, key.key_id) is None:
                first = genesis if announced == 0 else None
                voice.say("key.announced", f"{holder}.key", _facts(holder, key) | {"genesis": first})
                announced += 1
    finally:
        voice.close()
    return announced


def announce_receipt_key(connection: Connection, keyring: Keyring) -> int:
    """Announces the key of COSE receipts, with a role that signs no event; returns how many. Idempotent."""
    file = connection.ledger_receipt_key_file
    if file is None:
        return 0
    key = SigningKey(read_seed(file))
    if keyring.find(BUS, key.key_id) is not None:
        return 0
    voice = Voice(
        KafkaLogin.read(OPERATOR, connection), _signing_key(connection, OPERATOR), f"/{BUS}/{OPERATOR}"
    )
    try:
        voice.say("key.announced", f"{BUS}.key", _facts(BUS, key) | {"role": "log"})
    finally:
        voice.close()
    return 1


def _announce_encryption(connection: Connection, keyring: Keyring, agency: str) -> int:
    """The key for which others seal, signed with the agency's own: announced where it has none yet."""
    file = connection.principal(agency).encryption_key_file
    if file is None or any(entry.role == ENCRYPT for entry in keyring.of(agency)):
        return 0
    key = read_decryption_keys(file)[0]
    voice = Voice(KafkaLogin.read(agency, connection), _signing_key(connection, agency), f"/{agency}")
    try:
        voice.say("key.announced", f"{agency}.key", encryption_facts(agency, key))
    finally:
        voice.close()
    return 1


def _token_keys(secrets_dir: Path) -> str:
    """The members' keys of match tokens: those of a member that has them, else one of this year."""
    for agency in MEMBERS:
        if (file := token_keys_file(secrets_dir, agency)).exists():
            return file.read_text(encoding="ascii")
    return f"{datetime.now(UTC).year} {secrets.token_hex(32)}\n"


def _signing_key(connection: Connection, principal: str) -> SigningKey:
    file = connection.principal(principal).signing_key_file
    assert file is not None  # the stack writes one for each signer
    return SigningKey.from_file(file)


def _facts(holder: str, key: SigningKey) -> dict[str, Any]:
    return _public_facts(holder, key.key_id, key.public)


def _public_facts(holder: str, identifier: bytes, public: bytes) -> dict[str, Any]:
    return {
        "holder": holder,
        "key_id": identifier,
        "algorithm": of_public_key(public).name,
        "role": "event",
        "public_key": public,
    }


def _write_once(file: Path, content: str | None = None) -> None:
    if not file.exists():
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_hex(32) if content is None else content)
        fresh.replace(file)
