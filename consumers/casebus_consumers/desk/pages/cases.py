"""Cases: found by number, name, security or chain, and listed by what happened last."""

from starlette.responses import Response

from casebus_consumers.desk.asked import Asked, Page
from casebus_consumers.desk.board import CaseLine, is_running
from casebus_consumers.desk.shown.names import case_name
from casebus_schemas.times import to_datetime

_ON_A_PAGE = 60
_FEWEST = 4
"""Characters of a chain id by which a case is found."""


def show(asked: Asked) -> Response:
    """The list; a search that fits one case leads to it."""
    found, wanted = found_cases(asked), asked.query("q")
    if wanted is not None and len(found) == 1:
        return asked.to(f"/cases/{found[0].chain}")
    page = max(asked.number("page") or 1, 1)
    shown = found[(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
    return asked.page(
        "cases.html",
        wanted=wanted,
        total=len(found),
        page=page,
        pages=-(-len(found) // _ON_A_PAGE),
        rows=[
            (
                one,
                case_name(one, asked.words),
                sum(1 for duty in one.duties if is_running(duty)),
                sum(1 for finding in one.findings if finding["state"] != "closed"),
            )
            for one in shown
        ],
    )


def found_cases(asked: Asked) -> list[CaseLine]:
    """The cases that fit what is looked for, the last event first."""
    cases, wanted = asked.glance.cases, asked.query("q")
    found = [one for one in cases.values() if wanted is None or _fits(one, wanted)]
    return sorted(found, key=lambda one: (one.last or to_datetime(0), one.chain), reverse=True)


def _fits(case: CaseLine, wanted: str) -> bool:
    plain = wanted.casefold()
    named = (name.casefold() for names in case.names.values() for name in names)
    return any(plain in name for name in named) or (len(plain) >= _FEWEST and case.chain.startswith(plain))


PAGES = (Page("/cases", "read", show),)
