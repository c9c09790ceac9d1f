"""What an agency's system meets that the door tells: signed, again until acknowledged, nothing personal."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from standardwebhooks import Webhook, WebhookVerificationError

from casebus_consumers.door.webhooks.signing import for_the_receiver, new_secret, signature
from casebus_consumers.door.webhooks.store import EVENTS, FORMER_SECRET_MS
from casebus_consumers.door.webhooks.telling import AGAIN_S, LONGEST_PAUSE_S
from casebus_consumers.own.store import FORGED, NOTICE, Entry
from support.cases.chains import at
from support.events import receipts
from support.events.signed_events import chain, stored
from support.scenes.webhook_receiver import receiving
from support.scenes.webhook_scene import DAY_S, WebhookScene, notice_id


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[WebhookScene]:
    with receiving() as receiver:
        scene = WebhookScene(tmp_path, receiver)
        yield scene
        scene.scene.close()


# --- what is said ----------------------------------------------------------------------------------------


def test_an_independent_library_verifies_what_is_told(scene: WebhookScene) -> None:
    """Headers and signature hold by the specification's package; a changed byte or another secret do not."""
    secret = scene.add()
    scene.hear(0)
    scene.tell()
    ((headers, body),) = scene.receiver.calls
    told = Webhook(secret).verify(body, headers)
    assert told["type"] == "notice.arrived"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"filed", b"filer"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)


def test_nothing_personal_is_told(scene: WebhookScene) -> None:
    """Id, type, chain, place and link alone; the link leads to the notice."""
    scene.add()
    scene.hear(0, 1)
    scene.tell()
    first, second = scene.receiver.bodies
    assert first == {
        "type": "notice.arrived",
        "timestamp": "2023-11-14T22:13:20Z",
        "data": {
            "id": notice_id(0),
            "type": "referral.filed",
            "chain": chain(1),
            "seq": 0,
            "link": "/v1/inbox?after=-1&limit=1",
        },
    }
    page = scene.scene.client.get(second["data"]["link"]).json()
    assert page["next"] == second["data"]["seq"] == 1


def test_what_the_bus_answers_is_told(scene: WebhookScene) -> None:
    """A refusal and an admission with the id of the event and where its receipts stand; once each."""
    said = scene.scene.post("/v1/events", _event()).json()["event"]
    (row,) = scene.scene.outbox.pending(0, 1, 10_000_000)
    record = stored(row.record, 7)
    scene.add("all")
    for _ in range(2):  # as the bus may say one again after a crash
        scene.scene.keep(receipts.admitted(record, at("2016-10-19"), "mps"))
    scene.tell()
    (told,) = scene.receiver.bodies
    assert told["type"] == "receipt.admitted"
    assert told["data"]["id"] == said["id"]
    assert scene.scene.client.get(told["data"]["link"]).json()["stage"] == "admitted"


def test_each_address_is_told_what_it_asks_for(scene: WebhookScene) -> None:
    """One that wants refusals only hears of no notice."""
    scene.add("refusals", "receipt.refused")
    scene.hear(0)
    scene.tell()
    assert scene.receiver.calls == []
    assert scene.store.address("refusals").inbox_seq == 0


def test_what_is_forged_is_told_as_such(scene: WebhookScene) -> None:
    """No id, no chain: that something stands at a number which is not to be believed."""
    scene.add()
    scene.heard.add("inbox.csrc", [Entry(0, FORGED, None, None, None, None, None, None, "{}")], 1)
    scene.tell()
    (told,) = scene.receiver.bodies
    assert told["data"] == {"problem": "forged", "seq": 0, "link": "/v1/inbox?after=-1&limit=1"}


# --- signatures ------------------------------------------------------------------------------------------


def test_ed25519_signs_for_those_who_must_not_sign(scene: WebhookScene) -> None:
    """`v1a` holds under the public key, which is all that the receiver has."""
    secret = scene.add(asymmetric=True)
    scene.hear(0)
    scene.tell()
    ((headers, body),) = scene.receiver.calls
    version, _, value = headers["webhook-signature"].partition(",")
    assert version == "v1a"
    public = for_the_receiver(secret)
    key = VerifyKey(b64decode(public.removeprefix("whpk_")))
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key.verify(message, b64decode(value))
    with pytest.raises(BadSignatureError):
        key.verify(message + b" ", b64decode(value))


def test_a_new_secret_comes_beside_the_former(scene: WebhookScene) -> None:
    """For a day both verify, then only the new one."""
    former = scene.add()
    secret = scene.store.rotate("desk")
    scene.hear(0)
    scene.tell()
    scene.now_s += FORMER_SECRET_MS / 1_000 + 1
    scene.hear(1)
    scene.tell()
    (first, second) = scene.receiver.calls
    assert len(first[0]["webhook-signature"].split(" ")) == 2
    assert second[0]["webhook-signature"].startswith("v1,")
    id, stamp = second[0]["webhook-id"], int(second[0]["webhook-timestamp"])
    assert second[0]["webhook-signature"] == signature(secret, id, stamp, second[1])
    for known in (former, secret):
        Webhook(known).verify(first[1], first[0])


# --- again until it is acknowledged ----------------------------------------------------------------------


