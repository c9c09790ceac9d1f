"""The signing keys of an installation: made once, announced on the key topics, kept in files of mode 0600."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from casebus_producers.config import KafkaLogin
from casebus_producers.keys_reader import read_keyring as read_all_keys
from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.services import services
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.wire.signing import SigningKey

from .operator_events import Voice

BUS_SIGNERS = (OPERATOR, *(service.name for service in services().values() if service.signs))
"""Who signs for the bus; the operator's key vouches for the others."""
SIGNERS = (*MEMBERS, *BUS_SIGNERS)


def key_file(secrets_dir: Path, principal: str) -> Path:
    """File of a principal's Ed25519 seed."""
    return secrets_dir / f"{principal}.signing-key"


def chain_secret_file(secrets_dir: Path, agency: str) -> Path:
    """File of the secret from which an agency's chain ids are made."""
    return secrets_dir / f"{agency}.chain-secret"


def make_secrets(secrets_dir: Path) -> None:
    """Makes every signing key and chain secret that is not there yet. Idempotent."""
    secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for principal in SIGNERS:
        _write_once(key_file(secrets_dir, principal))
    for agency in MEMBERS:
        _write_once(chain_secret_file(secrets_dir, agency))


def announce(connection: Connection) -> int:
    """Announces each key that its topic does not hold yet; returns how many. Idempotent, blocking.

    Members announce their own key, the operator those of the bus. Raises RetryLater if the broker is away.
    """
    keyring = read_keyring(connection)
    announced = 0
    for agency in MEMBERS:
        announced += _announce_one(connection, keyring, agency, agency, [agency])
    return announced + _announce_one(connection, keyring, BUS, OPERATOR, BUS_SIGNERS)


def read_keyring(connection: Connection) -> Keyring:
    """The keyring as the key topics stand now, read as the operator."""
    return read_all_keys(KafkaLogin.read(OPERATOR, connection), Catalog.load())


def _announce_one(
    connection: Connection, keyring: Keyring, holder: str, principal: str, signers: Iterable[str]
) -> int:
    first = _signing_key(connection, principal)
    unit = f"/{holder}" if holder == principal else f"/{holder}/{principal}"
    voice = Voice(KafkaLogin.read(principal, connection), first, unit)
    announced = 0
    try:
        for signer in signers:
            key = _signing_key(connection, signer)
            if keyring.find(holder, key.key_id) is None:
                voice.say("key.announced", f"{holder}.key", _facts(holder, key))
                announced += 1
    finally:
        voice.close()
    return announced


def _signing_key(connection: Connection, principal: str) -> SigningKey:
    file = connection.principal(principal).signing_key_file
    assert file is not None  # the stack writes one for each signer
    return SigningKey.from_file(file)


def _facts(holder: str, key: SigningKey) -> dict[str, Any]:
    return {
        "holder": holder,
        "key_id": key.key_id,
        "algorithm": "ed25519",
        "role": "event",
        "public_key": key.public,
    }


def _write_once(file: Path) -> None:
    if not file.exists():
        fresh = file.with_name(file.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_hex(32))
        fresh.replace(file)
