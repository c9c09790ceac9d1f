"""Signing in at the agency's identity provider: the way there and the way back."""

import logging

from starlette.responses import RedirectResponse, Response

from casebus_consumers.desk import cookies
from casebus_consumers.desk.asked import Asked, Gone, Page, safe_path
from casebus_consumers.desk.pages.sign_in import entered
from casebus_consumers.desk.sign_on import RETURN, NotProven, claim_of, role_of
from casebus_schemas.errors import BusError

log = logging.getLogger(__name__)


def leave(asked: Asked) -> Response:
    """Sends the browser to the provider, with what must come back."""
    if (provider := asked.office.provider) is None:
        raise Gone
    started = asked.office.started.begin(safe_path(asked.query("to")))
    found = RedirectResponse(provider.begin(started.state, started.nonce, started.verifier), 303)
    cookies.put(found, cookies.AT_PROVIDER, started.browser)
    return found


def come_back(asked: Asked) -> Response:
    """Proves who comes back, and begins a session with the role that the provider's claims give here."""
    office = asked.office
    if (provider := office.provider) is None:
        raise Gone
    settings, query = provider.settings, asked.request.query_params
    browser = asked.request.cookies.get(cookies.AT_PROVIDER, "")
    started = office.started.end(query.get("state", ""), browser)
    if started is None or query.get("iss", settings.issuer) != settings.issuer:
        return _refused(asked, "stale")
    if not (code := query.get("code")):
        log.warning("the identity provider answers %r", query.get("error", "")[:60])
        return _refused(asked, "not_by_provider")
    try:
        claims = provider.finish(code, started.nonce, started.verifier)
    except BusError as error:
        log.warning("a sign-in at the identity provider fails: %s", error.detail)
        return _refused(asked, "not_by_provider" if isinstance(error, NotProven) else "provider_away")
    role = role_of(claims, settings)
    name = claim_of(claims, settings.name_claim)
    if role is None or not isinstance(name, str) or not name:
        return _refused(asked, "no_role")
    shown = claim_of(claims, settings.shown_claim)
    unit = None if settings.unit_claim is None else claim_of(claims, settings.unit_claim)
    officer = office.officers.from_provider(name, role, shown=_line(shown), unit=_line(unit))
    return _without(entered(asked, officer, started.to))


def _refused(asked: Asked, problem: str) -> Response:
    """Back to the form, which says why: code and state stay in no address that a page shows."""
    return _without(asked.to("/sign-in", problem=problem))


def _line(claim: object) -> str:
    return claim[:120] if isinstance(claim, str) else ""


def _without(answer: Response) -> Response:
    cookies.take_away(answer, cookies.AT_PROVIDER)
    return answer


PAGES = (Page("/sign-in/oidc", None, leave), Page(RETURN, None, come_back))
