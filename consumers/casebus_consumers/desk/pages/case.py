"""One case: state by suspect and charge, accounts side by side, time line, as of any time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from casebus_consumers.case_documents import documents_of
from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.shown.as_of_question import question_of
from casebus_consumers.desk.shown.case_tables import accounts_of, matrix_of, speakers_of
from casebus_consumers.desk.shown.documents import shown_documents
from casebus_consumers.desk.shown.findings_list import finding_title, severity_of
from casebus_consumers.desk.shown.names import case_name
from casebus_consumers.desk.shown.personal import personal_of
from casebus_consumers.desk.shown.terms import duty_title, left_of, parties_of, span_of
from casebus_consumers.desk.shown.timeline import spoken_of, timeline_of
from casebus_consumers.desk.shown.tracks import assets_of
from casebus_schemas.case.as_of import LEVELS, AsOf
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.case_view import NothingKnown

_SHORTEST_REASON = 4


def show(asked: Asked) -> Response:
    """The page."""
    chain, desk, w = asked.part("chain"), asked.desk, asked.words
    line = asked.glance.cases.get(chain)
    if line is None:
        raise Gone
    question = question_of(asked)
    nothing = None
    try:
        case = desk.view.case(chain, asked.glance.now, asked=question.as_of, why=True)
    except NothingKnown:
        nothing = w("case.nothing_then")
        case = desk.view.case(chain, asked.glance.now, asked=AsOf(known_by=desk.agency), why=True)
    opened = asked.open(chain)
    at = datetime.fromisoformat(case["at"])
    events = desk.view.events(chain)
    spoken = spoken_of(case, events, desk.catalog, w)
    findings = [one for one in case["findings"] if one["state"] != "closed"]
    return asked.page(
        "case.html",
        line=line,
        name=case_name(line, w, open=opened),
        case=case,
        at=at,
        asked_for=question.values,
        limited=question.limited or nothing is not None,
        wrong=question.wrong,
        nothing=nothing,
        levels=LEVELS,
        opened=opened,
        matrix=matrix_of(case, w, open=opened),
        speakers=speakers_of(case),
        accounts=accounts_of(case, w, open=opened),
        spoken=spoken,
        drawing=timeline_of(spoken, w),
        duties=[
            (
                duty,
                duty_title(duty, w),
                parties_of(duty, desk.agency, w),
                span_of(duty, w),
                left_of(duty, at, w),
            )
            for duty in case["obligations"]
        ],
        findings=[(one, finding_title(one, w), severity_of(one, w)) for one in findings],
        gone=len(case["findings"]) - len(findings),
        assets=assets_of(case, w),
        documents=shown_documents(
            documents_of(_visible(events, case), desk.door.documents.listed(chain)), w, open=opened
        ),
        sealed=personal_of(asked, events, opened),
    )


def unmask(asked: Asked) -> Response:
    """Shows the personal data of a case for a while, since a reason was given; that is logged."""
    chain, reason = asked.part("chain"), asked.needed("reason")
    if chain not in asked.glance.cases:
        raise Gone
    if len(reason) < _SHORTEST_REASON:
        raise UsageError(
            "a reason of so few characters", found=repr(reason), expected="what the data are needed for"
        )
    assert asked.session is not None
    asked.desk.accesses.note(asked.officer, "unmasked", chain, reason[:1_000])
    asked.desk.unmasking.open(asked.session, chain)
    return asked.to(f"/cases/{chain}", done="unmasked")


def _visible(events: Iterable[ChainEvent], case: Mapping[str, Any]) -> list[ChainEvent]:
    shown = {line["event"] for line in case["events"]}
    return [event for event in events if event.digest.hex() in shown]


PAGES = (
    Page("/cases/{chain}", "read", show),
    Page("/cases/{chain}/unmask", "read", None, unmask, "unmask"),
)
