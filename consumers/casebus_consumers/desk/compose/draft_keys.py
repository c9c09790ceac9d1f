"""Drafts at rest: AES-256-GCM, each under a key of its own that is kept apart from the database."""

import os
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casebus_producers.private_files import read_private, write_private
from casebus_schemas.errors import UsageError

_KEY_BYTES, _NONCE_BYTES = 32, 12
_ID = re.compile(r"[0-9a-f-]{36}")


def draft_keys_folder(data_dir: Path) -> Path:
    """Where the keys of an agency's drafts lie."""
    return data_dir / "draft-keys"


class DraftKeys:
    """A folder of mode 0700 with a file for each draft, mode 0600: without its key a draft is noise.

    Who copies or backs up `desk.db` alone copies no personal data; a draft that was sent or deleted cannot be
    opened from an older copy either, once its key is gone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seal(self, draft: str, part: str, text: bytes) -> bytes:
        """A part of a draft, sealed; makes the draft's key when it is asked for first."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._find_or_make(draft)).encrypt(nonce, text, f"{draft} {part}".encode())

    def open(self, draft: str, part: str, sealed: bytes) -> bytes:
        """What was sealed. Raises UsageError where the key is gone, or is not the one."""
        nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            key = bytes.fromhex(read_private(self._file(draft), "key of a draft").strip())
            return AESGCM(key).decrypt(nonce, text, f"{draft} {part}".encode())
        except (InvalidTag, ValueError, UsageError) as error:
            raise UsageError(
                "a draft that cannot be opened",
                expected="its key beside the database, as it was written",
                remedy="put both back from the same backup, or delete the draft",
            ) from error

    def destroy(self, draft: str) -> None:
        """Overwrites the key and removes it. What a file system or a backup keeps of it is not reached."""
        file = self._file(draft)
        if not file.exists():
            return
        with file.open("r+b") as opened:
            opened.write(secrets.token_hex(_KEY_BYTES).encode())
            opened.flush()
            os.fsync(opened.fileno())
        file.unlink()

    def _find_or_make(self, draft: str) -> bytes:
        file = self._file(draft)
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(file, secrets.token_hex(_KEY_BYTES))
        return bytes.fromhex(read_private(file, "key of a draft").strip())

    def _file(self, draft: str) -> Path:
        if _ID.fullmatch(draft) is None:
            raise UsageError("not the id of a draft", found=repr(draft[:80]))
        return self._folder / draft
