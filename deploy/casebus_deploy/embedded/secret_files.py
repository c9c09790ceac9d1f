"""Passwords in files that only their owner reads."""

import os
import secrets
from pathlib import Path


def secret(file: Path) -> str:
    """The password in `file`, made at first: 48 random hexadecimal digits."""
    if not file.exists():
        write_private(file, secrets.token_hex(24))
    return file.read_text(encoding="ascii").strip()


def write_private(file: Path, text: str) -> None:
    """Write the whole file at once, mode 0600 from its first byte on."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(file)
