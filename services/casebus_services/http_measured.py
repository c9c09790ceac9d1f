"""What programs that answer by HTTP tell: requests by method and class of answer, times, open ones."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casebus_services.metrics.named import counter, gauge, histogram

_REQUESTS = counter("casebus_http_requests_total")
_SECONDS = histogram("casebus_http_request_seconds")
_OPEN = gauge("casebus_http_open_requests")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class Measured:
    """An application whose requests are counted under the name of the program; no path is told."""

    def __init__(self, app: ASGIApp, server: str) -> None:
        self._app = app
        self._server = server
        self._open = _OPEN.labels(server=server)
        self._seconds = _SECONDS.labels(server=server)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The interface of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        method = scope["method"] if scope["method"] in _METHODS else "other"
        status: int | None = None

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start" and status is None:
                status = message["status"]
                self._seconds.observe(time.monotonic() - begun)
            await send(message)

        self._open.inc()
        try:
            await self._app(scope, receive, told)
        finally:
            self._open.dec()
            answered = f"{(status or 500) // 100}xx"
            _REQUESTS.labels(server=self._server, method=method, status=answered).inc()
