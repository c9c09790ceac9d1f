"""A witness by HTTP gives the answers of tlog-witness, behind the guard of our web applications."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from casebus_consumers.witness.cosigning import Answer, Cosigning
from casebus_consumers.witness.http import METHODS, MOST_BYTES, create_app
from casebus_schemas.evidence.signed_note import SignedNote
from casebus_services.web_guard import LOOPBACK, Guarded
from support.ledger.head_logs import ORIGIN
from support.ledger.witness_scenes import View, cosigned, policy, witness


class Asked:
    """What the application asks: one witness."""

    def __init__(self, one: Cosigning) -> None:
        self.one = one

    def submit(self, raw: bytes) -> Answer:
        """As the program."""
        return self.one.submit(raw)

    def newest(self) -> SignedNote | None:
        """As the program."""
        return None if self.one.last is None else self.one.last.whole


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """A witness that has cosigned nothing."""
    return Asked(witness(tmp_path, "spp", policy(tmp_path)))


@pytest.fixture
def client(asked: Asked) -> TestClient:
    """Who asks it, through the guard."""
    app: Any = create_app(asked, ORIGIN)
    return TestClient(
        Guarded(app, server="witness", hosts=LOOPBACK, methods=METHODS, most_bytes=MOST_BYTES),
        "http://localhost",
    )


def test_the_calls_of_the_specification(client: TestClient, asked: Asked) -> None:
    """200 with the line; 409 with the size in its own media type; the checkpoint is served with it."""
    view = View()
    for number in range(3):
        view.seal(str(number).encode())
    newest = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert client.get(newest).status_code == 404
    answer = client.post("/add-checkpoint", content=view.sealed.log.body(0, 2))
    assert answer.status_code == 200
    note = cosigned(asked.one)
    assert answer.text == f"{note.signatures[1]}\n"
    assert answer.text.startswith(f"— {ORIGIN}/witness/spp ")
    assert client.get(newest).text == str(note)
    again = client.post("/add-checkpoint", content=view.sealed.log.body(0, 3))
    assert (again.status_code, again.text) == (409, "2\n")
    assert again.headers["content-type"] == "text/x.tlog.size"


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"old 0\n\nnoise", 400), (b"x" * (MOST_BYTES + 1), 413)]
)
def test_what_is_no_submission_is_refused(client: TestClient, body: bytes, status: int) -> None:
    """Nonsense is a bad request, and more than any submission is not read."""
    assert client.post("/add-checkpoint", content=body).status_code == status


def test_other_calls_and_hosts_are_refused(client: TestClient) -> None:
    """Another path is not found, another method not allowed, another host not served."""
    assert client.post("/sign-subtree", content=b"x").status_code == 404
    assert client.get("/add-checkpoint").status_code == 404
    assert client.put("/add-checkpoint", content=b"x").status_code == 405
    assert client.post("/add-checkpoint", content=b"x", headers={"host": "evil.example"}).status_code == 421
