"""Copies a SQLite file in use as a whole: what stands in it at one instant, as one file that needs no log."""

import contextlib
import os
import sqlite3
from pathlib import Path

from casebus_schemas.errors import RetryLater, UsageError

from .sqlite_reading import FileToRead, not_there


def back_up(file: Path, to: Path) -> None:
    """Writes the copy (0600), durable when this returns; writers go on meanwhile. The original is only read.

    Raises UsageError if there is no such file or `to` exists, RetryLater if it cannot be read or written.
    """
    if problem := not_there(str(file), "database"):
        raise problem
    if to.exists():
        raise UsageError("a backup replaces nothing", found=str(to), expected="a name that is free")
    part = to.with_name(to.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with contextlib.closing(FileToRead(file).connect()) as connection:
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            connection.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(to)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise RetryLater("the copy could not be made", found=str(error), expected=str(to)) from error
