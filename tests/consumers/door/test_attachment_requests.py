"""Who gets a document from its sender's door: agencies that were told, by a signed request."""

import time
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey as NaclKey

from casebus_consumers.door.attachments.message_signature import TERM_S, signature_base, signed_headers
from casebus_schemas.wire.signing import SigningKey
from support.scenes.attachment_scene import DIGEST, DOCUMENT, MPS, Sender, again, receiver, state
from support.scenes.served import Served


def test_only_who_was_told_has_it(sender: Sender, served: Served, tmp_path: Path) -> None:
    """An agency to which no event that names it was delivered is answered as if it were not there."""
    sender.say(DOCUMENT, "spp")
    police = receiver(tmp_path / "police", served.url)
    police.fetch_one()
    assert "404" in str(state(police)[1])
    sender.scene.door.said.told_of = lambda _digest: {"mps"}  # type: ignore[method-assign, assignment]
    again(police)
    assert state(police)[0] == "stored"


def ask(sender: Sender, **changes: Any) -> int:
    """The status of a request that the police's door signs, changed in one place."""
    path = f"/v1/attachments/{DIGEST}"
    key, agency = changes.get("key", MPS), changes.get("agency", "mps")
    signed = {
        "method": changes.get("signed_method", "GET"),
        "authority": changes.get("authority", "testserver"),
        "path": changes.get("path", path),
        "range": changes.get("range", "bytes=0-9"),
        "now_s": int(time.time()) + changes.get("later_s", 0),
    }
    headers = {"authorization": "", "range": "bytes=0-9", **signed_headers(key, agency, **signed)}
    del sender.scene.client.headers["authorization"]
    headers.pop("authorization")
    headers |= changes.get("headers", {})
    found = sender.scene.client.get(path, headers=headers).status_code
    sender.scene.client.headers["authorization"] = f"Bearer {sender.scene.key}"
    return int(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": SigningKey(bytes(range(32)))},
        {"agency": "spp"},
        {"path": "/v1/attachments/" + "0" * 64},
        {"range": "bytes=0-1"},
        {"authority": "another.example"},
        {"signed_method": "PUT"},
        {"later_s": TERM_S + 5},
        {"later_s": -TERM_S - 5},
        {"headers": {"signature": "casebus=:" + b64encode(bytes(64)).decode() + ":"}},
        {"headers": {"signature-input": 'casebus=();created=1;keyid="x"'}},
        {"headers": {"signature": "x"}},
        {"headers": {"range": "bytes=5-"}},
    ],
    ids=range(12),
)
def test_a_request_that_is_not_signed_by_an_agency_is_refused(
    sender: Sender, changes: dict[str, Any]
) -> None:
    """401 for another key, agency, path, range, host, method or time; 206 for the true one."""
    sender.say()
    assert ask(sender) == 206
    assert ask(sender, **changes) == 401


def test_a_door_reaches_nothing_else(sender: Sender) -> None:
    """An agency's signature opens documents alone."""
    headers = signed_headers(
        MPS, "mps", method="GET", authority="testserver", path="/v1/cases", range="", now_s=int(time.time())
    )
    del sender.scene.client.headers["authorization"]
    assert sender.scene.client.get("/v1/cases", headers=headers).status_code == 401


def test_the_signature_is_that_of_rfc_9421() -> None:
    """Base and signature of its example B.2.6, with its key."""
    parameters = '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    parameters += ';created=1618884473;keyid="test-key-ed25519"'
    components = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@method", "POST"),
        ("@path", "/foo"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]
    key = NaclKey(b64decode("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU="))
    found = key.sign(signature_base(components, parameters)).signature
    expected = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    assert b64encode(found).decode() == expected
