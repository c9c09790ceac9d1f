"""Processor time of the server for each page of a desk with 5,000 cases of 20 events each."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from bench.desk_fill import filled, first_ids, hear_clue
from bench.figures import Figure
from casebus_consumers.door.clients import clients_file
from casebus_schemas.wire.records import Record
from support.events.signed_events import chain
from support.scenes.desk_scene import Browser, DeskScene

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3_600)]

CHAINS, EVENTS = 5_000, 20
ROUNDS = 7
MOST_MS = 100.0


def timed(act: Callable[[], object]) -> float:
    """Processor milliseconds of one run."""
    started = time.process_time()
    act()
    return (time.process_time() - started) * 1_000


def server_ms(scene: DeskScene) -> dict[str, float]:
    """The median time of each page, in ms of its processor; of the first page the only one."""
    found = {"the first page after a start": timed(lambda: _opened(scene, "/account"))}
    duty, finding = first_ids(scene.desk.glance())
    pages = {
        "inbox": "/inbox",
        "inbox, unread": "/inbox?see=unread",
        "notice": "/inbox/3",
        "due": "/due",
        "term": f"/due/{duty}",
        "cases": "/cases",
        "cases, search": "/cases?q=zzzz",
        "case": f"/cases/{chain(1)}",
        "findings": "/findings",
        "finding": f"/findings/{finding}",
    }
    browser = scene.browser()
    for name, path in pages.items():

        def open_it(path: str = path) -> None:
            assert browser.get(path).status_code == 200

        open_it()
        found[name] = median(timed(open_it) for _ in range(ROUNDS))
    found["inbox, just after an event"] = median(
        _after_an_event(scene, browser, number) for number in range(ROUNDS)
    )
    return found


def _after_an_event(scene: DeskScene, browser: Browser, number: int) -> float:
    if not scene.inbox:
        scene.inbox = [Record("", 0, 0, 0, 0, None, None, ())] * (scene.store.last_seq() + 1)
    hear_clue(scene, number, EVENTS + number)
    scene.arrive()
    return timed(lambda: browser.get("/inbox"))


def _opened(scene: DeskScene, path: str) -> None:
    assert scene.browser().get(path).status_code == 200


def test_pages(tmp_path: Path, figure: Figure) -> None:
    """Each page in less than a tenth of a second; the first one after a start is told."""
    filled(tmp_path, CHAINS, EVENTS).close()
    clients_file(tmp_path).unlink()
    scene = DeskScene(tmp_path)
    for name, value in server_ms(scene).items():
        bound = None if name.startswith("the first") else MOST_MS
        figure(f"page of a desk: {name}", value, "ms", at_most=bound)
    scene.close()
