"""The door as a web application (docs/openapi.json): bearer keys, limits, problem details, streams."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from casebus_consumers.case_documents import documents_of
from casebus_producers.checking.check import check
from casebus_producers.outbox.despite_law import MOST_CHARACTERS
from casebus_schemas.errors import BusError
from casebus_schemas.texts.symbols import DUTY_STATES, FINDING_STATES
from casebus_schemas.wire.door import DoorProblem
from casebus_services.web_guard import LOOPBACK, Guarded

from . import problems
from .asking import (
    JSON,
    LARGEST,
    LONGEST_WAIT_S,
    MOST_AT_ONCE,
    MOST_BYTES,
    STAGES,
    Query,
    body_of,
    events_of,
    too_many,
    uuid_of,
)
from .attachments.answering import AttachmentAnswers, by_signature
from .attachments.store import MOST_BYTES as MOST_BYTES_OF_DOCUMENT
from .clients import CERTIFICATE, Clients
from .door import Door
from .operations import OPERATIONS, Operation
from .problems import Problem
from .rates import Rates
from .said import Stage, event_of, reached
from .taken import Taken

Endpoint = Callable[[Request, Query], Awaitable[Response]]
METHODS = ("GET", "HEAD", "POST", "PUT")
HEARTBEAT_S = 15.0
MOST_STREAMS = 1_000
"""Connections open at a time at one door: most are streams and long polls, which wait; more get 503."""
RATE_S, BURST = 100.0, 200
"""Requests of one client: a second on end, and at once."""
_WITHOUT_KEY = "/healthz"
_OF_DOORS = "get_attachment"
"""What another agency's door may ask, too, by a signature."""
_RUN = 100
log = logging.getLogger(__name__)


