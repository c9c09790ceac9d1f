"""Documents stay with their sender: a receiver's door fetches them in pieces, verified, scanned, once."""

import json
import signal
import sys
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.door.addresses import read_networks
from casebus_consumers.door.attachments.cli import app
from casebus_consumers.door.attachments.fetching import BEFORE_STORED, BETWEEN_PIECES
from casebus_consumers.door.attachments.store import MOST_BYTES, Annex, AttachmentStore, annexes_of
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.tls import DoorTls
from support.cases.chains import at
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.attachment_scene import DIGEST, DOCUMENT, PIECE, Sender, again, receiver, state
from support.scenes.certificates import Authority
from support.scenes.door_children import connection_of, fetch_documents, fetching
from support.scenes.door_scene import DoorScene
from support.scenes.forked import forked
from support.scenes.served import Served, serving

# --- fetched ---------------------------------------------------------------------------------------------


def test_a_document_comes_in_pieces_and_is_verified(sender: Sender, served: Served, tmp_path: Path) -> None:
    """Each piece asked for by its range and signed; whole under its digest; then nothing is asked."""
    sender.say()
    police = receiver(tmp_path / "police", served.url)
    assert state(police) == ("missing", None)
    assert police.fetch_one()
    assert police._store.path(DIGEST).read_bytes() == DOCUMENT
    assert state(police) == ("stored", None)
    assert served.ranges == [f"bytes={start}-{start + PIECE - 1}" for start in range(0, 3 * PIECE, PIECE)]
    assert not police.fetch_one()
    assert police._store.path(DIGEST).stat().st_mode & 0o777 == 0o400


def test_what_broke_off_goes_on(sender: Sender, served: Served, tmp_path: Path) -> None:
    """Behind what is here, not from the beginning."""
    sender.say()
    police = receiver(tmp_path / "police", served.url)
    served.cut_after = 2 * PIECE + 1000
    assert police.fetch_one()
    found, problem = state(police)
    assert found == "missing"
    assert problem is not None
    served.cut_after = None
    asked = len(served.ranges)
    again(police)
    assert state(police) == ("stored", None)
    assert int(served.ranges[asked].partition("=")[2].partition("-")[0]) >= 2 * PIECE


def test_another_content_is_not_stored(sender: Sender, served: Served, tmp_path: Path) -> None:
    """A door that gives other bytes of the same length gives nothing; the right ones are taken later."""
    sender.say()
    place = sender.scene.door.documents.path(DIGEST)
    place.chmod(0o600)
    place.write_bytes(bytes(len(DOCUMENT)))
    police = receiver(tmp_path / "police", served.url)
    police.fetch_one()
    assert "another digest" in str(state(police)[1])
    assert not police._store.path(DIGEST).exists()
    place.write_bytes(DOCUMENT)
    again(police)
    assert state(police) == ("stored", None)


@pytest.mark.parametrize(("code", "found"), [(0, "stored"), (1, "infected"), (2, "missing")])
def test_a_scanner_decides(sender: Sender, served: Served, tmp_path: Path, code: int, found: str) -> None:
    """Clean: stored; a virus: never here; a scanner that fails: not stored, tried again."""
    sender.say()
    seen = tmp_path / "seen"
    script = f"import sys; n = len(open(sys.argv[1], 'rb').read())\nopen({str(seen)!r}, 'w').write(str(n))\n"
    script += f"sys.exit({code})"
    police = receiver(tmp_path / "police", served.url, scanner=[sys.executable, "-c", script])
    police.fetch_one()
    assert state(police)[0] == found
    assert seen.read_text() == str(len(DOCUMENT))
    assert police._store.path(DIGEST).exists() == (code == 0)
    assert police._store.part(DIGEST).exists() == (code == 2)


