"""The operator's side of joining: a request is judged, its keys are announced, its agency gets a login."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from casebus_producers.config import KafkaLogin
from casebus_producers.enrolment.own_folder import write_whole
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.connection import Connection, Principal
from casebus_schemas.enrolment.excerpt import Excerpt, make_excerpt
from casebus_schemas.enrolment.judgement import unannounced
from casebus_schemas.enrolment.request import Request
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.evidence.genesis import read_genesis
from casebus_schemas.evidence.signed_note import VerifierKey
from casebus_schemas.evidence.trust_policy import TrustPolicy
from casebus_schemas.times import utc_text
from casebus_schemas.wire.records import Outgoing
from casebus_schemas.wire.signing import SigningKey

from .cluster_admin import cluster_admin
from .keys import key_file, read_keyring
from .logins import add_users, password_file

_SETTLED_S = 30.0
_POLL_S = 0.2
_SEND_S = 30.0


def enrolled_dir(data: Path) -> Path:
    """The folder of the approved requests, a file an agency; where it is, agencies enrol."""
    return data / "enrolled"


def enrolled(data: Path) -> Mapping[str, Mapping[str, Any]]:
    """What was approved, by agency."""
    folder = enrolled_dir(data)
    found = {
        file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))
    }
    return {agency: found[agency] for agency in MEMBERS if agency in found}


def judged(connection: Connection, file: Path, request: Request) -> Sequence[Outgoing]:
    """What of the request is still to be announced. Changes nothing.

    Raises UsageError if it is not to be approved, RetryLater if the broker is away.
    """
    entry = connection.principals.get(request.agency)
    if entry is not None and entry.signing_key_file is not None:
        raise UsageError(
            f"this bus has made the keys of {request.agency} itself",
            found=str(entry.signing_key_file),
            expected="a bus on which agencies have their own keys",
            remedy="start one in an empty folder: casebus up --no-agencies",
        )
    genesis = connection.genesis_file
    if genesis is not None and genesis.exists():
        pinned = read_genesis(genesis)
        if pinned.names(request.agency) and not pinned.pins(request.agency, request.key_ids["signing"]):
            raise UsageError(
                f"the genesis pins another key of {request.agency}",
                found=request.key_ids["signing"].hex(),
                expected="the signing key with which it founded the bus",
                remedy="a new request with the same keys: casebus enroll request, with the same --dir",
            )
    if connection.ledger_origin is None:
        raise UsageError("connection.json names no ledger", expected="its origin")
    return unannounced(
        request,
        read_keyring(connection),
        ledger=connection.ledger_origin,
        now_ms=time.time_ns() // 1_000_000,
        approved={one["request"] for one in enrolled(file.parent).values()},
        known=dict(_known_keys(connection, request.agency)),
    )


def approved(connection: Connection, file: Path, request: Request) -> list[int]:
    """Makes the agency's login, announces its keys as it signed them, keeps the request; gives the offsets.

    Broken off anywhere, the same call goes on from there. Raises as `judged`, and RetryLater if the cluster
    does not take the login or the events in time.
    """
    left = judged(connection, file, request)
    agency, secrets = request.agency, file.parent / "secrets"
    principal = Principal(username=agency, password_file=password_file(secrets, agency))
    with cluster_admin(connection, file, "a login is made only where the cluster is ours") as admin:
        add_users(admin, [agency], secrets)
        _until_taken(admin, agency, principal.password_file)
    known = replace(connection, principals={**connection.principals, agency: principal})
    offsets = _announce(known, agency, left)
    ring = read_keyring(connection)
    missing = [
        part for part, key in request.key_ids.items() if part != "witness" and not ring.find(agency, key)
    ]
    if missing:
        why = next((one.reason for one in ring.ignored if one.topic == f"{agency}.key"), "not there")
        raise RetryLater(
            f"the {' and the '.join(missing)} key of {agency} is not announced yet",
            found=why,
            expected="both keys in the keyring",
            remedy="give the same command again",
        )
    folder = enrolled_dir(file.parent)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(file, json.dumps(known.to_json(), indent=1, ensure_ascii=False) + "\n")
    body = {
        "request": str(request.id),
        "number": request.file.number,
        "contact": request.contact,
        "approved_at": utc_text(time.time_ns() // 1_000_000),
        "file": json.loads(request.file.to_bytes()),
    }
    write_whole(folder / f"{agency}.json", json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    return offsets


def exported(connection: Connection, agency: str) -> Excerpt:
    """The excerpt of one agency that has joined.

    Raises UsageError for who has not, RetryLater if the broker is away.
    """
    entry = connection.principals.get(agency)
    if agency not in MEMBERS or entry is None or not entry.password_file.exists():
        joined = ", ".join(name for name in MEMBERS if name in connection.principals)
        raise UsageError(
            f"{agency} has not joined this bus",
            found="no login of it",
            expected=joined or "an agency whose request was approved",
            remedy="casebus enroll approve FILE",
        )
    if entry.signing_key_file is not None:
        raise UsageError(
            f"this bus has made the keys of {agency} itself",
            found=str(entry.signing_key_file),
            expected="an agency with keys of its own",
            remedy="start a bus in an empty folder: casebus up --no-agencies",
        )
    now_ms = time.time_ns() // 1_000_000
    key = read_keyring(connection).encryption_key(agency, now_ms)
    if key is None:
        raise UsageError(
            f"{agency} has no valid encryption key",
            expected="one for which its password can be sealed",
            remedy="the agency announces one: casebus keys encryption",
        )
    operator = connection.principal(OPERATOR).signing_key_file
    if operator is None:
        raise UsageError("connection.json names no key of the operator", expected="its signing_key_file")
    return make_excerpt(
        agency,
        connection,
        entry.password_file.read_text(encoding="ascii").strip(),
        key.public,
        SigningKey.from_file(operator),
        authority=None if connection.ca_file is None else connection.ca_file.read_text(encoding="ascii"),
        now_ms=now_ms,
    )


def _known_keys(connection: Connection, agency: str) -> Iterator[tuple[bytes, str]]:
    """Public keys that stand in no keyring: the ledger's, and those of the policy's witnesses."""
    if connection.ledger_vkey is not None:
        yield VerifierKey.parse(connection.ledger_vkey).public, "the ledger"
    file = connection.policy_file
    if file is not None and file.exists():
        for name, one in TrustPolicy.parse(file.read_bytes(), str(file)).witnesses.items():
            if name != agency:  # its own line may stand there before the request is approved
                yield one.key.public, f"the witness {name}"


def _until_taken(admin: Any, agency: str, file: Path) -> None:
    from .tried_logins import is_taken

    password, deadline = file.read_text(encoding="ascii").strip(), time.monotonic() + _SETTLED_S
    while not is_taken(admin.config, agency, password):
        if time.monotonic() > deadline:
            raise RetryLater(
                "the cluster does not let the new login in yet",
                found=agency,
                remedy="give the same command again",
            )
        time.sleep(_POLL_S)


def _announce(connection: Connection, agency: str, events: Sequence[Outgoing]) -> list[int]:
    """Publishes the agency's own signed events under its login; gives their offsets."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    if not events:
        return []
    login = KafkaLogin.read(agency, connection)
    try:
        producer = KafkaProducer(**login.kafka(), acks="all", enable_idempotence=True, max_block_ms=15_000)
        try:
            return [int(producer.send(**_sent(event)).get(_SEND_S).offset) for event in events]
        finally:
            producer.close(5)
    except KafkaError as error:
        raise RetryLater(
            f"the keys were not taken by {agency}.key",
            found=type(error).__name__,
            expected="an acknowledgement",
            remedy="give the same command again",
        ) from error


def _sent(event: Outgoing) -> dict[str, Any]:
    return {
        "topic": event.topic,
        "partition": event.partition,
        "key": event.key,
        "value": event.value,
        "headers": [(name, value or b"") for name, value in event.headers],
    }


def operators_own(data: Path, secrets: Path, *, agencies: bool) -> tuple[str, ...]:
    """The agencies whose keys this machine makes and keeps: all, or none where they enrol.

    A folder in which agencies enrol stays one. Raises UsageError where it holds keys of agencies as well.
    """
    if agencies and not enrolled_dir(data).exists():
        return MEMBERS
    if held := [agency for agency in MEMBERS if key_file(secrets, agency).exists()]:
        raise UsageError(
            "this folder holds keys of agencies",
            found=", ".join(held),
            expected="none where agencies have their own",
            remedy="start the bus in an empty folder: keys that an operator had prove nothing against it",
        )
    enrolled_dir(data).mkdir(parents=True, exist_ok=True, mode=0o700)
    return ()
