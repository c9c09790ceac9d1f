"""The content of connection.json: where a running system is and which files hold whose credentials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .errors import UsageError

_REMEDY = "let `casebus up` write it anew"


@dataclass(frozen=True, slots=True)
class Principal:
    """One who may log in, and the files of its secrets. A file it does not need is None."""

    username: str
    password_file: Path
    signing_key_file: Path | None = None
    chain_secret_file: Path | None = None
    encryption_key_file: Path | None = None
    token_keys_file: Path | None = None
    data_dir: Path | None = None
    witness_dir: Path | None = None
    """Folder of its witness's key and state."""
    witness_url: str | None = None
    """Where its witness answers add-checkpoint by HTTP."""
    door_url: str | None = None
    """Where its door answers its own systems by HTTP."""
    door_key_file: Path | None = None
    """The bearer key of a client of its door."""
    desk_url: str | None = None
    """Where its officers open their desk in a browser."""
    desk_users_file: Path | None = None
    """Officers of an embedded desk with the passwords that `up` made for them."""

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that hold a secret."""
        named = (self.password_file, self.signing_key_file, self.chain_secret_file)
        return tuple(
            file for file in (*named, self.encryption_key_file, self.token_keys_file) if file is not None
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """Addresses and credential files of a running system. Databases are SQLAlchemy URLs by name."""

    bootstrap_servers: str
    partitions: int
    principals: Mapping[str, Principal]
    databases: Mapping[str, str]
    security_protocol: str = "SASL_PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    ca_file: Path | None = None
    policy_file: Path | None = None
    """Trust policy: the ledger's key, its witnesses' keys, and how many of them make a checkpoint final."""
    genesis_file: Path | None = None
    """With which keys the bus began, as whoever runs it says: a reader brings his own copy."""
    registry_url: str | None = None
    web_url: str | None = None
    simulated_clock: bool = False
    ledger_origin: str | None = None
    """Name of the ledger for outsiders, in every checkpoint."""
    ledger_vkey: str | None = None
    """Verifier key of its checkpoints, as whoever runs it says: an auditor brings his own."""
    ledger_key_file: Path | None = None
    """The key that signs them; only the operator has it."""
    ledger_receipt_key_file: Path | None = None
    """The key that signs COSE receipts; only the operator has it."""

    @classmethod
    def from_json(cls, body: object, folder: Path) -> "Connection":
        """Reads the parsed JSON; paths that are not absolute are below `folder`.

        Unknown members are ignored, so that an older program reads a newer file. Raises UsageError naming
        the member at fault.
        """
        root = _object(body, "connection.json")
        principals = {
            name: _principal(_object(entry, f"/principals/{name}"), f"/principals/{name}", folder)
            for name, entry in _object(root.get("principals"), "/principals").items()
        }
        databases = _object(root.get("databases") or {}, "/databases")
        ledger = _object(root.get("ledger") or {}, "/ledger")
        partitions = root.get("partitions")
        if not isinstance(partitions, int) or isinstance(partitions, bool) or partitions < 1:
            raise _wrong("/partitions", partitions, "a number from 1")
        return cls(
            bootstrap_servers=_servers(root.get("bootstrap_servers")),
            partitions=partitions,
            principals=MappingProxyType(principals),
            databases=MappingProxyType(
                {name: _text(url, f"/databases/{name}") for name, url in databases.items() if url is not None}
            ),
            security_protocol=_text(root.get("security_protocol"), "/security_protocol"),
            sasl_mechanism=_text(root.get("sasl_mechanism"), "/sasl_mechanism"),
            ca_file=_path(root.get("ca_file"), "/ca_file", folder),
            policy_file=_path(root.get("policy_file"), "/policy_file", folder),
            genesis_file=_path(root.get("genesis_file"), "/genesis_file", folder),
            registry_url=_optional_text(root.get("registry_url"), "/registry_url"),
            web_url=_optional_text(root.get("web_url"), "/web_url"),
            simulated_clock=root.get("simulated_clock") is True,
            ledger_origin=_optional_text(ledger.get("origin"), "/ledger/origin"),
            ledger_vkey=_optional_text(ledger.get("vkey"), "/ledger/vkey"),
            ledger_key_file=_path(ledger.get("key_file"), "/ledger/key_file", folder),
            ledger_receipt_key_file=_path(ledger.get("receipt_key_file"), "/ledger/receipt_key_file", folder),
        )

    def to_json(self) -> dict[str, Any]:
        """The object that `from_json` reads."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "ca_file": _spelled(self.ca_file),
            "policy_file": _spelled(self.policy_file),
            "genesis_file": _spelled(self.genesis_file),
            "partitions": self.partitions,
            "registry_url": self.registry_url,
            "web_url": self.web_url,
            "simulated_clock": self.simulated_clock,
            "ledger": {
                "origin": self.ledger_origin,
                "vkey": self.ledger_vkey,
                "key_file": _spelled(self.ledger_key_file),
                "receipt_key_file": _spelled(self.ledger_receipt_key_file),
            },
            "databases": {"ledger": None, "accounts": None, **self.databases},
            "principals": {
                name: {
                    "username": entry.username,
                    "password_file": str(entry.password_file),
                    "signing_key_file": _spelled(entry.signing_key_file),
                    "chain_secret_file": _spelled(entry.chain_secret_file),
                    "encryption_key_file": _spelled(entry.encryption_key_file),
                    "token_keys_file": _spelled(entry.token_keys_file),
                    "data_dir": _spelled(entry.data_dir),
                    "witness_dir": _spelled(entry.witness_dir),
                    "witness_url": entry.witness_url,
                    "door_url": entry.door_url,
                    "door_key_file": _spelled(entry.door_key_file),
                    "desk_url": entry.desk_url,
                    "desk_users_file": _spelled(entry.desk_users_file),
                }
                for name, entry in self.principals.items()
            },
        }

    def secret_files(self) -> Iterator[Path]:
        """Every file of a secret that this names."""
        for entry in self.principals.values():
            yield from entry.secret_files
        for file in (self.ledger_key_file, self.ledger_receipt_key_file):
            if file is not None:
                yield file

    def principal(self, name: str) -> Principal:
        """The entry of that name. Raises UsageError naming those there are."""
        entry = self.principals.get(name)
        if entry is None:
            raise UsageError(
                "connection.json knows no such principal",
                found=repr(name),
                expected="one of " + ", ".join(sorted(self.principals)),
            )
        return entry


