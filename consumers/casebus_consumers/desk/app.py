"""The desk as a web application: sessions, rights, languages, forms, headers; pages come from pages/."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from casebus_schemas.errors import BusError, RetryLater, UsageError
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_services.web_guard import LOOPBACK, Guarded

from . import cookies
from .asked import Asked, Gone, Page, Refused
from .live import live
from .office import Office
from .pages.register import PAGES
from .rendering import STATIC, static_file
from .rights import may
from .sessions import Session
from .words import Words, language_of

METHODS = ("GET", "HEAD", "POST")
MOST_BYTES = 1024 * 1024
MOST_FIELDS = 5_000
MOST_CONNECTIONS = 1_000
"""Open at a time: each open page keeps one for what comes."""
POLICY: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    # A form says where it comes from (Origin) only if its page may be named to its own server.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
log = logging.getLogger(__name__)


def create_app(desk: Office, *, hosts: frozenset[str] = LOOPBACK) -> ASGIApp:
    """The application of one desk, for requests to these hosts."""
    web = _Web(desk)
    routes = [Route(page.path, web.answering(page), methods=[*METHODS]) for page in PAGES]
    routes.append(Route("/live", web.live, methods=["GET"]))
    routes.extend(Route(f"/{name}", _static(name, kind), methods=["GET"]) for name, kind in STATIC.items())
    routes.append(Route("/{path:path}", web.answering(Page("", None)), methods=[*METHODS]))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guarded(app, server="desk", hosts=hosts, methods=METHODS, most_bytes=MOST_BYTES, policy=POLICY)


def check_url(url: str) -> None:
    """Raises UsageError unless officers reach the desk over a safe channel: https, or this machine itself."""
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise UsageError(
            "a desk's address without a safe channel",
            found=url,
            expected="https://…, with a proxy that ends TLS and passes requests on, or loopback",
        )


class _Web:
    """Answers for one desk."""

    def __init__(self, desk: Office) -> None:
        self._desk = desk
        self._cookie = cookies.session_cookie(desk.agency)

    def answering(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a page."""

        async def answer(request: Request) -> Response:
            asked = self._asked(request)
            posted = request.method == "POST"
            form = _form(await request.body()) if posted else {}
            return await run_in_threadpool(self._answer, asked, page, form)

        return answer

    async def live(self, request: Request) -> Response:
        """Server-sent events: says when something has come. It does not keep a session alive."""
        asked = self._asked(request)
        session = await run_in_threadpool(self._session, request, still_there=False)
        if session is None or not may(session.officer.role, "read"):
            return Response(status_code=401)
        asked.session = session
        return live(asked, lambda: self._session(request, still_there=False) is not None)

    # --- within ------------------------------------------------------------------------------------------

    def _asked(self, request: Request) -> Asked:
        chosen = request.cookies.get(cookies.LANGUAGE)
        language = language_of(chosen, request.headers.get("accept-language", ""))
        return Asked(request, self._desk, Words(language))

    def _session(self, request: Request, *, still_there: bool = True) -> Session | None:
        token = request.cookies.get(self._cookie)
        return None if token is None else self._desk.sessions.of(token, still_there=still_there)

    def _answer(self, asked: Asked, page: Page, form: Mapping[str, str]) -> Response:
        request = asked.request
        try:
            asked.session = self._session(request)
            handler = page.post if request.method == "POST" else page.get
            if handler is None:
                raise Gone
            if request.method == "POST":
                _from_here(request)
                asked.form = form
            if page.right is not None:
                if asked.session is None:
                    back = asked.path if request.method != "POST" else ""
                    return RedirectResponse(f"/sign-in?to={quote(back, safe='')}", 303)
                wanted = page.post_right if request.method == "POST" and page.post_right else page.right
                if not may(asked.officer.role, wanted):
                    raise Refused("frame.not_yours")
                if request.method == "POST":
                    _with_token(asked)
            answer = handler(asked)
            if page.right is not None and request.method == "GET":
                self._desk.accesses.note(asked.officer, "opened", request.url.path)
            return answer
        except Gone:
            return self._trouble(asked, 404, asked.words("frame.nothing_here"))
        except Refused as refused:
            return self._trouble(asked, refused.status, asked.words(refused.key, **refused.values))
        except BusError as error:
            status = 503 if isinstance(error, RetryLater) else 422
            said = detail_in_chinese(error) if asked.words.language == "zh" else error.detail
            return self._trouble(asked, status, said or error.detail)
        except Exception:
            log.exception("a fault of the desk")
            return self._trouble(asked, 500, asked.words("frame.fault"))

    def _trouble(self, asked: Asked, status: int, why: str) -> Response:
        try:
            return asked.page("trouble.html", status, why=why)
        except Exception:
            log.exception("a fault of the desk")
            return Response(why, status, media_type="text/plain")


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; of one that is there twice the last counts."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _from_here(request: Request) -> None:
    """Raises Refused unless a form comes from a page of this very address, as far as the browser says so."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers["host"]:
        raise Refused("frame.from_elsewhere")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("frame.from_elsewhere")


def _with_token(asked: Asked) -> None:
    """Raises Refused unless the form holds the token of the session."""
    assert asked.session is not None
    if not hmac.compare_digest(asked.form.get("csrf", "").encode(), asked.session.csrf.encode()):
        raise Refused("frame.stale_form")


def _static(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        # Its address changes with its bytes.
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(static_file(name), media_type=kind, headers=headers)

    return answer
