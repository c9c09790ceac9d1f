"""A system of an agency that is told by webhooks: a server on loopback that verifies and remembers."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from standardwebhooks import Webhook

Reply = tuple[int, Mapping[str, str]]
OK: Reply = (204, {})


class Receiver:
    """What was called, in order. `reply` says what a call is answered; nothing at all where it is None."""

    def __init__(self) -> None:
        self.url = ""
        self.secret: str | None = None
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.acknowledged: list[str] = []
        self.reply: Callable[[str], Reply | None] = lambda _id: OK
        self._lock = threading.Lock()

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of each call."""
        return [headers["webhook-id"] for headers, _ in self.calls]

    @property
    def bodies(self) -> list[Any]:
        """What each call said."""
        return [json.loads(body) for _, body in self.calls]

    def take(self, headers: dict[str, str], body: bytes) -> Reply | None:
        """Verifies a call and answers it. Raises where the signature does not hold."""
        if self.secret is not None:
            Webhook(self.secret).verify(body, headers)
        with self._lock:
            self.calls.append((headers, body))
            reply = self.reply(headers["webhook-id"])
            if reply is not None and reply[0] < 300:
                self.acknowledged.append(headers["webhook-id"])
        return reply


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver that listens on loopback until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        mine: ClassVar[Receiver] = receiver

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            reply = self.mine.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.close_connection = True
            if reply is None:
                return
            self.send_response(reply[0])
            for name, value in reply[1].items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    server = Server((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    receiver.url = f"http://{shown}:{server.server_address[1]}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
