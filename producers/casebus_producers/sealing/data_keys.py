"""An agency's own data keys: one a case, each in a file of its own, so that a single one can be destroyed."""

import os
import re
import secrets
from datetime import date
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.cipher import data_key_name

from ..private_files import read_private

_LENGTH = 32
_CHAIN = re.compile(r"[0-9a-f-]{36}")
_DESTROYED = "destroyed"


class DataKeys:
    """The folder of an agency's data keys, mode 0700. What it loses nobody can make anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, chain: str) -> bytes | None:
        """The key of a case; None where nothing was sealed in it, or its key was destroyed."""
        file = self._file(chain)
        if not file.exists():
            return None
        text = read_private(file, "data key").strip()
        return None if text.startswith(_DESTROYED) else bytes.fromhex(text)

    def find_or_make(self, chain: str) -> bytes:
        """The key of a case, made when something is sealed in it for the first time.

        Raises UsageError where it was destroyed: what is said in that case from now on stays readable, so an
        officer has to decide that.
        """
        file = self._file(chain)
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
            _write(fresh, secrets.token_hex(_LENGTH))
            try:
                os.link(fresh, file)  # never over one that another program has just made
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = self.find(chain)
        if key is None:
            raise UsageError(
                f"the data key of case {chain} was destroyed",
                expected="no more personal data in that case",
                remedy=f"remove {file} to begin anew",
            )
        return key

    def destroy(self, chain: str, today: date) -> tuple[bytes, date]:
        """Overwrites the key of a case; gives its name, and the day on which that was done first.

        Raises UsageError where there never was one. What a file system or a backup keeps is not reached.
        """
        file = self._file(chain)
        if file.exists() and (text := read_private(file, "data key")).startswith(_DESTROYED):
            name_text, day = text.split()[1:]
            return bytes.fromhex(name_text), date.fromisoformat(day)
        key = self.find(chain)
        if key is None:
            raise UsageError(
                f"no data key of case {chain}",
                expected="a case in which this agency has sealed something",
                remedy="`casebus inbox --json` shows the chain ids",
            )
        name = data_key_name(key)
        with file.open("r+b") as opened:
            opened.write(secrets.token_hex(_LENGTH).encode())
            opened.flush()
            os.fsync(opened.fileno())
            opened.seek(0)
            opened.truncate()
            opened.write(f"{_DESTROYED} {name.hex()} {today.isoformat()}".encode())
            opened.flush()
            os.fsync(opened.fileno())
        return name, today

    def _file(self, chain: str) -> Path:
        if _CHAIN.fullmatch(chain) is None:
            raise UsageError("not a chain id", found=repr(chain)[:80], expected="a lower-case UUID")
        return self._folder / chain


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
