"""The operator's page: what runs, what waits, who was refused, keys, disk, backups."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page


def show(asked: Asked) -> Response:
    """As it is now; loading the page again looks again."""
    return asked.page("operate.html", found=asked.office.operation.look(asked.words))


PAGES = (Page("/operate", "operate", show),)
