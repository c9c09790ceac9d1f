"""The status page as a small web application on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.types import ASGIApp

from casebus_schemas.texts.harmless import harmless, json_text
from casebus_services.web_guard import LOOPBACK, Guarded

from .status import Status

REFRESH_S = 2.0


def create_app(
    read: Callable[[], Status],
    close: Callable[[], None] = lambda: None,
    hosts: Collection[str] = LOOPBACK,
) -> ASGIApp:
    """The application around a blocking `read`, which is called at most every two seconds.

    It answers requests to these hosts only, and changes nothing.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(close)

    app = FastAPI(title="casebus", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    pages = Environment(
        loader=PackageLoader("casebus_deploy.status_page"),
        autoescape=select_autoescape(),
        finalize=lambda value: value if isinstance(value, int | float) else harmless(str(value)),
    )
    pages.filters["ago"] = _ago
    pages.filters["count"] = lambda number: "–" if number is None else f"{number:,}"
    folder = files("casebus_deploy.status_page") / "templates"
    script, style = ((folder / name).read_text(encoding="utf-8") for name in ("refresh.js", "status.css"))
    lock = asyncio.Lock()
    latest: list[Status] = []

    async def current() -> Status:
        async with lock:
            if not latest or time.time() - latest[0].at >= REFRESH_S:
                latest[:] = [await asyncio.to_thread(read)]
            return latest[0]

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return pages.get_template("status.html").render(status=await current(), now=time.time())

    @app.get("/fragment", response_class=HTMLResponse)
    async def fragment() -> str:
        return pages.get_template("fragment.html").render(status=await current(), now=time.time())

    @app.get("/refresh.js")
    async def refresh() -> PlainTextResponse:
        return PlainTextResponse(script, media_type="text/javascript")

    @app.get("/status.css")
    async def look() -> PlainTextResponse:
        return PlainTextResponse(style, media_type="text/css")

    @app.get("/status.json")
    async def as_json() -> Response:
        return Response(json_text((await current()).to_json()), media_type="application/json")

    @app.get("/healthz")
    async def alive() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz")
    async def ready() -> PlainTextResponse:
        status = await current()
        late = [s.name + (f" ({s.reason})" if s.reason else "") for s in status.services if s.state != "ok"]
        if status.ready:
            return PlainTextResponse("ready\n")
        what = ", ".join(late) if status.broker_up else "the broker"
        return PlainTextResponse(harmless(f"not ready: {what}") + "\n", status_code=503)

    return Guarded(app, server="page", hosts=hosts, methods=("GET", "HEAD"), most_bytes=0)


def _ago(moment: float | None, now: float) -> str:
    if moment is None:
        return "–"
    seconds = max(0.0, now - moment)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
