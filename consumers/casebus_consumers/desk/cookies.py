"""The cookies of a desk: all are the server's alone (`__Host-`: this host and path, a safe channel)."""

from starlette.responses import Response

LANGUAGE = "__Host-casebus-language"
BEFORE = "__Host-casebus-before"
"""Ties the form to sign in with to the browser that was given it: nobody is signed in by another's page."""

AT_PROVIDER = "__Host-casebus-at-provider"
"""Ties a sign-in that was begun at the identity provider to the browser that comes back from there."""


def session_cookie(agency: str) -> str:
    """The session's: a browser gives all ports of a host the same cookies, and each desk has its own."""
    return f"__Host-casebus-{agency}"


def put(response: Response, name: str, value: str, max_age_s: int | None = None) -> None:
    """Sets one; without an age it goes when the browser is closed."""
    response.set_cookie(name, value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="lax")


def take_away(response: Response, name: str) -> None:
    """Deletes one."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
