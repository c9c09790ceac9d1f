"""`casebus run witness`: an agency runs it with what an agency installs, and is told what is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = [
    "fastapi",
    "starlette",
    "uvicorn",
    "pydantic_settings",
    "faust",
    "aiokafka",
    "confluent_kafka",
    "psycopg",
    "jinja2",
]
"""Packages that the extra `client` does not bring."""
PROGRAM = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from casebus_deploy.cli.main import main
main()
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`casebus` with these arguments, without the packages of services."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CASEBUS_")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(WITHOUT), *arguments],
        env=env | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_agency_enrols_and_is_told_what_is_missing(tmp_path: Path) -> None:
    """A client's installation makes a key of the mirror's name, and says which setting is missing."""
    folder = str(tmp_path / "witness")
    made = run(
        "keys", "witness", "-a", "csrc", "--dir", folder, "--ledger", "casebus.example/ledger", "--json"
    )
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["key"]
    assert key.startswith("casebus.example/ledger/mirror/csrc+")
    missing = run("run", "witness", "--agency", "csrc", CASEBUS_WITNESS_DIR=folder)
    assert missing.returncode == 2
    assert "CASEBUS_POLICY_FILE" in missing.stderr


def test_a_key_that_no_policy_has_does_not_sign(tmp_path: Path) -> None:
    """It ends with 70 and both keys, before it reads anything."""
    from casebus_deploy.stack.witnesses import make_witnesses, policy_file, witness_dir
    from casebus_schemas.evidence.signed_note import NoteSigner

    log = str(NoteSigner("casebus.example/ledger", bytes(32)).key)
    for one in ("here", "there"):
        make_witnesses(tmp_path / one, log)
    (tmp_path / "password").write_text("secret")
    ended = run(
        "run",
        "witness",
        "--agency",
        "csrc",
        CASEBUS_POLICY_FILE=str(policy_file(tmp_path / "there")),
        CASEBUS_WITNESS_DIR=str(witness_dir(tmp_path / "here", "csrc")),
        CASEBUS_BOOTSTRAP_SERVERS="127.0.0.1:9",
        CASEBUS_SASL_USERNAME="csrc",
        CASEBUS_SASL_PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert ended.returncode == 70, ended.stderr
    assert "the policy has another key for csrc" in ended.stderr


@pytest.mark.parametrize("name", ["router", "court"])
def test_only_witnesses_of_the_file_run(name: str) -> None:
    """Who is no witness in agencies.yaml is told who is, and services take no agency."""
    arguments = ["router", "--agency", "csrc"] if name == "router" else ["witness", "--agency", name]
    refused = run("run", *arguments)
    assert refused.returncode == 2
    assert ("one of spp, mps, csrc, audit" in refused.stderr) == (name == "court")
