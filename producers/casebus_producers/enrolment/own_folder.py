"""The folder of an agency's own machine: its keys, its connection.json, its outbox."""

import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.signing import SigningKey

from ..private_files import read_private, write_private
from ..sealing.decryption_keys import read_decryption_keys

SIGNING, ENCRYPTION, CHAIN = "signing-key", "encryption-key", "chain-secret"
PASSWORD, TOKENS, AUTHORITY, POLICY = "password", "token-keys", "authority.pem", "policy"
WITNESS, DATA, CONNECTION = "witness", "data", "connection.json"


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """Paths below `root`; whatever is secret lies in files of mode 0600, in folders of mode 0700."""

    root: Path

    @property
    def connection(self) -> Path:
        """What the agency's programs are told."""
        return self.root / CONNECTION

    @property
    def witness(self) -> Path:
        """Folder of its witness's key and state."""
        return self.root / WITNESS

    def file(self, name: str) -> Path:
        """A file of that name."""
        return self.root / name

    def make(self) -> None:
        """The folder, and each secret of the agency that it lacks: nothing that is there is replaced.

        Raises UsageError if others may enter the folder, or read a secret that is there.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_folder(self.root)
        for name in (SIGNING, ENCRYPTION, CHAIN):
            _make_once(self.file(name), lambda: secrets.token_hex(32))
            read_private(self.file(name), name)

    def signing_key(self) -> SigningKey:
        """The agency's signing key. Raises UsageError as `read_private`."""
        read_private(self.file(SIGNING), "signing key")
        return SigningKey.from_file(self.file(SIGNING))

    def encryption_keys(self) -> list[DecryptionKey]:
        """The agency's encryption keys, the newest first. Raises UsageError as `read_decryption_keys`."""
        return read_decryption_keys(self.file(ENCRYPTION))


def check_folder(folder: Path) -> None:
    """Raises UsageError if others than the folder's owner may do anything with it."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise UsageError(
            f"others may enter the folder of keys {folder}",
            found=f"mode {mode:04o}",
            expected="0700",
            remedy="chmod 700 it, or name an empty folder",
        )


def write_whole(file: Path, text: str) -> None:
    """A file that is no secret, written as a whole."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def _make_once(file: Path, content: Callable[[], str]) -> None:
    if not file.exists():
        write_private(file, content())