def test_memory_is_flat(sender: Sender, served: Served, tmp_path: Path) -> None:
    """A document of 48 MiB is uploaded, sent and fetched within 16 MiB."""
    size = 48 * PIECE
    source = tmp_path / "large"
    with source.open("wb") as out:
        out.truncate(size)
    digest = sha256(bytes(size)).hexdigest()
    with source.open("rb") as opened:
        sender.scene.door.documents.add(iter(lambda: opened.read(PIECE), b""), digest)
    told = sender.scene.door.documents
    told.note("outbox", 0, [Annex("cd" * 32, digest, chain(1), "csrc", size, None, True)])
    sender.scene.door.said.told_of = lambda _digest: {"mps"}  # type: ignore[method-assign, assignment]
    police = fetching(tmp_path, served.url, piece=8 * PIECE)
    police._store.note("inbox", 0, [Annex("ab" * 32, digest, chain(1), "csrc", size, None, False)])
    tracemalloc.start()
    try:
        police.fetch_one()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state(police) == ("stored", None)
    assert peak < 16 * PIECE


def test_killed_at_any_place_it_goes_on(sender: Sender, served: Served, tmp_path: Path) -> None:
    """Killed between two pieces and before the document has its place: afterwards it is there, and no piece
    that was here was asked for again."""
    sender.say()
    folder = tmp_path / "police"
    police = receiver(folder, served.url)
    for place, number in ((BETWEEN_PIECES, 1), (BETWEEN_PIECES, 1), (BEFORE_STORED, 1)):
        child = forked(fetch_documents, folder, served.url, PIECE, {place: number})
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert state(police)[0] == "missing"
    again(police)
    assert police._store.path(DIGEST).read_bytes() == DOCUMENT
    assert served.ranges == [f"bytes={start}-{start + PIECE - 1}" for start in range(0, 3 * PIECE, PIECE)]


# --- who may have it -------------------------------------------------------------------------------------


def test_a_sender_at_an_internal_address_needs_a_setting(tmp_path: Path) -> None:
    """The document stays missing, with the reason; nothing is connected to."""
    asked: list[Any] = []

    def connect(address: Any, timeout_s: float) -> Any:
        asked.append(address)
        raise ConnectionRefusedError

    police = receiver(tmp_path / "police", "http://127.0.0.1:9", outbound=Outbound(connect=connect))
    police.fetch_one()
    assert "internal address" in str(state(police)[1])
    assert asked == []


def test_doors_show_each_other_their_certificates(sender: Sender, tmp_path: Path) -> None:
    """Where the sender's door wants one, a door that shows the certificate of `tls` has the document."""
    sender.say()
    authority = Authority(tmp_path)
    for name in ("csrc-door", "mps-door"):
        authority.issue(name)
    ca_file = tmp_path / "ca.pem"
    files = [(tmp_path / f"{name}.pem", tmp_path / f"{name}.key") for name in ("csrc-door", "mps-door")]
    with serving(sender.app, tls=DoorTls(*files[0], ca_file, "required")) as served:
        for shown, found in ((None, "missing"), (files[1], "stored")):
            outbound = Outbound(read_networks(["127.0.0.0/8"]), ca_file=ca_file, certificate=shown)
            police = receiver(tmp_path / "police", served.url, outbound=outbound)
            again(police)
            assert state(police)[0] == found


def test_a_sender_without_a_known_door_is_said(tmp_path: Path) -> None:
    """Which agency, and where its address is to be set."""
    police = receiver(tmp_path / "police", "", doors={})
    police.fetch_one()
    assert "csrc" in str(state(police)[1])


# --- the agency's own systems ----------------------------------------------------------------------------


