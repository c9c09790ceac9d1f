"""The registry as a web application: routes of the dialect over the subjects of a catalogue.

Starlette without FastAPI on top: its bodies for 422 and 405 and its reading of `1.0` as 1 break the dialect.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from casebus_schemas.catalogue.catalog import Catalog, EventSchema
from casebus_services.web_guard import LOOPBACK, Guarded

from . import dialect
from .dialect import CONTENT_TYPE, LEVEL, MODE, Answer, DialectError
from .posted import MOST_BYTES, Posted, read_posted
from .subjects import VALUE, Placed, Subjects

Judge = Callable[[Any, Sequence[EventSchema]], list[str]]
"""(new schema, past versions) -> what breaks, one sentence each; empty if nothing does."""

JUDGE_TIMEOUT_S = 5.0
"""The largest schemas that are taken need 2 s; what needs more is answered as Confluent answers it."""

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]

Endpoint = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")


def create_app(catalog: Catalog, judge: Judge, hosts: Collection[str] = LOOPBACK) -> ASGIApp:
    """The registry of a catalogue, for requests to these hosts. It reaches and keeps nothing else."""
    registry = _Registry(Subjects(catalog), judge)
    get, post, other = ["GET"], ["POST"], ["PUT", "DELETE"]
    routes: list[tuple[str, list[str], Endpoint]] = [
        ("/", get, registry.root),
        ("/healthz", get, registry.root),
        ("/readyz", get, registry.root),
        ("/subjects", get, registry.subjects),
        ("/subjects/{subject}", post, registry.look_up),
        ("/subjects/{subject}", ["DELETE"], registry.refuse),
        ("/subjects/{subject}/versions", get, registry.versions),
        ("/subjects/{subject}/versions", post, registry.register),
        ("/subjects/{subject}/versions/{version}", get, registry.version),
        ("/subjects/{subject}/versions/{version}", ["DELETE"], registry.refuse),
        ("/subjects/{subject}/versions/{version}/schema", get, registry.version_schema),
        ("/subjects/{subject}/versions/{version}/referencedby", get, registry.referenced_by),
        ("/schemas/types", get, registry.types),
        ("/schemas/ids/{id}", get, registry.by_id),
        ("/schemas/ids/{id}/schema", get, registry.by_id_schema),
        ("/schemas/ids/{id}/subjects", get, registry.by_id_subjects),
        ("/schemas/ids/{id}/versions", get, registry.by_id_versions),
        ("/compatibility/subjects/{subject}/versions", post, registry.compatible),
        ("/compatibility/subjects/{subject}/versions/{version}", post, registry.compatible),
        ("/config", get, registry.config),
        ("/config", other, registry.refuse),
        ("/config/{subject}", get, registry.config),
        ("/config/{subject}", other, registry.refuse),
        ("/mode", get, registry.mode),
        ("/mode", other, registry.refuse),
        ("/mode/{subject}", get, registry.mode),
        ("/mode/{subject}", other, registry.refuse),
    ]
    paths = dict.fromkeys(path for path, _, _ in routes)
    app = Starlette(
        # One route a path, whatever the method: else the first of a path answers 405 for the others.
        routes=[Route(path, _by_method(path, routes), methods=METHODS) for path in paths],
        exception_handlers={
            DialectError: _dialect_error,
            HTTPException: _http_error,
            Exception: _own_fault,
        },
    )
    app.router.redirect_slashes = False
    return Guarded(_RawPath(app), server="registry", hosts=hosts, methods=METHODS, most_bytes=MOST_BYTES)


def _by_method(path: str, routes: Sequence[tuple[str, list[str], Endpoint]]) -> Endpoint:
    table = {method: endpoint for at, methods, endpoint in routes if at == path for method in methods}
    if "GET" in table:
        table["HEAD"] = table["GET"]

    async def answer(request: Request) -> Response:
        endpoint = table.get(request.method)
        if endpoint is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(table))})
        return await endpoint(request)

    return answer


class _RawPath:
    """Routes by the path as it was sent: a subject may hold an escaped slash. One at the end is dropped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode()
            path = raw.decode("ascii", "replace").partition("?")[0].rstrip("/") or "/"
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)


