"""Server-sent events of a desk: each connected page hears that something came, from where it stood."""

from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from .asked import Asked

HEARTBEAT_S = 15.0
RETRY_MS = 1_000


def live(asked: Asked, still_in: Callable[[], bool]) -> Response:
    """A stream of `changed`, each with the number of the last notice as its id; the page asks for the rest.

    It resumes after `Last-Event-ID`, at first after `?after=`, which the page knows; it ends when the session
    does.
    """
    last = asked.request.headers.get("last-event-id", "")
    given = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else asked.number("after")
    return StreamingResponse(
        changes(asked, -1 if given is None else given, still_in), media_type="text/event-stream"
    )


async def changes(asked: Asked, after: int, still_in: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The stream behind a number."""
    desk, said = asked.desk, after
    yield f"retry: {RETRY_MS}\n\n".encode()

    async def look() -> int | None:
        seq = await run_in_threadpool(desk.door.store.last_seq)
        return seq if seq != said else None

    while True:
        found = await desk.door.inbox_bell.until(look, HEARTBEAT_S)
        if not await run_in_threadpool(still_in):
            yield b"event: ended\ndata: {}\n\n"
            return
        if found is None:
            yield b": still here\n\n"
            continue
        said = found
        yield f"id: {said}\nevent: changed\ndata: {{}}\n\n".encode()
