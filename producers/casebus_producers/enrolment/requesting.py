"""Makes an agency's keys, which stay in its folder, and the request that names their public halves."""

import secrets
import time
from collections.abc import Callable

from casebus_schemas.agencies import MEMBERS, WITNESSES
from casebus_schemas.enrolment.request import Request, make_request
from casebus_schemas.errors import UsageError
from casebus_schemas.evidence.ed25519 import PrivateKey
from casebus_schemas.evidence.signed_note import VerifierKey

from .own_folder import ENCRYPTION, SIGNING, OwnFolder, write_whole

WitnessKey = Callable[[], tuple[VerifierKey, PrivateKey]]


def request_file(agency: str) -> str:
    """Name of the file that goes to the operator."""
    return f"{agency}.request.json"


def request_to_join(
    folder: OwnFolder, agency: str, ledger: str, contact: str, witness: WitnessKey | None = None
) -> Request:
    """Makes what the folder lacks and writes the request into it; may be repeated, with the same keys.

    `witness` makes, or reads, the agency's key for cosigning. Raises UsageError for who is no agency, for
    files that others may read, and where one key would serve two purposes.
    """
    if agency not in MEMBERS:
        raise UsageError("no such agency", found=repr(agency), expected="one of " + ", ".join(MEMBERS))
    if witness is not None and agency not in WITNESSES:
        raise UsageError("no such witness", found=repr(agency), expected="one of " + ", ".join(WITNESSES))
    if folder.connection.exists():
        raise UsageError(
            f"{folder.root} has joined a bus already",
            found=str(folder.connection),
            expected="an empty folder, or one whose request waits",
            remedy="new keys in the place of those that sign here: casebus keys rotate",
        )
    folder.make()
    signing, encryption = folder.signing_key(), folder.encryption_keys()[0]
    if folder.file(SIGNING).read_text() in folder.file(ENCRYPTION).read_text():
        raise UsageError(
            "one key for two purposes",
            found=f"{SIGNING} and {ENCRYPTION} are the same",
            expected="a key of its own for each",
            remedy="let the command make them in an empty folder",
        )
    now_ms = time.time_ns() // 1_000_000
    request = make_request(
        agency,
        ledger,
        contact,
        signing,
        encryption,
        now_ms=now_ms,
        randomness=secrets.token_bytes(30),
        witness=None if witness is None else witness(),
    )
    write_whole(folder.file(request_file(agency)), request.file.to_bytes().decode())
    return request
