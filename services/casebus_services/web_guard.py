"""What stands before our web applications: trusted hosts, few methods, bounded bodies, strict headers."""

import asyncio
import json
import os
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .http_measured import Measured

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_CONNECTIONS = 200
"""Open at a time for one server; more are answered 503."""
BODY_TIMEOUT_S = 10.0
_STRICT = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Guarded:
    """An application that answers only requests it was made for.

    A request must name one of `hosts` (in Host, and in Origin where a browser sends one), so that no page of
    another site reaches a server on this machine by a name of its own; it must use one of `methods`; its body
    must be no longer than `most_bytes`, said beforehand or not, and arrive in time. What the application
    never sees is answered here as `{"error_code", "message"}`, with `problems` as problem details (RFC 9457).
    `policy` has headers that take the place of the strict ones of the same name, or join them. `streamed` are
    methods whose bodies the application reads itself as they come, and how long they may say to be. `server`
    is the name under which its requests are counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        server: str,
        hosts: Collection[str],
        methods: Collection[str],
        most_bytes: int,
        problems: bool = False,
        policy: Mapping[str, str] | None = None,
        streamed: Mapping[str, int] | None = None,
    ) -> None:
        self._answer = Measured(self._guard, server)
        self._app = app
        self._streamed = streamed or {}
        self._hosts = {host.lower() for host in hosts}
        self._methods = frozenset(methods)
        self._most_bytes = most_bytes
        self._problems = problems
        self._strict = {**_STRICT, **(policy or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The interface of ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is None and self._may_have_body(headers) and scope["method"] not in self._streamed:
            body = await self._whole(receive)
            if body is None:
                refusal = (413, f"a request of more than {self._most_bytes} bytes")
            else:
                receive = _replayed(body, receive)
        if refusal is not None:
            await _refuse(_strictly(send, self._strict), *refusal, problem=self._problems)
            return
        await self._app(scope, receive, _strictly(send, self._strict))

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        named = headers.getlist("host")
        if len(named) != 1 or _name(f"//{named[0]}") not in self._hosts:
            return 421, "this server does not answer for that host"
        if any(_name(origin) not in self._hosts for origin in headers.getlist("origin")):
            return 403, "this server does not answer pages of other sites"
        if method not in self._methods:
            return 405, f"HTTP 405 Method Not Allowed, only {', '.join(sorted(self._methods))}"
        said = headers.get("content-length", "0")
        most = self._streamed.get(method, self._most_bytes)
        if not (said.isascii() and said.isdigit() and int(said[:20]) <= most):
            return 413, f"a request of more than {most} bytes"
        return None

    def _may_have_body(self, headers: Headers) -> bool:
        return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"

    async def _whole(self, receive: Receive) -> bytes | None:
        """The body, None once it is longer than allowed or too slow."""
        found = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    found += message.get("body", b"")
                    if len(found) > self._most_bytes:
                        return None
                    if not message.get("more_body", False):
                        return bytes(found)
        except TimeoutError:
            return None


def _replayed(body: bytes, rest: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await rest()

    return receive


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _strictly(send: Send, strict_headers: Mapping[str, str]) -> Send:
    async def strict(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            for name, value in strict_headers.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
            message = {**message, "headers": headers.raw}
        await send(message)

    return strict


async def _refuse(send: Send, status: int, text: str, *, problem: bool) -> None:
    told = {"type": "about:blank", "title": text, "status": status, "detail": text}
    body = json.dumps(told if problem else {"error_code": status, "message": text}).encode()
    headers: Sequence[tuple[bytes, bytes]] = [
        (b"content-type", b"application/problem+json" if problem else b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # a body that nobody reads would be taken for the next request
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def web_hosts(url: str, more: str) -> frozenset[str]:
    """Hosts that a server trusts: loopback, its own address, and those of a list with commas."""
    own = _name(url)
    listed = {name.strip().lower() for name in more.split(",") if name.strip()}
    return LOOPBACK | listed | ({own} if own else set())


def listen_at(url: str, beside: str | None = None) -> str:
    """Where a server of this URL listens: at `CASEBUS_LISTEN`, else at `beside`, else at the URL's host.

    In a container the name by which others ask is not an address of the machine itself.
    """
    return os.environ.get("CASEBUS_LISTEN") or beside or _name(url) or "127.0.0.1"
