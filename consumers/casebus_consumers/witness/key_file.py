"""A witness's key: made once, in a file of its own that only its owner may read, ended with its state."""

import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.cosignature import Cosigner
from casebus_schemas.evidence.key_file import read_seed

from .state import State

KEY = "witness.key"
STATE = "witness.db"
ENDED = "witness.key.ended"


def key_name(ledger: str, witness: str, *, mirror: bool) -> str:
    """Name of a witness's key. A mirror says more than a witness, so it has another name and another key."""
    return f"{ledger}/{'mirror' if mirror else 'witness'}/{witness}"


def enrol(folder: Path, name: str, *, anew: bool = False) -> bool:
    """Makes key and empty state of a witness that has no key; says whether it did.

    `anew` makes another key in place of one that ended. Raises UsageError where one ended without it.
    """
    if (folder / KEY).exists():
        return False
    if (folder / ENDED).exists() and not anew:
        raise ended(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in (folder / ENDED, folder / STATE):
        if file.exists():  # what an ended key cosigned stays, as evidence
            file.replace(file.with_name(f"{file.name}.{time.time_ns()}"))
    seed = secrets.token_bytes(32)
    # The state comes first: a key without its state counts as one whose state was lost.
    State.make(folder / STATE, str(Cosigner(name, seed).key))
    fresh = folder / f"{KEY}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(seed.hex())
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(folder / KEY)
    return True


def load_key(folder: Path, name: str, others: Iterable[bytes] = ()) -> Cosigner:
    """The key under its name.

    Raises UsageError if the file is missing, ended, readable by others, no seed, or a key that signs events
    (`others` are the public keys of those): a key has one purpose.
    """
    file = folder / KEY
    if not file.exists():
        if (folder / ENDED).exists():
            raise ended(folder)
        raise UsageError(
            f"there is no witness's key {file}",
            expected="a file of 64 hexadecimal digits",
            remedy="casebus keys witness makes one",
        )
    cosigner = Cosigner(name, read_seed(file))
    if cosigner.key.public in set(others):
        raise UsageError(
            f"the witness's key {file} signs events, too",
            found="one key for two purposes",
            expected="a key of its own",
            remedy="casebus keys witness makes one",
        )
    return cosigner


def end_key(folder: Path) -> None:
    """Ends the key: it is kept under another name, and never signs again. Idempotent."""
    if (folder / KEY).exists():
        (folder / KEY).replace(folder / ENDED)


def ended(folder: Path) -> UsageError:
    """Says how a witness whose key ended begins anew."""
    return UsageError(
        f"the witness's key in {folder} has ended",
        found=f"{ENDED}: its state was lost, or older than its own cosignatures",
        expected="a key that has its whole state",
        remedy="casebus keys witness --new enrols another (docs/how-to/run-a-witness.md)",
    )
