"""Many systems follow an inbox as a stream, and miss nothing however often they are cut off."""

import asyncio
import random
from pathlib import Path

from casebus_consumers.door.clients import Clients, add_client
from casebus_consumers.door.http import MOST_STREAMS, create_app
from casebus_consumers.door.rates import Rates
from casebus_consumers.own.store import NOTICE, Entry, OwnStore
from support.events.signed_events import chain
from support.scenes.door_scene import DoorScene
from support.scenes.served import serving

CLIENTS, DROPS, NOTICES = 200, 3, 60


def hear(store: OwnStore, number: int) -> None:
    """A notice at a number of the inbox."""
    entry = Entry(
        number, NOTICE, f"n{number}", chain(1), "mps", "referral.filed", b"d", 0, f'{{"seq":{number}}}'
    )
    store.add("inbox.csrc", [entry], number + 1)


async def follow(port: int, key: str, drops: list[int]) -> list[int]:
    """The numbers that one system hears, cut off after each so many of `drops`, until the last one."""
    heard: list[int] = []
    while not heard or heard[-1] < NOTICES - 1:
        left = drops.pop(0) if drops else NOTICES
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        last = f"Last-Event-ID: {heard[-1]}\r\n" if heard else ""
        head = f"GET /v1/inbox HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{last}"
        writer.write(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        while left and (not heard or heard[-1] < NOTICES - 1):
            line = await asyncio.wait_for(reader.readline(), 60)
            assert line
            if line.startswith(b"id: "):
                heard.append(int(line[4:]))
                left -= 1
        writer.transport.abort()  # as a line that breaks: nothing is said
    return heard


def test_two_hundred_systems_miss_nothing(tmp_path: Path) -> None:
    """Each cut off three times while notices come: all numbers, in order, none twice."""
    assert MOST_STREAMS > CLIENTS
    scene = DoorScene(tmp_path)
    key = add_client(tmp_path, "many")
    app = create_app(scene.door, Clients(tmp_path), hosts=frozenset({"127.0.0.1"}), rates=Rates(1e9, 10**9))
    chance = random.Random(7)
    drops = [[chance.randrange(1, NOTICES // 4) for _ in range(DROPS)] for _ in range(CLIENTS)]

    async def run(port: int) -> list[list[int]]:
        following = [asyncio.create_task(follow(port, key, list(of))) for of in drops]
        for number in range(NOTICES):
            await asyncio.to_thread(hear, scene.store, number)
            scene.door.inbox_bell.ring()
        return await asyncio.gather(*following)

    with serving(app, limit_concurrency=MOST_STREAMS) as served:
        found = asyncio.run(run(int(served.url.rpartition(":")[2])))
    scene.close()
    assert len(found) == CLIENTS
    assert all(heard == list(range(NOTICES)) for heard in found)
