"""An ASGI application served by HTTP on loopback, that may break off and remembers ranges."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casebus_consumers.door.tls import DoorTls
from casebus_deploy.embedded.ports import free_ports


class Served:
    """`ranges` are the ranges that were asked for; after `cut_after` bytes in all every answer breaks off."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self.url = url
        self.ranges: list[str] = []
        self.cut_after: int | None = None
        self._app = app
        self._sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The interface of ASGI."""
        if scope["type"] == "http":
            self.ranges += [value.decode() for name, value in scope["headers"] if name == b"range"]

        async def counted(message: Message) -> None:
            body = message.get("body", b"")
            left = None if self.cut_after is None else max(0, self.cut_after - self._sent)
            if message["type"] == "http.response.body" and left is not None and len(body) > left:
                await send({**message, "body": body[:left], "more_body": True})
                raise ConnectionResetError("cut")
            self._sent += len(body)
            await send(message)

        await self._app(scope, receive, counted)


@contextmanager
def serving(
    app: ASGIApp, limit_concurrency: int | None = None, tls: DoorTls | None = None
) -> Iterator[Served]:
    """The application at an address of its own until the block ends."""
    (port,) = free_ports(1)
    served: Any = Served(app, f"{'http' if tls is None else 'https'}://127.0.0.1:{port}")
    config = uvicorn.Config(
        served,
        host="127.0.0.1",
        port=port,
        log_config=None,
        lifespan="off",
        ws="none",
        limit_concurrency=limit_concurrency,
        timeout_graceful_shutdown=1,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context(),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(10)
