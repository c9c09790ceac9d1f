"""TLS of a door: its own certificate, and those by which the agency's systems are known to it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

from casebus_producers.private_files import read_private
from casebus_schemas.errors import UsageError
from casebus_schemas.strict_yaml import known_keys

from .clients import KINDS

Clients = Literal["none", "optional", "required"]


@dataclass(frozen=True, slots=True)
class DoorTls:
    """PEM files: the door's certificate with its chain, its private key (0600), the authority of the clients.

    `clients` says whether a system must show a certificate of that authority, or may show its bearer key.
    """

    certificate: Path
    key: Path
    client_authority: Path | None = None
    clients: Clients = "none"

    @classmethod
    def read(cls, where: str, body: Any, folder: Path) -> Self:
        """The entry of a settings file; paths that are not absolute are below `folder`. Raises UsageError."""
        known_keys(where, body, required=("certificate", "key"), optional=("client_authority", "clients"))
        authority, clients = body.get("client_authority"), body.get("clients")
        if clients is None:
            clients = "none" if authority is None else "required"
        if clients not in get_args(Clients) or (clients == "none") != (authority is None):
            raise UsageError(
                f"{where}: clients",
                found=repr(clients)[:40],
                expected="required or optional with a client_authority, none without",
            )
        files = {"certificate": body["certificate"], "key": body["key"], "client_authority": authority}
        for name, value in files.items():
            if value is not None and (not isinstance(value, str) or not value):
                raise UsageError(f"{where}: the file {name}", found=repr(value)[:80], expected="a path")
        return cls(
            folder / body["certificate"],
            folder / body["key"],
            None if authority is None else folder / authority,
            clients,
        )

    def context(self) -> ssl.SSLContext:
        """For a server, TLS 1.2 or newer. Raises UsageError for a bad file, or a key that others may read."""
        read_private(self.key, "door's private key")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self.certificate, self.key)
            if self.client_authority is not None:
                made.load_verify_locations(self.client_authority)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                "the door's certificates cannot be used",
                found=str(error)[:200],
                expected="PEM files of a certificate, its key, and an authority",
            ) from error
        modes = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
        made.verify_mode = modes[self.clients]
        return made


def names_in(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The names in a verified certificate as `ssl` gives it: `DNS:…`, `URI:…`, else `CN:…`."""
    if not certificate:
        return ()
    alternative = [f"{kind}:{name}" for kind, name in certificate.get("subjectAltName", ()) if kind in KINDS]
    common = [
        f"CN:{value}"
        for part in certificate.get("subject", ())
        for kind, value in part
        if kind == "commonName"
    ]
    return tuple(alternative or common)
