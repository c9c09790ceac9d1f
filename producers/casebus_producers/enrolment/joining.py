"""Takes the operator's answer: password and connection.json of the agency, in its own folder."""

import json
from typing import Any

from casebus_schemas.enrolment.excerpt import Excerpt
from casebus_schemas.errors import UsageError

from ..private_files import write_private
from .own_folder import (
    AUTHORITY,
    CHAIN,
    DATA,
    ENCRYPTION,
    PASSWORD,
    POLICY,
    SIGNING,
    TOKENS,
    WITNESS,
    OwnFolder,
    check_folder,
    write_whole,
)

_KEPT = ("door_url", "door_key_file", "desk_url", "witness_url")
"""What the agency itself has written into its connection.json."""


def joined(folder: OwnFolder, excerpt: Excerpt, operator: str) -> None:
    """Writes the password and connection.json; may be repeated with a newer excerpt of the same bus.

    `operator` is the operator's number, as the agency has it from the operator in person. Raises UsageError
    if it is another one's, if the password is sealed for another key, or the folder is another agency's.
    """
    if "".join(operator.lower().split()) != excerpt.operator_number:
        raise UsageError(
            "the connection is signed by another operator",
            found=excerpt.operator_number,
            expected=operator,
            remedy="call the operator and compare the number; trust no number that came with the file",
        )
    check_folder(folder.root)
    password = excerpt.password(folder.encryption_keys())
    before = _before(folder, excerpt)
    write_private(folder.file(PASSWORD), password)
    if excerpt.authority is not None:
        write_whole(folder.file(AUTHORITY), excerpt.authority)
    folder.file(DATA).mkdir(mode=0o700, exist_ok=True)
    body = {
        "bootstrap_servers": excerpt.bootstrap_servers,
        "security_protocol": excerpt.security_protocol,
        "sasl_mechanism": excerpt.sasl_mechanism,
        "ca_file": None if excerpt.authority is None else AUTHORITY,
        "policy_file": POLICY,
        "partitions": excerpt.partitions,
        "registry_url": excerpt.registry_url,
        "simulated_clock": excerpt.simulated_clock,
        "ledger": {"origin": excerpt.ledger_origin, "vkey": excerpt.ledger_vkey},
        "principals": {
            excerpt.agency: {
                **{name: before[name] for name in _KEPT if before.get(name) is not None},
                "username": excerpt.username,
                "password_file": PASSWORD,
                "signing_key_file": SIGNING,
                "chain_secret_file": CHAIN,
                "encryption_key_file": ENCRYPTION,
                "token_keys_file": TOKENS if folder.file(TOKENS).exists() else None,
                "data_dir": DATA,
                "witness_dir": WITNESS if folder.witness.exists() else None,
            }
        },
    }
    write_whole(folder.connection, json.dumps(body, indent=1, ensure_ascii=False) + "\n")


def _before(folder: OwnFolder, excerpt: Excerpt) -> dict[str, Any]:
    """The agency's own entry of the connection.json that is there."""
    if not folder.connection.exists():
        return {}
    try:
        known = json.loads(folder.connection.read_text(encoding="utf-8"))
        ledger, entry = known["ledger"]["origin"], known["principals"].get(excerpt.agency)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"cannot read {folder.connection}", found=type(error).__name__, expected="what this command wrote"
        ) from error
    if ledger != excerpt.ledger_origin or not isinstance(entry, dict):
        raise UsageError(
            "the folder is that of another bus or agency",
            found=f"{ledger}, {', '.join(known['principals'])}",
            expected=f"{excerpt.ledger_origin}, {excerpt.agency}",
        )
    return entry
