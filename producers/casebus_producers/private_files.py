"""Files of secrets: written whole, on disk when it returns, and readable by their owner alone."""

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Writes or replaces a file of mode 0600; a reader finds the old one or the new one."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
