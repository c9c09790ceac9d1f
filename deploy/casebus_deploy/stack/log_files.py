"""Log files of what a supervisor runs: moved away when they are long, the oldest forgotten."""

from pathlib import Path

VARIABLE = "CASEBUS_LOG_FILE"
"""Names its file to a service, which writes by that name."""
MOST_BYTES = 10 << 20
KEPT = 4
"""Older files that stay beside the newest one: at most 50 MiB a service."""


def move_long(file: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> bool:
    """Moves a file that is longer to `name.1.log`, that to `name.2.log`, and so on; whether it did.

    Who writes by name begins a new one. Nothing happens where there is no room or no file.
    """
    try:
        if file.stat().st_size <= most_bytes:
            return False
        names = [file, *(file.with_suffix(f".{number}{file.suffix}") for number in range(1, kept + 1))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
    except OSError:  # tried again at the next look
        return False
    return True
