"""A witness by HTTP (C2SP tlog-witness): POST /add-checkpoint, GET /<origin hash>/checkpoint. Plain ASGI."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from hashlib import sha256
from typing import Any, Protocol

from casebus_schemas.evidence.signed_note import SignedNote
from casebus_schemas.evidence.submission import MEDIA_TYPE_SIZE
from casebus_schemas.evidence.witness import CONFLICT

from .cosigning import Answer

METHODS = ("POST", "GET")
MOST_BYTES = 65_536
"""Of a request: a proof of 63 lines and a note of a hundred signatures are shorter."""

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Asked(Protocol):
    """What answers the calls: a witness's program."""

    def submit(self, raw: bytes) -> Answer:
        """Answers a body of `add-checkpoint`."""

    def newest(self) -> SignedNote | None:
        """The checkpoint last cosigned."""


def create_app(asked: Asked, ledger: str) -> Callable[[_Scope, _Receive, _Send], Awaitable[None]]:
    """The application of one witness of one ledger; to be put behind a guard that bounds hosts and bodies."""
    newest_path = f"/{sha256(ledger.encode()).hexdigest()}/checkpoint"

    async def app(scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return
        call = (scope["method"], scope["path"])
        if call == ("POST", "/add-checkpoint"):
            # Signing waits for the disk: not in the loop's own thread.
            answer = await asyncio.to_thread(asked.submit, await _body(receive))
            await _answer(send, *answer)
        elif call == ("GET", newest_path):
            note = asked.newest()
            await _answer(send, *((404, "nothing cosigned yet\n") if note is None else (200, str(note))))
        else:
            await _answer(send, 404, "POST /add-checkpoint, GET /<SHA-256 of the origin>/checkpoint\n")

    return app


async def _body(receive: _Receive) -> bytes:
    found = bytearray()
    while True:
        message = await receive()
        found += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(found)


async def _answer(send: _Send, status: int, text: str) -> None:
    body = text.encode()
    kind = MEDIA_TYPE_SIZE if status == CONFLICT else "text/plain; charset=utf-8"
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
