"""An agency's own encryption keys: read from a file that nobody else may read, and said to the others."""

from pathlib import Path
from typing import Any

from casebus_schemas.admission.keyring import ENCRYPT
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.cipher import DecryptionKey

from ..private_files import read_private


def read_decryption_keys(file: Path | None) -> list[DecryptionKey]:
    """The keys of the file, in its order: the first is the newest, the others read what is older.

    Raises UsageError if there is none, a line is no key, or others may read the file.
    """
    if file is None:
        raise UsageError(
            "no encryption key of this agency",
            expected="CASEBUS_ENCRYPTION_KEY_FILE",
            remedy="name its file, or let `casebus keys encryption` make one",
        )
    keys = []
    for number, line in enumerate(read_private(file, "encryption keys").split(), 1):
        try:
            keys.append(DecryptionKey(bytes.fromhex(line)))
        except (ValueError, UsageError):
            raise UsageError(
                f"line {number} of {file} is no encryption key", expected="64 hexadecimal digits"
            ) from None
    if not keys:
        raise UsageError(f"no encryption key in {file}", expected="64 hexadecimal digits a line")
    return keys


def encryption_facts(holder: str, key: DecryptionKey) -> dict[str, Any]:
    """What `key.announced` says of an encryption key, as data for the codec."""
    return {
        "holder": holder,
        "key_id": key.key_id,
        "algorithm": "x25519",
        "role": ENCRYPT,
        "public_key": key.public,
    }