def test_a_failure_is_tried_again_and_no_acknowledgement_asked_twice(scene: WebhookScene) -> None:
    """Same id, same bytes, after a pause that grows; once acknowledged never again."""
    scene.add()
    scene.receiver.reply = lambda _id: (500, {}) if len(scene.receiver.calls) < 3 else (200, {})
    scene.hear(0)
    scene.tell()
    assert scene.store.address("desk").state == "failing"
    scene.tell()
    assert len(scene.receiver.calls) == 1
    for wait_s in AGAIN_S[:2]:
        scene.now_s += 1.1 * wait_s + LONGEST_PAUSE_S
        scene.tell()
    assert len(scene.receiver.calls) == 3
    assert len(set(scene.receiver.ids)) == 1
    assert len({body for _, body in scene.receiver.calls}) == 1
    scene.now_s += 10 * DAY_S
    scene.tell()
    assert len(scene.receiver.calls) == 3
    assert (scene.store.address("desk").state, scene.store.counts("desk")["told"]) == ("well", 1)


@pytest.mark.parametrize("reply", [None, (302, {"location": "http://127.0.0.1:1/"}), (404, {})])
def test_only_2xx_acknowledges(scene: WebhookScene, reply: Any) -> None:
    """Neither silence, nor a redirect, which is not followed, nor an error."""
    scene.add()
    scene.receiver.reply = lambda _id: reply
    scene.hear(0)
    scene.tell()
    assert scene.store.counts("desk") == {"waiting": 1, "told": 0, "failed": 0}
    assert scene.store.address("desk").problem


def test_retry_after_is_kept(scene: WebhookScene) -> None:
    """An address that asks for an hour has it."""
    scene.add()
    scene.receiver.reply = lambda _id: (503, {"retry-after": "3600"})
    scene.hear(0)
    scene.tell()
    scene.now_s += 3_500
    scene.tell()
    assert len(scene.receiver.calls) == 1
    scene.now_s += 101
    scene.tell()
    assert len(scene.receiver.calls) == 2


def test_a_dead_address_is_seen_and_driven_again(scene: WebhookScene) -> None:
    """Ten attempts in days, then `failed`, shown; nothing is lost: driven again it is told."""
    scene.add()
    scene.receiver.reply = lambda _id: (500, {})
    scene.hear(0)
    for _ in range(len(AGAIN_S) + 3):
        scene.tell()
        scene.now_s += 2 * DAY_S
    assert len(scene.receiver.calls) == len(AGAIN_S) + 1
    assert scene.store.counts("desk")["failed"] == 1
    assert scene.webhooks.problem == "webhooks: desk failing"
    (shown,) = scene.store.log("desk", "failed", 5)
    assert (shown["attempts"], shown["problem"]) == (10, "HTTP 500")
    scene.receiver.reply = lambda _id: (200, {})
    assert scene.store.drive_again("desk") == 1
    scene.tell()
    assert scene.store.counts("desk") == {"waiting": 0, "told": 1, "failed": 0}
    assert scene.webhooks.problem is None


def test_an_address_that_is_gone_is_left_alone(scene: WebhookScene) -> None:
    """After 410 nothing is sent; what came meanwhile is told once somebody drives it again."""
    scene.add()
    scene.receiver.reply = lambda _id: (410, {})
    scene.hear(0)
    scene.tell()
    scene.hear(1)
    scene.now_s += 10 * DAY_S
    scene.tell()
    assert (len(scene.receiver.calls), scene.store.address("desk").state) == (1, "gone")
    scene.receiver.reply = lambda _id: (200, {})
    scene.store.drive_again("desk")
    scene.tell()
    assert scene.store.counts("desk") == {"waiting": 0, "told": 2, "failed": 0}


def test_a_dead_address_uses_up_nothing_of_what_waits(scene: WebhookScene) -> None:
    """While it is away a few calls are made, not ten of each message; when it is back all is told."""
    scene.add()
    scene.receiver.reply = lambda _id: (500, {})
    scene.hear(*range(40))
    for _ in range(12):
        scene.tell()
        scene.now_s += 60
    assert len(scene.receiver.calls) <= 12
    scene.receiver.reply = lambda _id: (200, {})
    scene.now_s += DAY_S
    scene.tell()
    scene.tell()
    assert scene.store.counts("desk") == {"waiting": 0, "told": 40, "failed": 0}


def test_one_address_does_not_hold_up_another(scene: WebhookScene) -> None:
    """Each has its own pace."""
    scene.add("one", "notice.arrived")
    scene.store.add("dead", "http://127.0.0.1:1/", EVENTS, asymmetric=False, places=(-1, None, -1))
    scene.hear(0, 1)
    scene.tell()
    assert scene.store.counts("one")["told"] == 2
    assert scene.store.counts("dead")["waiting"] == 2


def test_an_inbox_that_is_read_anew_is_not_told_twice(scene: WebhookScene) -> None:
    """After an older Kafka was put back, only what is new is told."""
    scene.add()
    scene.hear(0, 1)
    scene.tell()
    scene.heard.forget()
    entries = [
        Entry(seq, NOTICE, notice_id(number), chain(1), "mps", "referral.filed", b"d" * 32, 0, "{}")
        for seq, number in enumerate((1, 7))
    ]
    scene.heard.add("inbox.csrc", entries, 2)
    scene.tell()
    assert [one["data"]["id"] for one in scene.receiver.bodies] == [notice_id(0), notice_id(1), notice_id(7)]


# --- killed ----------------------------------------------------------------------------------------------


def _event() -> dict[str, Any]:
    from support.cases.members import door_event

    return door_event(id="0190163d-8694-739b-aea5-966c26f8ad01")
