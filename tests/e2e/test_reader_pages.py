"""The pages for agencies, officers, auditors and operators, typed line by line on a running bus."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from casebus_deploy.stack.stack import Stack, StackOptions
from support.cases.documented import DOCS, blocks_of
from support.events.verdicts import LONG_S

pytestmark = pytest.mark.broker
SUSPECT = "甲某"
"""Whom the example names; the page names another."""
EXAMPLES = DOCS.parent / "schemas" / "casebus_schemas" / "examples"


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A whole bus of this file's own: what auditors are promised holds for all of it."""
    with Stack(StackOptions(data=tmp_path_factory.mktemp("pages") / "bus")) as stack:
        yield stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader sits, with a file of his events: a referral of a matter of his own."""
    folder = tmp_path_factory.mktemp("reader")
    event = json.loads((EXAMPLES / "referral.submitted.1.json").read_text(encoding="utf-8"))
    (folder / "events.jsonl").write_text(json.dumps(event, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder


def typed(bus: Stack, folder: Path, line: str, **places: str) -> str:
    """What a line of a page prints; it must end well. `places` stand for the words in capitals."""
    words = [places.get(word, word) for word in shlex.split(line, comments=True)]
    env = {**os.environ, "CASEBUS_CONNECTION": str(bus.connection_file), "HOME": str(folder)}
    program = [sys.executable, "-m", "casebus_deploy.cli.main", *words[1:]]
    done = subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True, timeout=LONG_S)
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def lines_of(page: str, begins: str = "casebus ") -> list[str]:
    """The commands of the first block of a page that has one which begins so."""
    blocks = (
        [line for line in block.splitlines() if line.startswith("casebus ")] for block in blocks_of(page, "")
    )
    return next(lines for lines in blocks if any(line.startswith(begins) for line in lines))


def test_each_line_of_the_pages_does_what_it_says(bus: Stack, folder: Path) -> None:
    """An agency publishes, an officer looks, an auditor verifies, an operator asks: all exit 0."""
    (client,) = lines_of("agency-system.md")
    typed(bus, folder, client)
    assert (folder / "ledger-system.key").stat().st_mode & 0o077 == 0
    checked, published = (typed(bus, folder, line) for line in lines_of("agency-system.md", "casebus check "))
    assert "referral.submitted" in checked
    receipts = [json.loads(line) for line in published.splitlines()]
    assert {one["stage"] for one in receipts} == {"published", "admitted", "ledgered"}
    chain = receipts[0]["event"]["chain"]

    once = [line.replace(" --follow", "") for line in lines_of("liaison-officer.md")]
    shown = {line.split()[1]: typed(bus, folder, line, 姜某君=SUSPECT) for line in once}
    assert "移送" in shown["inbox"]
    assert chain in shown["case"]

    for line in lines_of("auditor.md"):
        typed(bus, folder, line, CHAIN=chain)
    (doctor,) = [line for line in lines_of("operator.md") if line.startswith("casebus doctor")]
    assert "ok" in typed(
        bus, folder, doctor.replace("/srv/casebus/connection.json", str(bus.connection_file))
    )
