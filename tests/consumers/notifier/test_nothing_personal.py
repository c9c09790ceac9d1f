"""Identity numbers that pass through events, refusals and terms stay out of mails, webhooks and logs."""

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from stdnum.cn import ric

from casebus_consumers.door.addresses import read_networks
from casebus_consumers.door.outbound import Outbound
from casebus_consumers.door.webhooks.store import EVENTS, WebhookStore, webhooks_file
from casebus_consumers.door.webhooks.telling import Webhooks
from casebus_consumers.notifier.letter import MOST_LINES
from casebus_consumers.own.store import FORGED, UNREADABLE, Entry
from casebus_schemas.times import to_moment
from casebus_schemas.wire.door import DoorProblem
from support.scenes.door_scene import DoorScene
from support.scenes.mail_server import MailServer, serving
from support.scenes.notifier_scene import LIAISON, NotifierScene, duty
from support.scenes.webhook_receiver import Receiver, receiving

NUMBERS = 10_000
_IN_AN_EVENT = 100
_LIKE = re.compile(r"[1-9]\d{16}[\dXx]")


def made_up() -> Iterator[str]:
    """Identity numbers of the unassigned divisions 99xxxx, right in form and check digit."""
    for serial in range(NUMBERS):
        body = f"99{serial // 999:04d}1968{serial % 12 + 1:02d}{serial % 28 + 1:02d}{serial % 999:03d}"
        yield body + ric.calc_check_digit(body + "0")


def found_in(text: str) -> list[str]:
    """What looks like an identity number."""
    return _LIKE.findall(text)


def words(numbers: Iterator[str], count: int) -> list[str]:
    """Texts as officers write them, with a number each."""
    return [f"张某（{next(numbers)}）" for _ in range(count)]


def hear(scene: NotifierScene, numbers: Iterator[str], count: int) -> None:
    """Notices, forged and unreadable records with numbers in all that strangers have written."""
    for seq in range(count):
        body = json.dumps(
            {"role": "to", "event": {"data": {"reasons": words(numbers, _IN_AN_EVENT)}}}, ensure_ascii=False
        )
        scene.hear(seq, body=body)
    place = scene.heard.left_at("inbox.csrc")
    when = to_moment(scene.now)
    for kind in (FORGED, UNREADABLE):
        problem = json.dumps({"problem": words(numbers, 50)}, ensure_ascii=False)
        entry = Entry(place, kind, None, None, None, None, None, when, problem)
        scene.heard.add("inbox.csrc", [entry], place + 1)
        place += 1


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def test_ten_thousand_identity_numbers_reach_no_mail_no_webhook_and_no_log(
    tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    """They come with notices, forged records and terms, and with events that the door refuses."""
    numbers = made_up()
    with serving(MailServer()) as server, receiving() as receiver:
        scene = NotifierScene(tmp_path, server)
        server.on_rcpt = _refusing(server)
        hear(scene, numbers, NUMBERS // _IN_AN_EVENT - 3)
        scene.duties = [
            duty(
                state,
                "2022-09-29",
                "2022-09-30",
                id=next(numbers),
                rule=next(numbers),
                owed_by=f"csrc/{next(numbers)}",
                owed_to=[f"mps/{next(numbers)}"],
                law=words(numbers, 5),
            )
            for state in ("open", "due", "overdue")
        ]
        door = DoorScene(tmp_path)
        refused = [door.door.say([event])[0] for event in _events(numbers)]
        for _ in range(4):
            scene.look(after=timedelta(hours=1))
            scene.store.drive_again(LIAISON)
        _tell(tmp_path, scene, door, receiver)
        door.close()
    left = list(numbers)
    assert len(left) < NUMBERS // 50
    assert all(isinstance(one, DoorProblem) for one in refused)
    mails = [f"{mail.items()}{mail.get_content()}" for mail in server.mails()]
    assert len(mails) == 3
    assert len(scene.told()) == MOST_LINES + 1  # and the forged one
    assert "另有" in server.bodies(LIAISON)[0]
    called = [f"{headers}{body.decode()}" for headers, body in receiver.calls]
    assert len(called) == NUMBERS // _IN_AN_EVENT - 1
    assert "was not taken" in logged.text
    for text in (*mails, *called, logged.text):
        assert found_in(text) == []
    kept = "".join(text for _, _, text in scene.heard.after(-1, NUMBERS))
    assert len(found_in(kept)) > NUMBERS * 0.95  # they were there


def _refusing(server: MailServer) -> Any:
    """The server puts off once, with words that hold a mailbox."""
    answers = iter([f"451 4.7.1 <{LIAISON}> {next(made_up())} wait"])
    return lambda _to: next(answers, "250 OK")


def _events(numbers: Iterator[str]) -> Iterator[dict[str, Any]]:
    for _ in range(30):
        yield {
            "specversion": "1.0",
            "type": "clue.submitted",
            "source": "/csrc",
            "data": {
                "envelope": {"to": ["mps"], "message_class": "initial", "handling": "H2"},
                "source": "exchange_alert",
                "conduct": next(numbers),
                "suspects": [{"ref": "S1", "kind": "natural", "display": next(numbers)}],
            },
        }


def _tell(folder: Path, scene: NotifierScene, door: DoorScene, receiver: Receiver) -> None:
    """The door tells a system of the agency of all that came."""
    store = WebhookStore(webhooks_file(folder))
    store.add("system", receiver.url, EVENTS, asymmetric=False, places=(-1, None, -1))
    outbound = Outbound(read_networks(["127.0.0.0/8"]))
    webhooks = Webhooks("webhooks", Event(), webhooks_file(folder), scene.heard, door.door.said, outbound)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(4):
            webhooks.step(store, pool)
            for run in list(webhooks._runs.values()):
                run.result()
