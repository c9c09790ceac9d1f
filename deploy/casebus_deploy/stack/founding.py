"""The genesis file of a bus: made before its first word, named by that, and examined later."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from casebus_producers.config import KafkaLogin
from casebus_producers.enrolment.own_folder import write_whole
from casebus_producers.keys.keys_reader import read_keyring
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection
from casebus_schemas.enrolment.request import Request
from casebus_schemas.enrolment.signed_file import spoken
from casebus_schemas.errors import BusError, UsageError
from casebus_schemas.evidence.algorithms import of_public_key
from casebus_schemas.evidence.genesis import Genesis, PinnedKey, read_genesis
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.wire.signing import SigningKey

from .enrolment import operators_own
from .examined import Examined
from .keys import BUS_SIGNERS, key_file, log_vkey, make_secrets

SHOWN_NOTES = 5
_MEND = "hold the file against the members' copies: casebus keys genesis"


def genesis_file(data: Path) -> Path:
    """The genesis file in the data folder of a bus."""
    return data / "genesis"


def found_bus(data: Path, origin: str, requests: Iterable[Request]) -> Genesis:
    """Makes the keys of a bus that has not started, and its genesis with the agencies of these requests.

    Raises UsageError where there is a genesis already, and for requests that are not of members of this bus.
    """
    if genesis_file(data).exists():
        raise UsageError(
            "a bus has one genesis",
            found=str(genesis_file(data)),
            expected="a folder in which there is none",
            remedy="who joins later is approved without it: casebus enroll approve",
        )
    asked: dict[str, Request] = {}
    for request in requests:
        if request.ledger != origin or request.agency in asked or request.agency not in MEMBERS:
            raise UsageError(
                "a request that does not fit",
                found=f"{request.agency} asks to join {request.ledger}",
                expected=f"members of {origin}, one request each",
            )
        asked[request.agency] = request
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    secrets = data / "secrets"
    operators_own(data, secrets, agencies=False)
    make_secrets(secrets, ())
    keys = [_pinned(agency, one.signing_key) for agency, one in asked.items()]
    return _written(data, origin, keys, {name: one.witness for name, one in asked.items() if one.witness})


def genesis_of(
    data: Path, origin: str, agencies: Sequence[str], witnesses: Mapping[str, VerifierKey]
) -> Genesis:
    """The genesis with which a bus begins: the file that is there, else one of the keys that were made here.

    Raises UsageError if the file is of other keys than those with which this bus is about to begin.
    """
    file = genesis_file(data)
    if not file.exists():
        own = [_pinned(name, _public(data, name)) for name in agencies]
        return _written(data, origin, own, witnesses)
    found = read_genesis(file)
    wanted = {(BUS, name): SigningKey.from_file(key_file(data / "secrets", name)) for name in BUS_SIGNERS}
    wanted |= {(name, name): SigningKey.from_file(key_file(data / "secrets", name)) for name in agencies}
    other = [name for (holder, name), key in wanted.items() if not found.pins(holder, key.key_id)]
    if other or found.ledger != origin:
        raise UsageError(
            f"{file} is not of this bus",
            found=f"the ledger {found.ledger}, and no keys of {', '.join(other) or 'others'}",
            expected=f"the ledger {origin}, and the keys in {data / 'secrets'}",
            remedy="start the bus with the secrets and the --origin with which the file was made",
        )
    return found


def _written(
    data: Path, origin: str, keys: Sequence[PinnedKey], witnesses: Mapping[str, VerifierKey]
) -> Genesis:
    log = log_vkey(data / "secrets", origin)
    assert log is not None  # make_secrets has made it
    own = [_pinned(BUS, _public(data, name)) for name in BUS_SIGNERS]
    made = Genesis.of(origin, [VerifierKey.parse(log)], witnesses, [*own, *keys])
    write_whole(genesis_file(data), made.to_bytes().decode())
    return made


def _public(data: Path, signer: str) -> bytes:
    return SigningKey.from_file(key_file(data / "secrets", signer)).public


def _pinned(holder: str, public: bytes) -> PinnedKey:
    return PinnedKey(holder, of_public_key(public).name, public)


def genesis_examined(connection: Connection, file: Path | None) -> Iterator[Examined]:
    """What the doctor says of the first keys, by a genesis file: the reader's own, else that of the bus."""
    own = file is not None
    file = file or connection.genesis_file
    if file is None or not (own or file.exists()):
        yield Examined("genesis", "warn", "no genesis file: each first key is believed", "--genesis FILE")
        return
    principal = OPERATOR if OPERATOR in connection.principals else next(iter(connection.principals))
    try:
        genesis = read_genesis(file)
        ring = read_keyring(KafkaLogin.read(principal, connection), Catalog.load())
    except BusError as error:
        yield Examined("genesis", "bad" if isinstance(error, UsageError) else "warn", error.detail)
        return
    problems, notes = genesis.judge(ring.entries.values(), connection.ledger_origin)
    for problem in problems:
        yield Examined("genesis", "bad", problem, _MEND)
    for note in notes[:SHOWN_NOTES]:
        yield Examined("genesis", "ok", note)
    if not problems:
        whose = "your copy" if own else "as the operator has it"
        yield Examined("genesis", "ok", f"the bus began with it, {whose}; number {spoken(genesis.digest)}")
