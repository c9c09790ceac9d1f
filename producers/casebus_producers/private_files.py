"""Files of secrets: written whole, on disk when it returns, and readable by their owner alone."""

import os
from pathlib import Path

from casebus_schemas.errors import UsageError


def write_private(file: Path, text: str) -> None:
    """Writes or replaces a file of mode 0600; a reader finds the old one or the new one."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def read_private(file: Path, what: str) -> str:
    """The text of a file of keys. Raises UsageError if it is missing, or others may read it, too."""
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the {what} {file}",
            found=type(error).__name__,
            expected="a text file that this user may read",
        ) from error
    if mode & 0o077:
        raise UsageError(
            f"others may read the {what} {file}",
            found=f"mode {mode & 0o777:04o}",
            expected="mode 0600",
            remedy="chmod 600 it, and exchange the keys if somebody may have read them",
        )
    return text