def _principal(entry: Mapping[str, Any], at: str, folder: Path) -> Principal:
    password_file = _path(entry.get("password_file"), f"{at}/password_file", folder)
    if password_file is None:
        raise _wrong(f"{at}/password_file", None, "a path")
    return Principal(
        username=_text(entry.get("username"), f"{at}/username"),
        password_file=password_file,
        signing_key_file=_path(entry.get("signing_key_file"), f"{at}/signing_key_file", folder),
        chain_secret_file=_path(entry.get("chain_secret_file"), f"{at}/chain_secret_file", folder),
        encryption_key_file=_path(entry.get("encryption_key_file"), f"{at}/encryption_key_file", folder),
        token_keys_file=_path(entry.get("token_keys_file"), f"{at}/token_keys_file", folder),
        data_dir=_path(entry.get("data_dir"), f"{at}/data_dir", folder),
        witness_dir=_path(entry.get("witness_dir"), f"{at}/witness_dir", folder),
        witness_url=_optional_text(entry.get("witness_url"), f"{at}/witness_url"),
        door_url=_optional_text(entry.get("door_url"), f"{at}/door_url"),
        door_key_file=_path(entry.get("door_key_file"), f"{at}/door_key_file", folder),
        desk_url=_optional_text(entry.get("desk_url"), f"{at}/desk_url"),
        desk_users_file=_path(entry.get("desk_users_file"), f"{at}/desk_users_file", folder),
    )


def _wrong(at: str, found: object, expected: str) -> UsageError:
    return UsageError(f"connection.json: {at}", found=repr(found)[:80], expected=expected, remedy=_REMEDY)


def _object(value: object, at: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(at, value, "an object")
    return value


def _text(value: object, at: str) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(at, value, "a text")
    return value


def _optional_text(value: object, at: str) -> str | None:
    return None if value is None else _text(value, at)


def _servers(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return _text(value, "/bootstrap_servers")


def _path(value: object, at: str, folder: Path) -> Path | None:
    return None if value is None else folder / _text(value, at)


def _spelled(path: Path | None) -> str | None:
    return None if path is None else str(path)
