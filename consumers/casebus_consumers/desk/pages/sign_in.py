"""Signing in and out, and the language of a reader."""

import hmac
import secrets
from hashlib import sha256
from urllib.parse import urlencode

from starlette.responses import Response

from casebus_consumers.desk import cookies
from casebus_consumers.desk.asked import HOME, Asked, Gone, Page, safe_path
from casebus_consumers.desk.navigation import first_path
from casebus_consumers.desk.officers import AT_PROVIDER, Officer
from casebus_consumers.desk.words import LANGUAGES
from casebus_services.metrics.named import counter

_SIGN_INS = counter("casebus_desk_sign_ins_total")
PROBLEMS = ("stale", "not_by_provider", "provider_away", "no_role")
"""What may have gone wrong on the way back from the identity provider: texts of sign_in.yaml."""
_YEAR_S = 365 * 86_400


def first(asked: Asked) -> Response:
    """The first page of an officer."""
    return asked.to(first_path(asked))


def show(asked: Asked) -> Response:
    """The form, or the first page for who is signed in."""
    if asked.session is not None:
        return asked.to(first_path(asked))
    return _form(asked, asked.query("problem", PROBLEMS))


def sign_in(asked: Asked) -> Response:
    """Proves name and password; begins a session under a token that nobody knew before."""
    if not local_users(asked):
        raise Gone
    browser = asked.request.cookies.get(cookies.BEFORE, "")
    if not browser or not hmac.compare_digest(asked.form.get("csrf", "").encode(), _tied(asked, browser)):
        return _form(asked, "stale", 403)
    name, address = asked.field("name").lower(), _address(asked)
    desk = asked.office
    if wait_s := desk.attempts.wait_s(name, address):
        found = _form(asked, "wait", 429, minutes=-(-wait_s // 60))
        found.headers["retry-after"] = str(wait_s)
        return found
    officer = desk.officers.proven(name, asked.form.get("password", ""))
    _SIGN_INS.labels(agency=desk.agency, outcome="failed" if officer is None else "in").inc()
    if officer is None:
        desk.attempts.failed(name, address)
        return _form(asked, "wrong", 401)
    desk.attempts.succeeded(name)
    found = entered(asked, officer, asked.form.get("to"))
    cookies.take_away(found, cookies.BEFORE)
    return found


def entered(asked: Asked, officer: Officer, to: str | None) -> Response:
    """Begins a session of an officer who was proven, and leads on to a path of this desk."""
    desk = asked.office
    cookie = cookies.session_cookie(desk.agency)
    token = desk.sessions.begin(officer, asked.request.cookies.get(cookie))
    desk.accesses.note(officer, "signed-in")
    found = asked.to(safe_path(to))
    cookies.put(found, cookie, token)
    return found


def local_users(asked: Asked) -> bool:
    """Whether officers with a password of the desk's own sign in here."""
    provider = asked.office.provider
    return provider is None or provider.settings.local_users


def sign_out(asked: Asked) -> Response:
    """Ends the session."""
    assert asked.session is not None
    asked.office.sessions.end(asked.session)
    asked.office.accesses.note(asked.officer, "signed-out")
    elsewhere = asked.officer.name.startswith(AT_PROVIDER)
    found = asked.to("/sign-in", **({"left": "provider"} if elsewhere else {}))
    cookies.take_away(found, cookies.session_cookie(asked.office.agency))
    found.headers["clear-site-data"] = '"cache"'
    return found


def choose_language(asked: Asked) -> Response:
    """Remembers a reader's language and goes back."""
    if (language := asked.part("language")) not in LANGUAGES:
        raise Gone
    found = asked.to(safe_path(asked.query("to")))
    cookies.put(found, cookies.LANGUAGE, language, _YEAR_S)
    return found


def _form(asked: Asked, problem: str | None = None, status: int = 200, **values: int) -> Response:
    browser = secrets.token_urlsafe(24)
    to = safe_path(asked.form.get("to") or asked.query("to"))
    found = asked.page(
        "sign_in.html",
        status,
        csrf=_tied(asked, browser).decode(),
        to=to if to != HOME else "",
        name=asked.field("name")[:64],
        problem=problem and asked.words(f"sign_in.{problem}", **values),
        local=local_users(asked),
        end=_end(asked),
    )
    cookies.put(found, cookies.BEFORE, browser)
    return found


def _end(asked: Asked) -> str | None:
    """Where an officer who has just left ends the session at the identity provider, too."""
    provider = asked.office.provider
    if provider is None or asked.query("left", ("provider",)) is None:
        return None
    if (page := provider.ended_at()) is None:
        return None
    settings = provider.settings
    back = {"client_id": settings.client_id, "post_logout_redirect_uri": settings.url}
    return f"{page}{'&' if '?' in page else '?'}{urlencode(back)}"


def _tied(asked: Asked, browser: str) -> bytes:
    return hmac.new(asked.office.form_secret, browser.encode(), sha256).hexdigest().encode()


def _address(asked: Asked) -> str:
    client = asked.request.client
    return client.host if client is not None else ""


PAGES = (
    Page("/", "self", first),
    Page("/sign-in", None, show, sign_in),
    Page("/sign-out", "self", None, sign_out),
    Page("/language/{language}", None, choose_language),
)
