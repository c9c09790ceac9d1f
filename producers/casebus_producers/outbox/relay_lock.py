"""The lock beside an outbox: one process at a time sends what waits in it, or signs it again."""

import fcntl
from pathlib import Path
from typing import IO


def take_relay_lock(outbox_file: Path) -> IO[bytes] | None:
    """The lock, freed when it is closed or the process dies; None where another process has it."""
    file = outbox_file.with_suffix(".relay").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
