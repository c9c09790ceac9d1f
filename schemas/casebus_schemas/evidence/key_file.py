"""Files of private keys: 64 hexadecimal digits that nobody but their owner may read."""

import stat
from pathlib import Path

from casebus_schemas.errors import UsageError

from .ed25519 import SEED_LENGTH

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_private(path: Path) -> None:
    """Raises UsageError if others than the owner have any right to a file of a key, or it is not there."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(
            f"cannot read the key {path}", found=type(error).__name__, expected="a file of mode 0600"
        ) from error
    if mode & _OTHERS:
        raise UsageError(
            f"others may read or write the key {path}",
            found=f"mode {stat.S_IMODE(mode):04o}",
            expected="0600",
            remedy="if nobody has read it, chmod 600; else announce another key",
        )


def read_seed(path: Path) -> bytes:
    """The 32 bytes of an Ed25519 seed.

    Raises UsageError if the file is missing or malformed, or others than its owner have any right to it.
    """
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the key {path}",
            found=type(error).__name__,
            expected="a file of 64 hexadecimal digits",
        ) from error
    check_private(path)
    if len(seed) != SEED_LENGTH:
        raise UsageError(f"the key {path}", found=f"{len(seed)} bytes", expected=f"{SEED_LENGTH}")
    return seed
