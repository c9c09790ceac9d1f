"""What the door answers of documents: to own systems by their keys, to other doors by their signatures."""

import asyncio
import re
import time
from hashlib import sha256
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from casebus_schemas.errors import UsageError

from ..asking import JSON, OCTETS, Query
from ..door import Door
from ..problems import Problem
from .message_signature import agency_that_signed
from .store import CHUNK, MOST_BYTES

CHUNK_TIMEOUT_S = 20.0
"""Between two pieces of an upload."""
_DIGEST = re.compile("[0-9a-f]{64}")


class AttachmentAnswers:
    """The operations of documents, for the application that has a door."""

    _door: Door

    def agency_of(self, request: Request) -> str:
        """The agency whose door has signed a request. Raises Problem 401."""
        try:
            return agency_that_signed(
                request.headers,
                method=request.method,
                path=request.url.path,
                keys=self._door.keyring,
                now_ms=time.time_ns() // 1_000_000,
            )
        except UsageError as error:
            raise Problem(
                401, error.detail, "未提供有效的机关签名", headers={"www-authenticate": "Bearer"}
            ) from error

    async def get_attachment(self, request: Request, query: Query) -> Response:
        """A document, or the range that is asked for: to another agency only if an event told it."""
        digest = _digest(request)
        agency = self.agency_of(request) if by_signature(request) else None
        path = await run_in_threadpool(self._door.document_for, digest, agency)
        if path is None:
            raise Problem(404, f"document {digest}, expected one that is here")
        headers = {"content-disposition": "attachment", "etag": f'"{digest}"', "cache-control": "no-store"}
        return FileResponse(path, media_type=OCTETS, headers=headers)

    async def put_attachment(self, request: Request, query: Query) -> Response:
        """Stores a document under its digest, in pieces as it comes; what is there already stays."""
        digest = _digest(request)
        if request.headers.get("content-type", OCTETS).partition(";")[0].strip().lower() != OCTETS:
            raise Problem(415, f"content-type, expected {OCTETS}")
        store, found, size = self._door.documents, sha256(), 0
        with store.upload() as (file, out):
            try:
                pieces = request.stream().__aiter__()
                waiting = bytearray()
                while (piece := await asyncio.wait_for(anext(pieces, None), CHUNK_TIMEOUT_S)) is not None:
                    size += len(piece)
                    if size > MOST_BYTES:
                        raise Problem(413, f"a document of more than {MOST_BYTES} bytes")
                    found.update(piece)
                    waiting += piece
                    if len(waiting) >= CHUNK:
                        await run_in_threadpool(out.write, bytes(waiting))
                        waiting.clear()
                await run_in_threadpool(out.write, bytes(waiting))
            except (ClientDisconnect, TimeoutError) as error:
                raise Problem(400, "the document broke off", "文件传输中断") from error
            out.flush()
            if found.hexdigest() != digest:
                detail = f"the document has another digest, found {found.hexdigest()}, expected {digest}"
                raise Problem(422, detail, "文件摘要不符", [{"pointer": "#", "detail": detail}])
            await run_in_threadpool(store.keep, file, digest)
        body: dict[str, Any] = {"sha256": digest, "size": size, "link": f"/v1/attachments/{digest}"}
        return Response(orjson.dumps(body), 201, media_type=JSON)


def by_signature(request: Request) -> bool:
    """Whether another agency's door asks: a system of our own has a key or a certificate."""
    return "signature-input" in request.headers and "authorization" not in request.headers


def _digest(request: Request) -> str:
    text = str(request.path_params["sha256"])
    if _DIGEST.fullmatch(text) is None:
        raise Problem(404, f"sha256, found {text[:80]!r}, expected 64 hexadecimal digits in lower case")
    return text
