"""`casebus keys rotate` on a real Kafka: the drill of docs/how-to/rotate-keys.md."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.keys.keys_cli import app
from casebus_producers.private_files import write_private
from casebus_producers.sealing.decryption_keys import read_decryption_keys
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.signing import SigningKey
from support.cases.guides import blocks
from support.events.signed_events import Speaker, seed_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
AGENCY = "court"


@pytest.fixture
def connection(connection: Path, broker: EmbeddedBroker) -> Path:
    """A connection whose court signs with the key that every test on this broker announces first."""
    first = Speaker(AGENCY).announce().record
    producer: Any = KafkaProducer(**broker.admin_settings())
    headers = [(name, value or b"") for name, value in first.headers]
    producer.send(first.topic, first.value, first.key, headers, first.partition).get(30)
    producer.close()
    write_private(connection.with_name(f"{AGENCY}.signing-key"), seed_of(AGENCY).hex())
    return connection


def keys(connection: Path) -> dict[str, str | None]:
    """How each key of the court ended."""
    result = CliRunner().invoke(app, ["list", "-a", AGENCY, "-c", str(connection), "--json"])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {one["key_id"]: one["ended"] for one in lines if one["holder"] == AGENCY}


def test_a_key_is_exchanged_for_one_of_another_algorithm(connection: Path) -> None:
    """`rotate --algorithm sm2` announces and takes an SM2 key; the next one is SM2 too, and back it goes."""
    file = connection.with_name(f"{AGENCY}.signing-key")
    used = []
    for more in (["--algorithm", "sm2"], [], ["--algorithm", "ed25519"]):
        result = CliRunner().invoke(
            app, ["rotate", "-a", AGENCY, "-c", str(connection), "--keep-old", *more, "--json"]
        )
        assert result.exit_code == 0, (result.output, result.exception)
        key = SigningKey.from_file(file)
        assert json.loads(result.output)["new"] == key.key_id.hex()
        used.append(key.algorithm.name)
        assert keys(connection)[key.key_id.hex()] is None
    assert used == ["sm2", "sm2", "ed25519"]
    unknown = CliRunner().invoke(app, ["rotate", "-a", AGENCY, "-c", str(connection), "--algorithm", "rsa"])
    assert isinstance(unknown.exception, UsageError)
    assert "expected ed25519 or sm2" in str(unknown.exception)


def test_c16_the_drill_of_the_guide_exchanges_the_key(connection: Path) -> None:
    """Each command of the guide does what it says: a second key, then it alone; the old one signs no more."""
    file = connection.with_name(f"{AGENCY}.signing-key")
    signing = [SigningKey.from_file(file).key_id.hex()]
    for line in blocks("rotate-keys.md", "console")[0].splitlines():
        command = shlex.split(line.removeprefix("casebus keys "), comments=True)
        arguments = [AGENCY if word == "csrc" else word for word in command]
        result = CliRunner().invoke(app, [*arguments, "-c", str(connection)])
        assert result.exit_code == 0, (line, result.output, result.exception)
        signing.append(SigningKey.from_file(file).key_id.hex())
    first, second, third = dict.fromkeys(signing)
    ended = keys(connection)
    assert (ended[first], ended[second], ended[third]) == (None, "retired", None)
    assert file.with_name(f"{file.name}.{second[:16]}").stat().st_mode & 0o777 == 0o600
    file.write_text(file.with_name(f"{file.name}.{second[:16]}").read_text())
    refused = CliRunner().invoke(app, ["rotate", "-a", AGENCY, "-c", str(connection)]).exception
    assert isinstance(refused, UsageError)
    assert "may announce no other" in str(refused)


def test_an_encryption_key_is_announced_and_exchanged(connection: Path) -> None:
    """The key that is there is announced; the next one replaces it, and both stay in the file."""
    file = connection.with_name(f"{AGENCY}.encryption-key")
    first = file.read_text().strip()
    said = []
    for _ in range(2):
        result = CliRunner().invoke(app, ["encryption", "-a", AGENCY, "-c", str(connection), "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        said.append(json.loads(result.stdout))
    assert (said[0]["old"], said[1]["old"]) == (None, said[0]["new"])
    lines = file.read_text().split()
    assert (len(lines), lines[1]) == (2, first)
    assert file.stat().st_mode & 0o777 == 0o600
    read = [key.key_id.hex() for key in read_decryption_keys(file)]
    assert read == [said[1]["new"], said[0]["new"]]
    ended = keys(connection)
    assert (ended[said[0]["new"]], ended[said[1]["new"]]) == ("replaced", None)


def test_a_key_that_got_out_is_revoked(connection: Path) -> None:
    """The second key ends the first, by the beginning of its id, once, with a reason that everybody reads."""
    file = connection.with_name(f"{AGENCY}.signing-key")
    first = SigningKey.from_file(file).key_id.hex()
    told = ["-a", AGENCY, "-c", str(connection)]
    assert CliRunner().invoke(app, ["rotate", *told, "--keep-old"]).exit_code == 0
    order = ["revoke", first[:12], *told, "--reason", "stolen", "--since", "2026-01-01", "--json"]
    result = CliRunner().invoke(app, order)
    assert result.exit_code == 0, (result.output, result.exception)
    said = json.loads(result.stdout)
    assert (said["key_id"], said["reasons"]) == (first, "stolen")
    assert said["compromised_since"].startswith("2026-01-01T00:00:00")
    assert said["compromised_since_epoch"] == 0  # nothing is sealed on this bus
    ended = keys(connection)
    assert ended[first] == "revoked"
    assert ended[SigningKey.from_file(file).key_id.hex()] is None
    again = CliRunner().invoke(app, order).exception
    assert isinstance(again, UsageError)
    assert "it is revoked" in str(again)
