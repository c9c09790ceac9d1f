"""An agency joins: its keys stay in its folder, and the operator's answer is opened nowhere else."""

import json
from pathlib import Path

import pytest

from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.enrolment.joining import joined
from casebus_producers.enrolment.own_folder import OwnFolder
from casebus_producers.enrolment.requesting import request_file, request_to_join
from casebus_schemas.connection import Connection, Principal
from casebus_schemas.enrolment.excerpt import Excerpt, make_excerpt
from casebus_schemas.enrolment.request import Request
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.signing import SigningKey
from support.events.signed_events import seed_of

LEDGER = "casebus.example/ledger"
PASSWORD = "correct horse"


def folder_of(tmp_path: Path, name: str = "own") -> OwnFolder:
    """A folder that is not there yet."""
    return OwnFolder(tmp_path / name)


def requested(folder: OwnFolder, agency: str = "csrc") -> Request:
    """The request of an agency with fresh keys."""
    return request_to_join(folder, agency, LEDGER, "liaison office")


def excerpt_for(request: Request, **changes: object) -> Excerpt:
    """What an operator answers, of a bus on which others have logins too."""
    secret = Path("/nowhere/of-others")
    connection = Connection(
        bootstrap_servers="kafka:9092",
        partitions=4,
        principals={
            "csrc": Principal("csrc", secret / "csrc.password"),
            "mps": Principal("mps", secret / "mps.password", secret / "mps.signing-key"),
            "operator": Principal("operator", secret / "operator.password", secret / "operator.signing-key"),
        },
        databases={"ledger": "sqlite:////srv/ledger.db", "accounts": "sqlite:////srv/accounts.db"},
        security_protocol="SASL_SSL",
        ledger_origin=LEDGER,
        **changes,  # type: ignore[arg-type]
    )
    return make_excerpt(
        request.agency,
        connection,
        PASSWORD,
        request.encryption_key,
        SigningKey(seed_of("operator")),
        authority="-----BEGIN CERTIFICATE-----\n",
        now_ms=1_790_000_000_000,
    )


def test_keys_stay_in_files_of_their_owner(tmp_path: Path) -> None:
    """Each secret is a file of mode 0600 in a folder of mode 0700, and none of them is in the request."""
    folder = folder_of(tmp_path)
    requested(folder)
    assert folder.root.stat().st_mode & 0o777 == 0o700
    sent = (folder.root / request_file("csrc")).read_text()
    for name in ("signing-key", "encryption-key", "chain-secret"):
        file = folder.file(name)
        assert file.stat().st_mode & 0o777 == 0o600, name
        assert file.read_text() not in sent, name


def test_the_same_keys_are_asked_for_again(tmp_path: Path) -> None:
    """A request that got old is made anew with the keys that are there."""
    folder = folder_of(tmp_path)
    first, second = requested(folder), requested(folder)
    assert (first.signing_key, first.encryption_key) == (second.signing_key, second.encryption_key)
    assert first.id != second.id


@pytest.mark.parametrize("name", [".", "signing-key", "encryption-key", "chain-secret"])
def test_what_others_may_read_is_no_secret(tmp_path: Path, name: str) -> None:
    """A folder that others may enter, or a key that they may read, is refused before anything is said."""
    folder = folder_of(tmp_path)
    requested(folder)
    (folder.root / request_file("csrc")).unlink()
    (folder.root / name).chmod(0o755 if name == "." else 0o640)
    with pytest.raises(UsageError, match="others may"):
        requested(folder)
    assert not (folder.root / request_file("csrc")).exists()


def test_one_key_for_two_purposes_is_refused_at_home(tmp_path: Path) -> None:
    """A copied key does not leave the house as two."""
    folder = folder_of(tmp_path)
    requested(folder)
    folder.file("encryption-key").write_text(folder.file("signing-key").read_text())
    with pytest.raises(UsageError, match="two purposes"):
        requested(folder)


def test_the_answer_makes_a_connection_of_one_agency(tmp_path: Path) -> None:
    """The agency's programs find all they need in its folder, wherever that is moved to."""
    folder = folder_of(tmp_path)
    request = requested(folder)
    answer = excerpt_for(request)
    joined(folder, answer, answer.operator_number)
    moved = folder.root.rename(tmp_path / "elsewhere")
    connection = read_connection(moved / "connection.json")
    assert connection is not None
    assert list(connection.principals) == ["csrc"]
    assert dict(connection.databases) == {}
    settings = AgencySettings.read("csrc", connection)
    assert settings.kafka()["sasl_plain_password"] == PASSWORD
    assert settings.signing_key().public == request.signing_key
    assert (moved / "password").stat().st_mode & 0o777 == 0o600
    assert settings.ca_file == moved / "authority.pem"


def test_an_excerpt_names_nothing_of_others(tmp_path: Path) -> None:
    """Neither names nor paths of other logins stand in it, nor databases, nor the password in clear."""
    text = excerpt_for(requested(folder_of(tmp_path))).file.to_bytes().decode()
    for foreign in ("mps", "nowhere", "sqlite", "ledger.db", PASSWORD):
        assert foreign not in text, foreign


def test_only_the_agency_opens_its_answer(tmp_path: Path) -> None:
    """Another agency's folder opens no password, and is left as it was."""
    mine, other = folder_of(tmp_path), folder_of(tmp_path, "other")
    answer = excerpt_for(requested(mine))
    requested(other)
    with pytest.raises(UsageError, match="sealed for another key"):
        joined(other, answer, answer.operator_number)
    assert not other.connection.exists()
    assert not other.file("password").exists()


def test_an_answer_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Only the operator whose number was read out is believed; who changes the file has not its key."""
    folder = folder_of(tmp_path)
    answer = excerpt_for(requested(folder))
    with pytest.raises(UsageError, match="another operator"):
        joined(folder, answer, "0000-" * 7 + "0000")
    body = json.loads(answer.file.to_bytes())
    body["statement"]["bootstrap_servers"] = "kafka.elsewhere:9092"
    with pytest.raises(UsageError, match="not signed by the operator's key"):
        Excerpt.read(json.dumps(body).encode())


def test_a_newer_answer_keeps_what_the_agency_wrote(tmp_path: Path) -> None:
    """The address of its door stays; an answer of another bus is refused."""
    folder = folder_of(tmp_path)
    request = requested(folder)
    answer = excerpt_for(request)
    joined(folder, answer, answer.operator_number)
    body = json.loads(folder.connection.read_text())
    body["principals"]["csrc"]["door_url"] = "http://127.0.0.1:8443"
    folder.connection.write_text(json.dumps(body))
    joined(folder, answer, answer.operator_number)
    kept = read_connection(folder.connection)
    assert kept is not None
    assert kept.principal("csrc").door_url == "http://127.0.0.1:8443"
    body["ledger"]["origin"] = "another.example/ledger"
    folder.connection.write_text(json.dumps(body))
    with pytest.raises(UsageError, match="another bus or agency"):
        joined(folder, answer, answer.operator_number)


def test_a_folder_that_has_joined_makes_no_request(tmp_path: Path) -> None:
    """Its keys are exchanged, not asked for again."""
    folder = folder_of(tmp_path)
    answer = excerpt_for(requested(folder))
    joined(folder, answer, answer.operator_number)
    with pytest.raises(UsageError, match="joined a bus already"):
        requested(folder)


def test_who_is_no_agency_makes_no_key(tmp_path: Path) -> None:
    """Nothing is made for a name that agencies.yaml does not have."""
    folder = folder_of(tmp_path)
    with pytest.raises(UsageError, match="no such agency"):
        requested(folder, "police")
    assert not folder.root.exists()
