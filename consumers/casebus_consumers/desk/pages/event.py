"""One event of a case in full, as this agency said or heard it."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.shown.event_facts import facts_of
from casebus_consumers.desk.shown.names import case_name


def show(asked: Asked) -> Response:
    """The page."""
    chain, digest = asked.part("chain"), asked.part("digest")
    line = asked.glance.cases.get(chain)
    event = None if line is None else asked.desk.event(chain, digest)
    if line is None or event is None:
        raise Gone
    opened = asked.open(chain)
    return asked.page(
        "event.html",
        line=line,
        name=case_name(line, asked.words, open=opened),
        event=event,
        digest=digest,
        facts=facts_of(event, asked.words, open=opened),
    )


PAGES = (Page("/cases/{chain}/events/{digest}", "read", show),)
