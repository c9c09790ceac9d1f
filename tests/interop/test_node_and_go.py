"""The Node and Go programs of docs/, run as they stand there: they say, correct, answer, hear and check."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.stack.stack import Stack
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Record
from support.cases.documented import blocks_of, files_of
from support.events.heard import heard
from support.events.verdicts import LONG_S

Client = Callable[..., list[dict[str, Any]]]
NEEDED = {"node": ("node", "npm"), "go": ("go",)}
LOCKS = {"node": ("package.json", "package-lock.json"), "go": ("go.mod", "go.sum")}
MADE_BY = {
    "node": ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    "go": ["go", "build", "-mod=readonly", "-o", "client", "."],
}
RUN_BY = {"node": ["node", "bus_client.mjs"], "go": ["./client"]}


@pytest.fixture(scope="module", params=["node", "go"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bus: Stack) -> Client:
    """A documented program with its locked packages, ready to be run with arguments."""
    language = request.param
    missing = [name for name in NEEDED[language] if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on this machine")
    folder = tmp_path_factory.mktemp(language)
    for name, text in files_of(f"clients-{language}.md").items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in LOCKS[language]:
        shutil.copy(Path(__file__).with_name(language) / name, folder)
    env = {**os.environ, "CASEBUS_CONNECTION": str(bus.connection_file)}

    def run(command: list[str], timeout_s: float) -> str:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=timeout_s)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(MADE_BY[language], 300)
    return lambda *words: [json.loads(line) for line in run([*RUN_BY[language], *words], 120).splitlines()]


def ended(client: Client, agency: str, chain: str, digests: set[str]) -> list[dict[str, Any]]:
    """The receipts that the program reads, once each of these events is refused or ledgered."""
    deadline = time.monotonic() + LONG_S
    while True:
        found = client("receipts", agency, chain)
        if digests <= {one["event"] for one in found if one["stage"] in ("refused", "ledgered")}:
            return found
        assert time.monotonic() < deadline, f"no end of {digests}, only {found}"


def records_at(bus: Stack, agency: str, said: list[dict[str, Any]]) -> list[Record]:
    """The records that a program says it has sent, in its order."""
    with TopicReader(KafkaLogin.read(agency, bus.connection), [f"{agency}.referral"]) as reader:
        there = {(record.partition, record.offset): record for record in reader.read_to(reader.ends())}
    return [there[one["partition"], one["offset"]] for one in said]


@pytest.mark.parametrize(("language", "kind"), [("node", "js"), ("go", "go")])
def test_c23_the_page_holds_nothing_but_what_is_run(language: str, kind: str) -> None:
    """Each block of code is a file that the test runs, and the versions named are the locked ones."""
    page = f"clients-{language}.md"
    assert len(blocks_of(page, kind)) == len(files_of(page)) == 2
    (shell,) = blocks_of(page, "sh")
    named = set(re.findall(r"([\w./-]+)@(v?[\d.]+\d)", shell))
    lock = Path(__file__).with_name(language) / LOCKS[language][0]
    locked = re.findall(r'"?([\w./-]+)"?:? "?(v?\d+\.\d+\.\d+)"?,?$', lock.read_text(), re.MULTILINE)
    assert named == {pair for pair in locked if pair[0] not in ("version", "go")}


@pytest.mark.broker
def test_c23_a_program_numbers_on_and_corrects(bus: Stack, client: Client) -> None:
    """A referral and its correction are one stream, have our digests and amounts, are ledgered."""
    said = client("produce", "csrc", "mps")
    assert [one["type"] for one in said] == ["referral.submitted", "referral.corrected"]
    referral, correction = records_at(bus, "csrc", said)
    assert [one["digest"] for one in said] == [digest_of(r).hex() for r in (referral, correction)]
    first, second = (EventHeaders.parse(record.headers) for record in (referral, correction))
    assert (first.seq, second.seq, second.prev) == (1, 2, digest_of(referral))
    data = [decode(Catalog.load(), record.value)[1] for record in (referral, correction)]
    assert [one["amounts"][0]["value"] for one in data] == [Decimal("4619.00"), Decimal("46190000.00")]
    assert data[1]["envelope"]["corrects"] == digest_of(referral)
    digests = {one["digest"] for one in said}
    receipts = ended(client, "csrc", said[0]["chain"], digests)
    assert {(one["event"], one["stage"]) for one in receipts} >= {
        (digest, stage) for digest in digests for stage in ("admitted", "ledgered")
    }
    assert all(one["signed"] for one in receipts)


@pytest.mark.broker
def test_c23_a_program_hears_checks_and_answers(bus: Stack, client: Client) -> None:
    """Every notice is read and proved as we read it; the answer names the referral's id and digest."""
    said = client("produce", "csrc", "mps")
    ended(client, "csrc", said[0]["chain"], {one["digest"] for one in said})
    (answer,) = client("answer", "mps", said[0]["chain"])
    receipts = ended(client, "mps", said[0]["chain"], {answer["digest"]})
    assert {one["stage"] for one in receipts if one["event"] == answer["digest"]} == {"admitted", "ledgered"}
    (record,) = records_at(bus, "mps", [answer])
    envelope = decode(Catalog.load(), record.value)[1]["envelope"]
    assert envelope["in_reply_to_hash"].hex() == said[0]["digest"]
    for agency in ("mps", "csrc"):
        expected = heard(bus, agency)
        assert said[0]["chain"] in {one["chain"] for one in expected}
        assert client("consume", agency)[: len(expected)] == expected
