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
    """Makes key and empty state of a witness that has no key for this ledger; says whether it did.

    A key is for one ledger: where there is one of another, it and its state are kept beside, as evidence.
    `anew` makes another key in place of one that ended. Raises UsageError where one ended without it.
    """
    elsewhere = is_of_another_ledger(folder, name)
    if (folder / KEY).exists() and not elsewhere:
        return False
    if (folder / ENDED).exists() and not anew and not elsewhere:
        raise ended(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    at = time.time_ns()
    for name_of in (KEY, ENDED, STATE):  # what another or an ended key cosigned stays, as evidence
        for rest in ("-wal", "-shm", "") if name_of == STATE else ("",):
            if (file := folder / f"{name_of}{rest}").exists():
                file.replace(folder / f"{name_of}.{at}{rest}")
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


def is_of_another_ledger(folder: Path, name: str) -> bool:
    """Whether the state in a folder is that of a key for another ledger than the one in this key's name."""
    held = State.key_in(folder / STATE)
    return held is not None and _ledger_of(held.partition("+")[0]) != _ledger_of(name)


def _ledger_of(name: str) -> str:
    """The inverse of `key_name`."""
    return name.rpartition("/")[0].rpartition("/")[0]


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
