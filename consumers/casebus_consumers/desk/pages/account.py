"""Who is signed in, with what rights, and the way out."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.rights import RIGHTS


def show(asked: Asked) -> Response:
    """The page."""
    return asked.page("account.html", rights=sorted(RIGHTS[asked.officer.role] - {"self"}))


PAGES = (Page("/account", "self", show),)
