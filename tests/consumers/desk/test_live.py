"""Open pages hear of what comes, wherever they were cut off."""

import asyncio
from datetime import timedelta

from starlette.requests import Request

from casebus_consumers.desk.asked import Asked
from casebus_consumers.desk.live import changes
from casebus_consumers.desk.words import Words
from support.cases.chains import at
from support.events.signed_events import chain
from support.reconciler.desk import envelope_at
from support.scenes.desk_scene import DeskScene

CLIENTS, DROPS = 200, 3
BOUND_S = 60


def hear_one(scene: DeskScene, number: int) -> None:
    """One more notice."""
    data = {"envelope": envelope_at("2022-10-01", to=["csrc"]), "source": "exchange_alert"}
    said = scene.admitter.speaker("mps").say("clue.submitted", data, chain(100 + number))
    scene.hear(said, at("2022-10-01T09:00") + timedelta(minutes=number))
    scene.arrive()


async def follow(asked: Asked, wanted: int) -> int:
    """A page that is cut off after each of its first changes and comes back with the last id; how often."""
    after, drops = 0, 0
    while after < wanted:
        stream = changes(asked, after, lambda: True)
        async for message in stream:
            if message.startswith(b"id: "):
                after = int(message.split(b"\n")[0][4:])
                if drops < DROPS:
                    drops += 1
                    break
                if after >= wanted:
                    break
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator
    return drops


def test_pages_that_are_cut_off_miss_nothing(scene: DeskScene) -> None:
    """Two hundred, each dropped up to three times while notices come, all reach the last one."""
    asked = Asked(Request({"type": "http", "headers": []}), scene.desk, Words("zh"))
    first = scene.store.last_seq()

    async def all_of_them() -> list[int]:
        waiting = [asyncio.create_task(follow(asked, first + 4)) for _ in range(CLIENTS)]
        for number in range(4):
            await asyncio.sleep(0)
            await asyncio.to_thread(hear_one, scene, number)
        return await asyncio.wait_for(asyncio.gather(*waiting), BOUND_S)

    dropped = asyncio.run(all_of_them())
    assert len(dropped) == CLIENTS
    assert scene.store.last_seq() == first + 4


def test_a_stream_ends_with_its_session(scene: DeskScene) -> None:
    """Whoever is signed out hears that, and nothing more."""
    asked = Asked(Request({"type": "http", "headers": []}), scene.desk, Words("zh"))

    async def heard() -> list[bytes]:
        return [message async for message in changes(asked, -1, lambda: False)]

    assert asyncio.run(heard())[-1].startswith(b"event: ended")


def test_nobody_hears_without_signing_in(scene: DeskScene) -> None:
    """Nor does who may not read."""
    assert scene.browser(None).get("/live").status_code == 401
    assert scene.browser("operator").get("/live").status_code == 401
