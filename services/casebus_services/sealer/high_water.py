"""The largest checkpoint that this sealer has signed, in a file outside the database."""

import os
from hashlib import sha256
from pathlib import Path

from casebus_schemas.errors import RetryLater, StopService
from casebus_schemas.evidence.checkpoint import Checkpoint
from casebus_schemas.evidence.signed_note import SignedNote, VerifierKey

FILE = "high-water.checkpoint"


class HighWater:
    """Reads and writes the file; the signed note itself stands in it.

    It is that of one origin. Where the ledger goes on under another, that of the old one is kept beside it,
    and counts again if anybody goes back to it.
    """

    def __init__(self, folder: Path, key: VerifierKey) -> None:
        self.file = folder / FILE
        self._key = key

    def read(self) -> Checkpoint | None:
        """The checkpoint in the file, None if there is none of this origin.

        Raises StopService if it holds none of this log: it was damaged, or belongs to another key.
        """
        found = self._read()
        if found is not None and found.origin != self._key.name:
            self._put_aside(found.origin)
            found = self._read()
        return found

    def _read(self) -> Checkpoint | None:
        try:
            raw = self.file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RetryLater("the high-water file cannot be read", found=str(error)) from error
        try:
            note = SignedNote.parse(raw)
            checkpoint = Checkpoint.parse(note.text)
            if checkpoint.origin == self._key.name and not note.is_signed_by(self._key):
                raise ValueError(f"not signed by {self._key}")
            return checkpoint
        except ValueError as error:
            raise StopService(
                f"{self.file} holds no checkpoint of this ledger",
                found=str(error)[:200],
                expected=f"a checkpoint under {self._key}",
                remedy="find out who changed it; a new key of the ledger begins a new ledger and folder",
            ) from error

    def _put_aside(self, origin: str) -> None:
        """Keeps the file of another origin under a name of that, and takes ours back if there is one."""
        try:
            self.file.replace(self._aside(origin))
            if (ours := self._aside(self._key.name)).exists():
                ours.replace(self.file)
        except OSError as error:
            raise RetryLater("the high-water file cannot be moved", found=str(error)) from error

    def _aside(self, origin: str) -> Path:
        return self.file.with_name(f"{FILE}.{sha256(origin.encode()).hexdigest()[:16]}")

    def write(self, note: str) -> None:
        """Replaces the file as a whole; durable when it returns. Raises RetryLater if it cannot."""
        fresh = self.file.with_suffix(".new")
        try:
            with fresh.open("w", encoding="utf-8") as out:
                out.write(note)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self.file)
            folder = os.open(self.file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise RetryLater(
                "the high-water file cannot be written", found=str(error), remedy="free disk space"
            ) from error