def create_app(
    door: Door, clients: Clients, *, hosts: frozenset[str] = LOOPBACK, rates: Rates | None = None
) -> ASGIApp:
    """The application of one door, for requests to these hosts."""
    web = _Web(door, clients, rates or Rates(RATE_S, BURST))
    paths: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation
    app = Starlette(
        # One route a path, whatever the method, so that 405 is ours.
        routes=[Route(path, web.answering(by), methods=[*METHODS]) for path, by in paths.items()],
        exception_handlers={HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    return Guarded(
        app,
        server="door",
        hosts=hosts,
        methods=METHODS,
        most_bytes=MOST_BYTES,
        problems=True,
        streamed={"PUT": MOST_BYTES_OF_DOCUMENT},
    )


class _Web(AttachmentAnswers):
    """The operations; each takes the request with its query read and gives the answer."""

    def __init__(self, door: Door, clients: Clients, rates: Rates) -> None:
        self._door = door
        self._clients = clients
        self._rates = rates

    def answering(self, by_method: Mapping[str, Operation]) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a path."""
        allowed = ", ".join(sorted(by_method))

        async def answer(request: Request) -> Response:
            try:
                operation = by_method.get("GET" if request.method == "HEAD" else request.method)
                if operation is None:
                    raise Problem(405, f"{request.method}, expected {allowed}", headers={"allow": allowed})
                if operation.name == _OF_DOORS and by_signature(request):
                    self._admit_agency(request)
                elif operation.path != _WITHOUT_KEY:
                    self._admit(request)
                endpoint: Endpoint = getattr(self, operation.name)
                return await endpoint(request, Query(request, operation.query))
            except Problem as problem:
                return _problem(problem)
            except BusError as error:
                return _problem(problems.of_error(error))
            except Exception:
                log.exception("a fault of the door")
                return _problem(Problem(500, "a fault of the door; its log says more"))

        return answer

    def _admit(self, request: Request) -> None:
        said = request.headers.get("authorization")
        if said is None:
            client = self._clients.certified(getattr(request.state, CERTIFICATE, ()))
        else:  # a key that is none is refused, whatever certificate comes with it
            scheme, _, key = said.partition(" ")
            client = self._clients.named(key.strip()) if scheme.lower() == "bearer" else None
        if client is None:
            raise Problem(
                401,
                "authorization, expected Bearer and the key of a client, or a client's certificate",
                headers={"www-authenticate": "Bearer"},
            )
        self._bound(client)

    def _admit_agency(self, request: Request) -> None:
        self._bound(f"agency {self.agency_of(request)}")

    def _bound(self, client: str) -> None:
        wait_s = self._rates.wait_s(client)
        if wait_s:
            raise Problem(429, f"the requests of {client}", headers={"retry-after": str(wait_s)})

    # --- saying ------------------------------------------------------------------------------------------

    async def post_events(self, request: Request, query: Query) -> Response:
        """Takes events: durable in the outbox before the answer."""
        stage = query.choice("wait", STAGES)
        timeout_s = query.number("timeout", 30, 0, LONGEST_WAIT_S)
        advise = query.flag("advice")
        despite = query.text("despite_law", MOST_CHARACTERS)
        events, batched = await events_of(request)
        found = await run_in_threadpool(self._door.say, events, advise=advise, despite=despite)
        taken = [one for one in found if isinstance(one, Taken)]
        standing = await self._standing(taken, stage, timeout_s) if stage and taken else None
        results = [self._result(one, at, events, batched, standing) for at, one in enumerate(found)]
        if not batched:
            (one,) = found
            if isinstance(one, DoorProblem):
                raise problems.of_event(one, self._door.law_of(events[0]))
            headers = {"location": results[0]["receipt"]}
            whole = standing is not None and reached(results[0], stage)  # type: ignore[arg-type]  # a Stage
            return _json(results[0], 200 if whole else 202, headers)
        status = 202 if len(taken) == len(found) else 207 if taken else 422
        if status == 422:
            raise Problem(422, f"none of {len(found)} events is taken", more={"events": results})
        return _json({"taken": len(taken), "of": len(found), "events": results}, status)

    def _result(
        self,
        one: Taken | DoorProblem,
        at: int,
        events: Sequence[Any],
        batched: bool,
        standing: Mapping[int, dict[str, Any]] | None,
    ) -> dict[str, Any]:
        if isinstance(one, DoorProblem):
            where = f"/{at}" if batched else ""
            return {"problem": problems.of_event(one, self._door.law_of(events[at]), where).body()}
        queued = one.queued
        result: dict[str, Any] = {
            "event": event_of(queued),
            "repeated": queued.repeated,
            "receipt": f"/v1/receipts/{queued.id}",
        }
        if one.advice:
            result["advice"] = [hint.to_json() for hint in one.advice]
        if standing is not None:
            found = standing[queued.position]
            result |= {"stage": found["stage"], "receipts": found["receipts"]}
        return result

    async def _standing(
        self, taken: Sequence[Taken], stage: str, timeout_s: float
    ) -> dict[int, dict[str, Any]]:
        """How the events stand once all have come so far, or time is up; by position."""
        queued = [one.queued for one in taken]
        found: dict[int, dict[str, Any]] = {}
        wanted: Stage = stage  # type: ignore[assignment]  # one of STAGES

        def look() -> bool:
            waiting = [
                one for one in queued if one.position not in found or not reached(found[one.position], wanted)
            ]
            for row in self._door.said.rows(waiting):
                found[row.position] = self._door.said.standing(row)
            return all(reached(one, wanted) for one in found.values())

        await self._door.said_bell.until(lambda: run_in_threadpool(look), timeout_s)
        return found

    async def get_receipt(self, request: Request, query: Query) -> Response:
        """What became of one event."""
        id = uuid_of(request.path_params["id"], "id")
        stage = query.choice("wait", STAGES)
        timeout_s = query.number("timeout", 30, 0, LONGEST_WAIT_S)
        found: dict[str, Any] | None = None

        def look() -> bool:
            nonlocal found
            found = self._door.said.of_id(id)
            return found is None or stage is None or reached(found, stage)  # type: ignore[arg-type]  # a Stage

        await self._door.said_bell.until(lambda: run_in_threadpool(look), timeout_s)
        if found is None:
            raise Problem(404, f"event {id}, expected one that was said through this outbox")
        return _json(found)

    async def get_receipts(self, request: Request, query: Query) -> Response:
        """Receipts in the order in which they came."""
        after, limit, wait_s = _page(query)

        async def look() -> list[dict[str, Any]]:
            return await run_in_threadpool(self._door.said.after, after, limit)

        found = await self._door.said_bell.until(look, wait_s)
        return _json({"receipts": found, "next": found[-1]["seq"] if found else after})

    # --- hearing -----------------------------------------------------------------------------------------

    async def get_inbox(self, request: Request, query: Query) -> Response:
        """Notices in the order of the inbox: a page, a long poll, or a stream that resumes."""
        after, limit, wait_s = _page(query)
        last = request.headers.get("last-event-id")
        if last is not None and not (last.isascii() and last.isdigit() and len(last) < 16):
            raise problems.wrong_parameter("Last-Event-ID", last, "the number of a notice")
        if "text/event-stream" in request.headers.get("accept", ""):
            after = after if last is None else int(last)
            return StreamingResponse(self._stream(after), media_type="text/event-stream")

        async def look() -> list[tuple[int, str, str]]:
            return await run_in_threadpool(self._door.heard, after, limit)

        found = await self._door.inbox_bell.until(look, wait_s)
        told = ",".join(body for _, _, body in found)
        return Response(f'{{"notices":[{told}],"next":{found[-1][0] if found else after}}}', media_type=JSON)

    async def _stream(self, after: int) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"

        async def look() -> list[tuple[int, str, str]]:
            return await run_in_threadpool(self._door.heard, after, _RUN)

        while True:
            found = await self._door.inbox_bell.until(look, HEARTBEAT_S)
            if not found:
                yield b": still here\n\n"
            for seq, kind, body in found:
                after = seq
                yield f"id: {seq}\nevent: {kind}\ndata: {body}\n\n".encode()

    async def post_ack(self, request: Request, query: Query) -> Response:
        """Says to the senders that their notices were fetched."""
        _, body = await body_of(request, (JSON,))
        seqs = await run_in_threadpool(self._meant, body)
        queued = []
        for start in range(0, len(seqs), MOST_AT_ONCE):
            queued += await run_in_threadpool(self._door.acknowledge, seqs[start : start + MOST_AT_ONCE])
        said = [{"event": event_of(one), "receipt": f"/v1/receipts/{one.id}"} for one in queued]
        return _json({"acknowledged": said}, 202)

    def _meant(self, body: Any) -> list[int]:
        wrong = Problem(
            422,
            "the body, expected exactly one of up_to (a number), seqs (numbers) and notices (ids)",
            errors=[{"pointer": "#", "detail": "one of up_to, seqs and notices"}],
        )
        if not isinstance(body, dict) or len(body) != 1:
            raise wrong
        ((name, value),) = body.items()
        if name == "up_to" and _is_number(value):
            return self._door.first_unacknowledged(int(value))
        if name not in ("seqs", "notices") or not isinstance(value, list) or len(value) > MOST_AT_ONCE:
            raise wrong
        if name == "seqs" and all(map(_is_number, value)):
            return [int(one) for one in value]
        if name == "notices" and all(isinstance(one, str) for one in value):
            return self._door.numbers([uuid_of(one, "notices") for one in value])
        raise wrong

    # --- the own view ------------------------------------------------------------------------------------

    async def get_cases(self, request: Request, query: Query) -> Response:
        """Every case of which the agency said or heard something."""
        return _json({"cases": await run_in_threadpool(self._door.view.chains)})

    async def get_case(self, request: Request, query: Query) -> Response:
        """One case as the agency knows it."""
        chain = str(uuid_of(request.path_params["chain"], "chain"))
        asked, now = query.as_of(self._door.agency), query.moment("now") or self._door.now()
        why = query.flag("why")
        found = await run_in_threadpool(self._door.view.case, chain, now, asked=asked, why=why)
        documents = await run_in_threadpool(self._documents, chain)
        return _json({**found, "attachments": documents})

    def _documents(self, chain: str) -> list[dict[str, Any]]:
        found = documents_of(self._door.view.events(chain), self._door.documents.listed(chain))
        return [one.to_json() for one in found]

    async def get_obligations(self, request: Request, query: Query) -> Response:
        """What is due."""
        now, chain = query.moment("now") or self._door.now(), query.uuid("chain")
        states, before = query.choices("state", list(DUTY_STATES)), query.moment("due_before")
        found = await run_in_threadpool(
            self._door.view.obligations, now, chain=chain, states=states, due_before=before
        )
        return _json({"obligations": found})

    async def get_findings(self, request: Request, query: Query) -> Response:
        """Where accounts disagree."""
        now, states = query.moment("now") or self._door.now(), query.choices("state", list(FINDING_STATES))
        chain, rule = query.uuid("chain"), query.rule("rule")
        found = await run_in_threadpool(
            self._door.view.findings, chain=chain, states=states, rule=rule, now=now
        )
        return _json({"findings": found})

    async def post_check(self, request: Request, query: Query) -> Response:
        """What would be refused, due and found of these events; nothing is said."""
        now = query.moment("now") or self._door.now()
        events, _ = await events_of(request)
        if len(events) > MOST_AT_ONCE:
            raise too_many(len(events), MOST_AT_ONCE)
        answer = await run_in_threadpool(check, events, now)
        return _json(answer.to_json())

    async def get_health(self, request: Request, query: Query) -> Response:
        """Whether it does what it should: no case, no name, no key."""
        ails = self._door.ails()
        body = {"ok": not ails, "agency": self._door.agency, "ails": sorted(ails)}
        return _json(body, 503 if ails else 200)


def _page(query: Query) -> tuple[int, int, int]:
    """After which number, how many at most, and how long to wait for the first."""
    return (
        query.number("after", -1, -1, LARGEST),
        query.number("limit", _RUN, 1, MOST_AT_ONCE),
        query.number("wait", 0, 0, LONGEST_WAIT_S),
    )


def _is_number(value: object) -> bool:
    """Whether it is a number of the inbox; JSON does not tell 1 from 1.0."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and 0 <= value <= LARGEST  # type: ignore[operator]


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


def _problem(problem: Problem) -> Response:
    return Response(
        orjson.dumps(problem.body()), problem.status, problem.headers, media_type=problems.MEDIA_TYPE
    )


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(Problem(404, "no such address; docs/openapi.json lists them"))