class _Registry:
    """The endpoints. Look-ups under `<topic>-value` answer; its versions do not exist."""

    def __init__(self, subjects: Subjects, judge: Judge) -> None:
        self._subjects = subjects
        self._judge = judge
        # One at a time: sent schemas take turns, and all other answers are given meanwhile.
        self._thread = ThreadPoolExecutor(1, "sent-schemas")

    # --- reading -----------------------------------------------------------------------------------------

    async def root(self, _request: Request) -> Response:
        return _json({})

    async def types(self, _request: Request) -> Response:
        return _json(["AVRO"])

    async def subjects(self, request: Request) -> Response:
        prefix = request.query_params.get("subjectPrefix", "")
        names = [name for name in self._subjects.names if name.startswith(prefix)]
        return _json(_page(names, request.query_params))

    async def versions(self, request: Request) -> Response:
        return _json(_page(sorted(self._history(request)), request.query_params))

    async def version(self, request: Request) -> Response:
        return _json(_placed(self._version(request)))

    async def version_schema(self, request: Request) -> Response:
        return _text(schema_text(self._version(request).schema))

    async def referenced_by(self, request: Request) -> Response:
        self._version(request)
        return _json([])  # every schema carries its types inside

    async def by_id(self, request: Request) -> Response:
        schema = self._by_id(request)
        answer: dict[str, Any] = {"schema": schema_text(schema)}
        # Clients name their default subject here; the answer does not depend on it.
        known = {placed.subject: placed for placed in self._subjects.placed(schema.id)}
        placed = known.get(request.query_params.get("subject", ""))
        if placed is not None:
            answer |= {"subject": placed.subject, "version": placed.version}
        return _json(answer)

    async def by_id_schema(self, request: Request) -> Response:
        return _text(schema_text(self._by_id(request)))

    async def by_id_subjects(self, request: Request) -> Response:
        placed = self._subjects.placed(self._by_id(request).id)
        return _json(_page([one.subject for one in placed], request.query_params))

    async def by_id_versions(self, request: Request) -> Response:
        placed = self._subjects.placed(self._by_id(request).id)
        pairs = [{"subject": one.subject, "version": one.version} for one in placed]
        return _json(_page(pairs, request.query_params))

    async def config(self, request: Request) -> Response:
        self._known(request)
        return _json({"compatibilityLevel": LEVEL})

    async def mode(self, request: Request) -> Response:
        self._known(request)
        return _json({"mode": MODE})

    # --- schemas that clients send ------------------------------------------------------------------------

    async def look_up(self, request: Request) -> Response:
        subject = _subject(request)
        among = self._allowed(subject)
        found = self._subjects.find(await self._posted(request), among)
        if found is None:
            raise dialect.no_schema(why=self._taken(subject))
        return _json(_placed(Placed(subject, found.version, found)))

    async def register(self, request: Request) -> Response:
        subject = _subject(request)
        among = self._subjects.among(subject)
        posted = await self._posted(request)
        found = self._subjects.find(posted, among)
        if found is not None:
            return _json({"id": found.id})
        # Under a topic's default subject only the versions of the sent record say anything about it.
        same = [one for one in among if one.schema["name"] == posted.name]
        past = same if self._subjects.values(subject) is not None else among
        messages = await self._broken(posted, past) if past else []
        if messages:
            raise dialect.incompatible(subject, messages)
        raise dialect.read_only(f"Subject '{subject[:200]}'", "" if same else self._taken(subject))

    async def compatible(self, request: Request) -> Response:
        history = self._history(request)
        posted = await self._posted(request)
        past = list(history.values())
        if "version" in request.path_params:
            past = [history[_number(unquote(request.path_params["version"]), history)]]
        messages = await self._broken(posted, past)
        answer: dict[str, Any] = {"is_compatible": not messages}
        if request.query_params.get("verbose", "").lower() == "true":
            answer["messages"] = messages
        return _json(answer)

    async def refuse(self, request: Request) -> Response:
        subject = request.path_params.get("subject")
        raise dialect.read_only("This registry" if subject is None else f"Subject '{unquote(subject)[:200]}'")

    # --- within ------------------------------------------------------------------------------------------

    async def _posted(self, request: Request) -> Posted:
        raw = await request.body()
        return await self._in_time(lambda: read_posted(raw))

    async def _in_time(self, work: Callable[[], T]) -> T:
        """Works in the one thread for sent schemas. Raises DialectError 50002 once that takes too long."""
        running = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.wait_for(running, JUDGE_TIMEOUT_S)
        except TimeoutError:
            raise DialectError(Answer(500, 50002, "Operation timed out")) from None

    async def _broken(self, posted: Posted, past: Sequence[EventSchema]) -> list[str]:
        """What the sent schema breaks of past versions."""
        return await self._in_time(lambda: self._judge(posted.schema, past))

    def _taken(self, subject: str) -> str:
        """A sentence about the records that a topic's default subject takes; empty for other subjects."""
        values = self._subjects.values(subject)
        if values is None:
            return ""
        names = list(dict.fromkeys(str(one.schema["name"]) for one in values))
        topic = subject.removesuffix(VALUE)
        return (
            f" {topic} takes {', '.join(names)}." if names else f" {topic} takes no record of the catalogue."
        )

    def _allowed(self, subject: str) -> Sequence[EventSchema]:
        among = self._subjects.among(subject)
        if not among and self._subjects.values(subject) is None:
            raise dialect.no_subject(subject)
        return among

    def _history(self, request: Request) -> Mapping[int, EventSchema]:
        subject = _subject(request)
        history = self._subjects.history(subject)
        if history is None:
            known = self._subjects.values(subject) is not None
            why = f" {subject} answers look-ups only: a topic carries many types." if known else ""
            raise dialect.no_subject(subject, why)
        return history

    def _version(self, request: Request) -> Placed:
        history = self._history(request)
        number = _number(unquote(request.path_params["version"]), history)
        return Placed(_subject(request), number, history[number])

    def _by_id(self, request: Request) -> EventSchema:
        text = request.path_params["id"]
        if not (text.isascii() and text.isdigit()):
            raise HTTPException(404)
        schema = self._subjects.schema(int(text[:20]))
        if schema is None:
            raise dialect.no_schema(f"Schema {text[:20]}")
        return schema

    def _known(self, request: Request) -> None:
        if "subject" in request.path_params:
            self._allowed(_subject(request))


