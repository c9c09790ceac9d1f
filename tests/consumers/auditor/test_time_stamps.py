"""Checkpoints stamped by an authority outside: offline in two steps, by HTTP, and what a stamp shows."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from casebus_consumers.auditor import time_stamps
from casebus_schemas.errors import RetryLater, UsageError
from casebus_services.ledger.store import LedgerStore
from support.ledger.ledger_commands import command, url_of
from support.ledger.ledgers import TOPIC, empty_sqlite, run
from support.ledger.proven import THREE, ProvenLedger, policy_file
from support.ledger.time_authority import REJECTED, STAMPED, Authority, years_later

TSA = Authority()


class Scene:
    """A sealed ledger, its commands, and the files of one stamp."""

    def __init__(self, folder: Path) -> None:
        self.store = LedgerStore(empty_sqlite(folder), writer="test")
        self.ledger = ProvenLedger(self.store, folder)
        self.grow(0, 300)
        self.folder, self.name = folder, folder / "anchor"
        self.policy = policy_file(folder)
        self.root = folder / "root.pem"
        self.root.write_bytes(TSA.pem)

    def grow(self, first: int, end: int) -> None:
        """More entries, and an epoch over them."""
        self.store.append([run(first, end)])
        self.ledger.seal(*THREE)

    def file(self, end: str) -> Path:
        """A file of the stamp."""
        return self.folder / f"anchor.{end}"

    def stamp(self, *more: object) -> tuple[int, str]:
        """`casebus ledger timestamp`."""
        return command("timestamp", self.name, "--database-url", url_of(self.ledger), *more)

    def answer(self, raw: bytes) -> tuple[int, str]:
        """The authority's response is brought back."""
        file = self.folder / "answer"
        file.write_bytes(raw)
        return self.stamp("--response", file)

    def verify(self, what: Path, *more: object, root: Path | None = None) -> tuple[int, str]:
        """`casebus ledger verify-timestamp`."""
        known = ("--authority", root or self.root, "--policy", self.policy)
        return command("verify-timestamp", what, "--response", self.file("tsr"), *known, *more)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """One with nothing stamped yet."""
    made = Scene(tmp_path)
    yield made
    made.store.close()


def test_a_checkpoint_is_stamped_offline(scene: Scene) -> None:
    """Request out, response back: the verifier shows when the checkpoint and its cosignatures were there."""
    code, told = scene.stamp()
    assert (code, "to the authority" in told) == (0, True)
    assert not scene.file("tsr").exists()
    assert scene.answer(TSA.stamp(scene.file("tsq").read_bytes()))[0] == 0
    code, told = scene.verify(scene.file("note"), "--json")
    body = json.loads(told)
    assert (code, body["proven"], body["size"], body["accuracy_s"]) == (0, True, 1, 1)
    assert body["stamped_at"] == STAMPED.isoformat()
    assert set(body["witnesses"]) == set(THREE)
    assert "已证明 proven: 不晚于" in scene.verify(scene.file("note"))[1]


def test_a_proof_is_made_with_the_stamped_checkpoint(scene: Scene) -> None:
    """An entry that the stamped checkpoint covers is proven up to it, so that one stamp dates every entry."""
    scene.stamp()
    scene.answer(TSA.stamp(scene.file("tsq").read_bytes()))
    scene.grow(300, 310)
    proof = scene.folder / "event.tlog-proof"
    how = ("-o", proof, "--database-url", url_of(scene.ledger), "--checkpoint", scene.file("note"))
    assert command("prove", f"{TOPIC}/0/17", *how)[0] == 0
    assert scene.verify(proof)[0] == 0
    assert command("verify-proof", proof, "--policy", scene.policy)[0] == 0
    code, told = command("prove", f"{TOPIC}/0/305", *how)
    assert (code, "no checkpoint over this entry" in told) == (2, True)
    other = scene.folder / "other.tlog-proof"
    assert command("prove", f"{TOPIC}/0/17", "-o", other, *how[2:4])[0] == 0
    code, told = scene.verify(other)
    assert (code, "Mismatch between messages" in told) == (1, True)


