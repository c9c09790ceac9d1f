"""Settings come from connection.json or variables, and say what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from casebus_producers.config import AgencySettings, KafkaLogin, read_connection
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError


def body(**changes: Any) -> dict[str, Any]:
    """A connection.json."""
    csrc = {
        "username": "csrc",
        "password_file": "secrets/csrc.password",
        "signing_key_file": "secrets/csrc.signing-key",
        "chain_secret_file": "secrets/csrc.chain-secret",
        "data_dir": "agencies/csrc",
    }
    return {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "ca_file": None,
        "partitions": 4,
        "registry_url": None,
        "web_url": "http://127.0.0.1:8080",
        "databases": {"ledger": "sqlite:///ledger.db", "accounts": None},
        "principals": {
            "csrc": csrc,
            "auditor": {"username": "auditor", "password_file": "/x/auditor.password"},
        },
        **changes,
    }


def test_a_connection_is_read_and_written_alike(tmp_path: Path) -> None:
    """What is written is read back equal; relative paths lie beside the file."""
    connection = Connection.from_json(body(), tmp_path)
    assert Connection.from_json(connection.to_json(), Path("/elsewhere")) == connection
    assert connection.principals["csrc"].data_dir == tmp_path / "agencies/csrc"
    assert connection.principals["auditor"].password_file == Path("/x/auditor.password")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"partitions": 0}, "/partitions"),
        ({"bootstrap_servers": None}, "/bootstrap_servers"),
        ({"principals": []}, "/principals"),
        ({"principals": {"csrc": {"username": "csrc"}}}, "/principals/csrc/password_file"),
        ({"databases": {"ledger": 3}}, "/databases/ledger"),
    ],
)
def test_a_wrong_connection_names_the_member(tmp_path: Path, changes: dict[str, Any], place: str) -> None:
    """The error names the member of the JSON that is wrong."""
    with pytest.raises(UsageError, match=place):
        Connection.from_json(body(**changes), tmp_path)


def test_settings_of_an_agency_come_from_its_entry(tmp_path: Path) -> None:
    """An agency's settings are those of its entry, its files beside connection.json."""
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(body()))
    settings = AgencySettings.read("csrc", read_connection(file))
    assert (settings.agency, settings.sasl_username, settings.partitions) == ("csrc", "csrc", 4)
    assert settings.outbox_file == tmp_path / "agencies/csrc/outbox.db"


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    """CASEBUS_CONNECTION names the file where no option does."""
    file = tmp_path / "connection.json"
    file.write_text(json.dumps(body()))
    assert read_connection(None, {"CASEBUS_CONNECTION": str(file)}) == read_connection(file)
    assert read_connection(None, {}) is None


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """A connection.json that is not there leads to `casebus up`."""
    with pytest.raises(UsageError, match="casebus up"):
        read_connection(tmp_path / "connection.json")


def test_an_unknown_agency_is_named(tmp_path: Path) -> None:
    """Only member agencies have an outbox."""
    with pytest.raises(UsageError, match=r"no such agency.*csrc, mps, spp, court"):
        AgencySettings.read("fbi", Connection.from_json(body(), tmp_path))


def test_an_agency_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    """A connection.json of one agency's machine does not speak for another."""
    with pytest.raises(UsageError, match=r"no such principal.*mps.*auditor, csrc"):
        AgencySettings.read("mps", Connection.from_json(body(), tmp_path))


def test_settings_may_come_from_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a connection.json everything is a CASEBUS_* variable; what is missing is named."""
    for name in ("BOOTSTRAP_SERVERS", "SASL_USERNAME", "SASL_PASSWORD_FILE", "SIGNING_KEY_FILE", "DATA_DIR"):
        monkeypatch.delenv(f"CASEBUS_{name}", raising=False)
    with pytest.raises(UsageError, match=r"CASEBUS_BOOTSTRAP_SERVERS.*CASEBUS_SASL_USERNAME"):
        KafkaLogin.read("auditor")
    monkeypatch.setenv("CASEBUS_BOOTSTRAP_SERVERS", "a:1,b:2")
    monkeypatch.setenv("CASEBUS_SASL_USERNAME", "auditor")
    (tmp_path / "password").write_text("secret\n")
    monkeypatch.setenv("CASEBUS_SASL_PASSWORD_FILE", str(tmp_path / "password"))
    kafka = KafkaLogin.read("auditor").kafka()
    assert (kafka["bootstrap_servers"], kafka["sasl_plain_password"]) == (["a:1", "b:2"], "secret")


def test_a_missing_secret_names_its_file(tmp_path: Path) -> None:
    """A password or key file that is not there is named."""
    settings = AgencySettings.read("csrc", Connection.from_json(body(), tmp_path))
    with pytest.raises(UsageError, match=r"csrc\.password"):
        settings.kafka()
    with pytest.raises(UsageError, match=r"csrc\.signing-key"):
        settings.signing_key()
    with pytest.raises(UsageError, match=r"csrc\.chain-secret"):
        settings.chain_secret()