def test_missing_is_seen_at_the_case(tmp_path: Path) -> None:
    """At the receiver: what a heard event names stands in the case, missing until it is here."""
    scene = DoorScene(tmp_path)
    annex = {"kind": "other", "title": "附件", "sha256": bytes.fromhex(DIGEST), "size": 5}
    said = {"envelope": envelope_at("2022-09-28", to=["csrc"]), "annexes": [annex | {"media_type": None}]}
    facts = {"question": "是否构成犯罪？"}
    asked = scene.admitter.speaker("mps").say("consultation.requested", said | facts, chain(1))
    scene.hear(asked, at("2022-09-28T10:00"))
    scene.arrive()
    documents = scene.door.documents
    scene.door._threads["attachments"].look()  # type: ignore[attr-defined]  # an Attachments
    (shown,) = scene.client.get(f"/v1/cases/{chain(1)}").json()["attachments"]
    assert (shown["state"], shown["from"], shown["size"]) == ("missing", "mps", 5)
    documents.add([DOCUMENT], DIGEST)
    (shown,) = scene.client.get(f"/v1/cases/{chain(1)}").json()["attachments"]
    assert shown["state"] == "stored"
    scene.close()


def test_heard_events_say_what_to_fetch(tmp_path: Path) -> None:
    """The annexes of a notice that have digest and size; those without are nothing to fetch."""
    known = {"sha256": bytes.fromhex(DIGEST), "size": 5, "media_type": "text/plain"}
    unknown = {"sha256": None, "size": None, "media_type": None}
    too_large = {"sha256": bytes(32), "size": MOST_BYTES + 1, "media_type": None}
    data = {"annexes": [known, unknown, too_large, known]}
    found = annexes_of(data, event="e", chain="c", speaker="csrc", own=False)
    assert found == [Annex("e", DIGEST, "c", "csrc", 5, "text/plain", False)]
    store = AttachmentStore(tmp_path)
    store.note("inbox", 4, found)
    store.note("inbox", 4, found)
    assert [one["state"] for one in store.listed("c")] == ["missing"]
    assert store.place("inbox") == 4


def test_a_document_is_uploaded_and_read_in_ranges(sender: Sender) -> None:
    """201 with its digest; again the same; a range of it; another digest: 422, and nothing is kept."""
    answer = sender.put(DOCUMENT)
    assert answer.status_code == 201
    assert answer.json() == {"sha256": DIGEST, "size": len(DOCUMENT), "link": f"/v1/attachments/{DIGEST}"}
    assert sender.put(DOCUMENT).status_code == 201
    part = sender.scene.client.get(answer.json()["link"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, DOCUMENT[10:20])
    wrong = sender.put(DOCUMENT, "0" * 64)
    assert wrong.status_code == 422
    assert sender.scene.client.get(f"/v1/attachments/{'0' * 64}").status_code == 404
    assert list((sender.scene.folder / "attachments" / "incoming").iterdir()) == []


def test_too_large_a_document_is_refused_before_it_comes(sender: Sender) -> None:
    """413 by what it says of its length."""
    headers = {"content-type": "application/octet-stream", "content-length": str(MOST_BYTES + 1)}
    answer = sender.scene.client.put(f"/v1/attachments/{DIGEST}", content=b"", headers=headers)
    assert answer.status_code == 413


def test_commands_add_list_and_fetch(tmp_path: Path, monkeypatch: Any) -> None:
    """`add` prints what an annex says; `list` shows what is missing; `fetch` makes it due."""
    monkeypatch.setenv("CASEBUS_CONNECTION", str(connection_of(tmp_path)))
    file = tmp_path / "report.pdf"
    file.write_bytes(DOCUMENT)
    run = CliRunner().invoke
    added = run(app, ["add", str(file), "--agency", "csrc", "--media-type", "application/pdf"])
    assert json.loads(added.output) == {
        "sha256": DIGEST,
        "size": len(DOCUMENT),
        "media_type": "application/pdf",
    }
    AttachmentStore(tmp_path / "attachments").note(
        "inbox", 1, [Annex("ab" * 32, "0" * 64, chain(1), "mps", 5, None, False)]
    )
    (missing,) = json.loads(run(app, ["list", "--agency", "csrc", "--missing", "--json"]).output)
    assert (missing["sha256"], missing["state"]) == ("0" * 64, "missing")
    assert run(app, ["fetch", "--agency", "csrc"]).output.strip().endswith("1")