def test_the_readers_authority_and_policy_decide(scene: Scene) -> None:
    """A stamp of an authority that the reader does not trust, or over a poor checkpoint, shows nothing."""
    scene.stamp()
    scene.answer(TSA.stamp(scene.file("tsq").read_bytes()))
    foreign = scene.folder / "foreign.pem"
    foreign.write_bytes(Authority().pem)
    code, told = scene.verify(scene.file("note"), root=foreign)
    assert (code, "NOT PROVEN" in told) == (1, True)
    scene.policy = policy_file(scene.folder, 4)
    code, told = scene.verify(scene.file("note"))
    assert (code, "quorum" in told) == (1, True)
    foreign.write_text("no certificate")
    assert scene.verify(scene.file("note"), root=foreign)[0] in (1, 2)


def predated(response: bytes) -> bytes:
    """The same with another month in it."""
    assert response.count(b"20260301") == 1
    return response.replace(b"20260301", b"20260201")


@pytest.mark.parametrize(
    "made",
    [
        lambda request: Authority(usage=ExtendedKeyUsageOID.CLIENT_AUTH).stamp(request),
        lambda request: TSA.stamp(request, years_later(12)),
        lambda request: predated(TSA.stamp(request)),
    ],
    ids=["a certificate for other things", "after the certificate's term", "another time than was signed"],
)
def test_what_is_no_true_stamp(scene: Scene, made: object) -> None:
    """A certificate of another use or term, and a changed time, are refused by the verifier."""
    assert callable(made)
    scene.stamp()
    scene.answer(made(scene.file("tsq").read_bytes()))
    code, told = scene.verify(scene.file("note"))
    assert (code, "NOT PROVEN" in told) == (1, True)


def test_only_the_answer_to_the_request_is_kept(scene: Scene) -> None:
    """A response to another request, a refusal, and other bytes are told, and nothing is kept."""
    scene.stamp()
    request = scene.file("tsq").read_bytes()
    again = time_stamps.request_for(time_stamps.stamped_note(scene.file("note").read_bytes()))
    assert again != request
    for answer, why in (
        (TSA.stamp(again), "for another request"),
        (REJECTED, "granted no time stamp"),
        (b"<html>", "no response of RFC 3161"),
    ):
        code, told = scene.answer(answer)
        assert (code, why in told) == (2, True), told
    assert not scene.file("tsr").exists()
    code, told = scene.stamp()
    assert (code, "is there" in told) == (2, True)
    assert scene.file("tsq").read_bytes() == request


def test_an_authority_is_asked_by_http(scene: Scene) -> None:
    """With its address the request goes out and the response is kept in one step."""
    with served(lambda body: ("application/timestamp-reply", TSA.stamp(body))) as url:
        assert scene.stamp("--url", url)[0] == 0
    assert scene.verify(scene.file("note"))[0] == 0


def test_an_address_that_gives_no_stamp(scene: Scene) -> None:
    """A page, an address of another kind and nobody at all are told."""
    with (
        served(lambda _: ("text/html", b"hello")) as url,
        pytest.raises(UsageError, match="no time stamp"),
    ):
        time_stamps.ask(url, b"")
    with pytest.raises(RetryLater, match="does not answer"):
        time_stamps.ask(url, b"")
    with pytest.raises(UsageError, match="address"):
        time_stamps.ask("file:///etc/hosts", b"")


def test_without_the_extra_it_says_which(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is missing the command names the extra to install."""
    import sys

    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    code, told = scene.stamp()
    assert (code, "pip install 'casebus[timestamp]'" in told) == (2, True)


@contextmanager
def served(answer: Callable[[bytes], tuple[str, bytes]]) -> Iterator[str]:
    """An authority on a free port of this machine; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kind, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
