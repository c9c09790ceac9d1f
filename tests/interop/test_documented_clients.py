"""The programs of docs/clients.md, run as they stand there, on a whole bus."""

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from casebus_deploy.stack.stack import Stack
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.partitioning import murmur2
from support.cases.documented import blocks_of, files_of
from support.events.verdicts import verdict

FILES = files_of("clients.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs, each in its file."""
    folder = tmp_path_factory.mktemp("programs")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, connection: Path, program: str) -> list[dict[str, Any]]:
    """What a program prints, a JSON object a line."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(connection), "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, program], cwd=folder, env=env, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_python_block_is_a_file_that_a_test_runs() -> None:
    """No Python in the document is left untried."""
    assert len(blocks_of("clients.md", "python")) == len([name for name in FILES if name.endswith(".py")])
    assert {name for name in FILES if name.endswith(".py")} == {
        "signed_event.py",
        "for_kcat.py",  # test_kcat.py
        *(f"{client}_{act}.py" for client in ("kafka_python", "confluent") for act in ("produce", "consume")),
    }


@pytest.mark.broker
@pytest.mark.parametrize("client", ["kafka_python", "confluent"])
def test_an_event_from_outside_is_admitted_delivered_and_read(
    bus: Stack, connection_file: Path, folder: Path, client: str
) -> None:
    """What the producing program says is admitted and ledgered, and the consuming program reads it."""
    (said,) = run(folder, connection_file, f"{client}_produce.py")
    receipts = verdict(bus, "csrc", said["chain"], {"admitted", "ledgered"})
    assert set(receipts) == {"admitted", "ledgered"}
    place = {name: said[name] for name in ("topic", "partition", "offset")}
    assert receipts["admitted"]["origin"] == place
    heard = run(folder, connection_file, f"{client}_consume.py")
    told = [one for one in heard if one["chain"] == said["chain"]]
    assert told == [{"type": "referral.submitted", "chain": said["chain"], "to": ["mps"]}]


@pytest.mark.broker
def test_the_shared_program_computes_what_casebus_computes(
    connection_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partition hash and fingerprints of the document's own code equal ours."""
    monkeypatch.setenv("CASEBUS_CONNECTION", str(connection_file))
    program = loaded(folder / "signed_event.py")
    dice = random.Random(1)
    for length in range(60):
        data = dice.randbytes(length)
        assert program.murmur2(data) == murmur2(data) & 0xFFFFFFFF
    for schema in Catalog.load().schemas():
        assert program.fingerprint(schema.schema) == schema.fingerprint


def loaded(file: Path) -> ModuleType:
    """A program as a module."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
