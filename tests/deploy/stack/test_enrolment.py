"""The operator's folder: either it makes all agencies' keys, or none of them, and what it was it stays."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from casebus_deploy.cli.enroll import app
from casebus_deploy.stack import keys
from casebus_deploy.stack.enrolment import exported, judged, operators_own
from casebus_deploy.stack.principals import stack_principals
from casebus_producers.config import read_connection
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.connection import Connection
from casebus_schemas.enrolment.request import Request, make_request
from casebus_schemas.errors import UsageError
from casebus_schemas.sealed.cipher import DecryptionKey
from casebus_schemas.wire.signing import SigningKey
from support.cases.members import write_connection


def test_a_bus_for_trial_makes_all_keys_and_another_none(tmp_path: Path) -> None:
    """Without agencies only the bus's own secrets are made."""
    keys.make_secrets(tmp_path / "trial", operators_own(tmp_path / "a", tmp_path / "trial", agencies=True))
    keys.make_secrets(tmp_path / "bus", operators_own(tmp_path / "b", tmp_path / "bus", agencies=False))
    made = {file.name for file in (tmp_path / "bus").iterdir()}
    assert {f"{name}.signing-key" for name in (*keys.BUS_SIGNERS, "log")} <= made
    assert not [name for name in made if name.partition(".")[0] in MEMBERS]
    trial = {file.name for file in (tmp_path / "trial").iterdir()}
    assert {f"{name}.signing-key" for name in MEMBERS} <= trial


def test_a_folder_stays_what_it_was(tmp_path: Path) -> None:
    """Where agencies enrol nobody makes their keys later; where their keys were made they do not enrol."""
    assert operators_own(tmp_path / "bus", tmp_path / "bus" / "secrets", agencies=False) == ()
    assert operators_own(tmp_path / "bus", tmp_path / "bus" / "secrets", agencies=True) == ()
    keys.make_secrets(tmp_path / "trial" / "secrets")
    with pytest.raises(UsageError, match="holds keys of agencies"):
        operators_own(tmp_path / "trial", tmp_path / "trial" / "secrets", agencies=False)


def test_who_has_not_joined_has_no_entry(tmp_path: Path) -> None:
    """An agency that enrolled has its login in the operator's connection.json, and no file of a key."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "csrc.password").write_text("x")
    found = stack_principals(tmp_path, tmp_path / "secrets", (), witnesses=False)
    assert [name for name in MEMBERS if name in found] == ["csrc"]
    assert found["csrc"].secret_files == (tmp_path / "secrets" / "csrc.password",)
    assert found["router"].signing_key_file is not None
    assert found["ledger"].signing_key_file is not None


def made() -> Request:
    """A request of the regulator."""
    return make_request(
        "csrc",
        "casebus.example/ledger",
        "office",
        SigningKey(bytes(32)),
        DecryptionKey(bytes(31) + b"\1"),
        now_ms=1_790_000_000_000,
        randomness=bytes(30),
    )


@pytest.fixture
def trial(tmp_path: Path) -> tuple[Connection, Path]:
    """The connection of a bus that has made all keys."""
    file = write_connection("127.0.0.1:9", tmp_path, tmp_path)
    for name in MEMBERS:
        (tmp_path / f"{name}.password").write_text("secret")
    connection = read_connection(file)
    assert connection is not None
    return connection, file


def test_keys_that_the_operator_made_are_not_given_out(trial: tuple[Connection, Path]) -> None:
    """A bus for trial approves nobody and exports nobody: it is told how to begin one for use."""
    connection, file = trial
    request = made()
    with pytest.raises(UsageError, match="made the keys of csrc itself"):
        judged(connection, file, request)
    with pytest.raises(UsageError, match="made the keys of csrc itself"):
        exported(connection, "csrc")
    with pytest.raises(UsageError, match="police has not joined"):
        exported(connection, "police")


def test_only_the_request_that_was_meant_is_approved(trial: tuple[Connection, Path], tmp_path: Path) -> None:
    """Another agency's file, or one whose number is not that which was read out, is refused at once."""
    file = tmp_path / "csrc.request.json"
    file.write_bytes(made().file.to_bytes())
    given = ["approve", str(file), "-c", str(trial[1])]
    for wrong, said in (
        (["--agency", "mps"], "the request is of another agency"),
        (["--number", "0000-" * 7 + "0000"], "the number is not that of this request"),
    ):
        refused = CliRunner().invoke(app, [*given, *wrong]).exception
        assert isinstance(refused, UsageError)
        assert refused.message == said
    spoken = f" {made().file.number.upper()} "
    assert "made the keys of csrc itself" in str(
        CliRunner().invoke(app, [*given, "--number", spoken]).exception
    )
    assert CliRunner().invoke(app, ["show", str(file)]).stdout.strip().endswith(made().file.number)
