"""The witnesses of a stack: their keys and states, and the two policies that name them."""

import time
from collections.abc import Mapping
from pathlib import Path

from casebus_consumers.witness.key_file import ENDED, KEY, enrol, is_of_another_ledger, key_name, load_key
from casebus_schemas.agencies import WITNESSES, Members
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.evidence.trust_policy import TrustPolicy, policy_text

FINAL, PROVISIONAL = 3, 2
"""How many make a checkpoint final, which survives one that lies and one that is away, or provisional."""


def witness_dir(data: Path, witness: str) -> Path:
    """Folder of a witness's key and state."""
    return data / "witnesses" / witness


def witness_dirs(data: Path) -> Mapping[str, Path]:
    """The same for all witnesses, by their login."""
    members = Members.load()
    return {members.login_of(witness): witness_dir(data, witness) for witness in WITNESSES}


def policy_file(data: Path) -> Path:
    """The policy by which a checkpoint is final."""
    return data / "policy"


def provisional_policy_file(data: Path) -> Path:
    """The policy by which a checkpoint is provisional."""
    return data / "policy.provisional"


def make_witnesses(data: Path, ledger_key: str | None, *, mirror: bool = True) -> Mapping[str, VerifierKey]:
    """Makes the keys that are missing and writes both policies; gives the witnesses' keys. Idempotent.

    `ledger_key` is the verifier key of the ledger; while it has none there is nothing to make.

    A ledger under another name has other witnesses' keys: those of before are kept beside. A key that ended
    stays ended: its witness is named by its old key, which cosigns nothing any more, until it has another.
    """
    if ledger_key is None:
        return {}
    log, known = VerifierKey.parse(ledger_key), _known(data)
    keys = {}
    for witness in WITNESSES:
        folder, name = witness_dir(data, witness), key_name(log.name, witness, mirror=mirror)
        ended = (folder / ENDED).exists() and not (folder / KEY).exists()
        if ended and not is_of_another_ledger(folder, name):
            if witness in known:
                keys[witness] = known[witness]
            continue
        enrol(folder, name)
        keys[witness] = load_key(folder, name).key
    for file, most in ((policy_file(data), FINAL), (provisional_policy_file(data), PROVISIONAL)):
        _write(file, policy_text([log], keys, most))
    return keys


def _known(data: Path) -> Mapping[str, VerifierKey]:
    try:
        policy = TrustPolicy.parse(policy_file(data).read_bytes(), str(policy_file(data)))
    except FileNotFoundError:
        return {}
    return {name: one.key for name, one in policy.witnesses.items()}


def _write(file: Path, text: str) -> None:
    """Writes a policy as a whole; one that is replaced stays, for what was cosigned under it."""
    if file.exists():
        old = file.read_text(encoding="utf-8")
        if old == text:
            return
        file.with_name(f"{file.name}.{time.time_ns()}").write_text(old, encoding="utf-8")
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