def _subject(request: Request) -> str:
    return unquote(str(request.path_params["subject"]))


def _number(text: str, history: Mapping[int, EventSchema]) -> int:
    """A version that exists; `latest` and `-1` are the newest."""
    if text in ("latest", "-1"):
        return max(history)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) < 1 << 31):
        raise dialect.bad_version(text)
    if int(text) not in history:
        raise dialect.no_version(int(text))
    return int(text)


def _placed(placed: Placed) -> dict[str, Any]:
    return {
        "subject": placed.subject,
        "version": placed.version,
        "id": placed.schema.id,
        "schema": schema_text(placed.schema),
    }


def schema_text(schema: EventSchema) -> str:
    """The schema as the registry gives it, with its documentation."""
    return json.dumps(schema.schema, ensure_ascii=False, separators=(",", ":"))


def _page(items: list[Any], query: Mapping[str, str]) -> list[Any]:
    """`offset` and `limit` (-1: all) as clients send them; what is no number counts as not sent."""
    offset, limit = (_count(query.get(name, "")) for name in ("offset", "limit"))
    rest = items[offset or 0 :]
    return rest if limit is None else rest[:limit]


def _count(text: str) -> int | None:
    return int(text[:9]) if text.isascii() and text.isdigit() else None


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, headers, media_type=CONTENT_TYPE)


def _text(body: str) -> Response:
    return Response(body, media_type=CONTENT_TYPE)


async def _dialect_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, DialectError)
    return _json(error.answer.to_json(), error.answer.status)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = dialect.plain(error.status_code, f"HTTP {error.status_code} {error.detail}")
    return _json(answer.to_json(), answer.status, error.headers)


async def _own_fault(_request: Request, _error: Exception) -> Response:
    answer = Answer(500, 50001, "Error in the registry itself")
    return _json(answer.to_json(), answer.status)
