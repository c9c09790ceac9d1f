"""Member agencies for tests: settings, keys, and events without personal data."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from casebus_deploy.stack.logins import password_file
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.outbox_events import ReadyEvent
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.topology import PRINCIPALS
from casebus_schemas.wire.ids import chain_id, uuid7
from casebus_schemas.wire.signing import SigningKey

START_MS = 1_476_720_000_000


def signing_key(number: int = 1) -> SigningKey:
    """The key of the published vectors."""
    return SigningKey(hashlib.sha256(f"casebus test key {number}".encode()).digest())


def ready(
    number: int, *, chain: int | None = None, channel: str = "referral", body: bytes = b""
) -> ReadyEvent:
    """A ready event whose value is no real Avro: for tests below the connector."""
    subject = chain_id(b"s" * 32, "csrc", "case", str(number if chain is None else chain))
    return ReadyEvent(
        id=uuid7(START_MS + number, hashlib.sha256(str(number).encode()).digest()[:10]),
        type="referral.submitted",
        source="/csrc/shanghai-office",
        time_ms=START_MS + number,
        subject=str(subject),
        channel=channel,
        value=b"\0\0\1\x86\xa1" + str(number).encode() + body,
        fingerprint=hashlib.sha256(b"example canonical form").digest(),
    )


def encryption_seed(agency: str) -> bytes:
    """The private encryption key of an agency in tests."""
    return hashlib.sha256(f"casebus test encryption key {agency}".encode()).digest()


def _write_private(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o600)


def open_outbox(folder: Path, agency: str = "csrc", partitions: int = 4) -> Outbox:
    """The outbox of an agency in a folder, signing with a test key."""
    return Outbox(folder / "outbox.db", agency=agency, key=signing_key(), partitions=partitions)


def write_connection(bootstrap_servers: str, credentials: Path, folder: Path) -> Path:
    """A connection.json with the keys and folders of all principals below `folder`."""
    principals: dict[str, Any] = {}
    for name in PRINCIPALS:
        principals[name] = {"username": name, "password_file": str(password_file(credentials, name))}
        if name in MEMBERS:
            seed = hashlib.sha256(f"seed of {name}".encode()).hexdigest()
            _write_private(folder / f"{name}.signing-key", seed)
            _write_private(folder / f"{name}.chain-secret", seed[::-1])
            _write_private(folder / f"{name}.encryption-key", encryption_seed(name).hex())
            _write_private(folder / f"{name}.token-keys", f"2020 {hashlib.sha256(b'2020').hexdigest()}\n")
            principals[name] |= {
                "signing_key_file": f"{name}.signing-key",
                "chain_secret_file": f"{name}.chain-secret",
                "encryption_key_file": f"{name}.encryption-key",
                "token_keys_file": f"{name}.token-keys",
                "data_dir": f"agencies/{name}",
            }
    file = folder / "connection.json"
    file.write_text(
        json.dumps(
            {
                "bootstrap_servers": bootstrap_servers,
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "SCRAM-SHA-512",
                "ca_file": None,
                "partitions": 4,
                "registry_url": None,
                "web_url": None,
                "databases": {"ledger": None, "accounts": None},
                "principals": principals,
            }
        )
    )
    return file


def settings_of(connection: Path, agency: str, **changes: Any) -> AgencySettings:
    """The agency's settings from a connection.json, with changes."""
    return replace(AgencySettings.read(agency, read_connection(connection)), **changes)


def outbox_of(settings: AgencySettings) -> Outbox:
    """The outbox that belongs to settings."""
    return Outbox(
        settings.outbox_file,
        agency=settings.agency,
        key=settings.signing_key(),
        partitions=settings.partitions,
        instance=settings.instance,
    )


def door_event(**changes: Any) -> dict[str, Any]:
    """A first referral at the agency's door, as JSON; `envelope` members may be changed one by one."""
    envelope = {
        "message_class": "initial",
        "to": ["mps"],
        "cc": ["spp"],
        "in_reply_to": None,
        "in_reply_to_hash": None,
        "corrects": None,
        "withdraws": None,
        "local_refs": [{"issuer": "csrc", "scheme": "case", "value": "demo-2016-jiang"}],
        "precision": "day",
        "date_basis": "stated",
        "legal_basis": [{"instrument": "decree-310", "article": "5"}],
        "handling": "H1",
        "obligation": None,
        "message_no": None,
        **changes.pop("envelope", {}),
    }
    data = {"envelope": envelope, **changes.pop("data", {})}
    return {
        "specversion": "1.0",
        "type": "referral.submitted",
        "source": "/csrc/shanghai-office",
        "id": str(UUID("0190163d-8694-739b-aea5-966c26f8ad91")),
        "time": datetime(2016, 10, 18, tzinfo=UTC).isoformat(),
        "subject": None,
        "data": data,
        **changes,
    }
