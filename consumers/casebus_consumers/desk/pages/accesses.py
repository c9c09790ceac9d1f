"""The log of accesses: who opened, read, signed, unmasked and exported what, when and what for."""

from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.accesses import Sought
from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.shown.access_rows import act_word, row_of
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_end, read_time

_ON_A_PAGE = 100
_NONE_BELOW = 2**62


def show(asked: Asked) -> Response:
    """The list, the newest first."""
    accesses = asked.desk.accesses
    sought, wrong = sought_of(asked)
    before = asked.number("before")
    found = accesses.before(before or _NONE_BELOW, _ON_A_PAGE + 1, sought)
    more, found = len(found) > _ON_A_PAGE, found[:_ON_A_PAGE]
    return asked.page(
        "accesses.html",
        values={name: asked.query(name) or "" for name in ("officer", "act", "about", "from", "to")},
        officers=accesses.said("officer"),
        acts=[(act, act_word(act, asked.words)) for act in accesses.said("act")],
        wrong=wrong,
        rows=[row_of(one, asked) for one in found],
        total=accesses.count(sought),
        older=found[-1]["number"] if more else None,
        before=before,
    )


def sought_of(asked: Asked) -> tuple[Sought, str | None]:
    """Which accesses the query asks for, and what about it is no time."""
    said, wrong = dict[str, Any](), None
    for name, member, read in (("from", "since", read_time), ("to", "until", read_end)):
        given = asked.query(name)
        if given is None:
            continue
        try:
            said[member] = read(given)
        except (UsageError, ValueError, OverflowError):
            wrong = asked.words("case.no_time", text=given)
    return Sought(asked.query("officer"), asked.query("act"), asked.query("about"), **said), wrong


PAGES = (Page("/audit/accesses", "audit", show),)
