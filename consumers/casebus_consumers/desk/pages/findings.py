"""Findings: what disagrees or is missing, and on one page each the answer to it."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from casebus_consumers.desk.answers import CHOICES, Intended, intended, own_figure, suggested_value
from casebus_consumers.desk.asked import Asked, Gone, Page
from casebus_consumers.desk.board import Cases
from casebus_consumers.desk.shown.finding_card import card_of
from casebus_consumers.desk.shown.findings_list import (
    answered_by,
    finding_title,
    opened_at,
    ordered,
    severity_of,
    waits,
)
from casebus_consumers.desk.shown.names import case_facts, case_name
from casebus_schemas.errors import BusError
from casebus_schemas.texts.errors import detail_in_chinese

SIGHTS = ("answer", "open", "high", "closed")
_ON_A_PAGE = 60


def show(asked: Asked) -> Response:
    """The list."""
    sight, own = asked.query("see", SIGHTS) or "open", asked.desk.agency
    cases = asked.glance.cases
    every = cases.once(("sights of findings", own), lambda: _sights(cases, own))
    page = max(asked.number("page") or 1, 1)
    shown = every[sight][(page - 1) * _ON_A_PAGE : page * _ON_A_PAGE]
    w = asked.words
    return asked.page(
        "findings.html",
        sight=sight,
        counts={name: len(found) for name, found in every.items()},
        page=page,
        pages=-(-len(every[sight]) // _ON_A_PAGE),
        rows=[
            (
                one,
                finding_title(one, w),
                severity_of(one, w),
                case_name(asked.glance.cases[one["chain"]], w),
                answered_by(one, own),
                w.day(opened_at(one)),
            )
            for one in shown
        ],
    )


def found_findings(asked: Asked, sight: str) -> list[dict[str, Any]]:
    """The findings of a sight, in their order."""
    return _sights(asked.glance.cases, asked.desk.agency)[sight]


def _sights(cases: Cases, own: str) -> dict[str, list[dict[str, Any]]]:
    """The findings of each sight, in their order."""
    every = ordered(cases)
    running = [one for one in every if one["state"] != "closed"]
    return {
        "answer": [one for one in running if waits(one, own)],
        "open": running,
        "high": [one for one in running if one["severity"] == "high"],
        "closed": [one for one in every if one["state"] == "closed"],
    }


def show_one(asked: Asked) -> Response:
    """The card of a finding, with the form that answers it, the suggested answer chosen."""
    finding = _finding(asked)
    return _card(asked, finding, _prefilled(asked, finding))


def answer(asked: Asked) -> Response:
    """Shows what would be said, or says it."""
    finding = _finding(asked)
    form = {
        name: asked.field(name) for name in ("says", "value", "text", *(f"text_{one}" for one in CHOICES))
    }
    form["text"] = form.get(f"text_{form['says']}", "") or form["text"]
    try:
        events = intended(
            asked.desk,
            finding,
            form["says"],
            form["text"],
            form["value"],
            asked.officer.shown,
            asked.desk.now(),
        )
        if asked.field("do") != "publish":
            for one in events:
                asked.desk.door.would_say(one.event)
            return _card(asked, finding, form, events)
        _publish(asked, events)
    except BusError as error:
        said = detail_in_chinese(error) if asked.words.language == "zh" else error.detail
        return _card(asked, finding, form, problem=said or error.detail)
    return asked.to(f"/findings/{finding['id']}", done="said")


def _publish(asked: Asked, events: list[Intended]) -> None:
    """Says the correction first, so that the answer can name it."""
    mended = None
    for one in events:
        if mended is not None and one.type == "finding.corrected":
            one.event["data"]["correction"] = mended
        queued = asked.desk.say(one.event)
        mended = queued.digest.hex()
        asked.desk.accesses.note(asked.officer, "answered", str(queued.id), one.type)


def _prefilled(asked: Asked, finding: Mapping[str, Any]) -> dict[str, str]:
    suggestion = finding.get("suggestion") or {}
    says = "corrected" if suggestion.get("by") == asked.desk.agency else "explained"
    form = {"says": says, "value": "", "text": ""}
    figure = own_figure(asked.desk, finding) if finding["rule"] == "R30" else None
    meant = suggested_value(finding, asked.desk.agency)
    if says == "corrected" and figure is None:
        form["says"] = "explained"
    if figure is not None:
        form["value"] = asked.words.figure(figure.value if meant is None else meant)
        if meant is not None:
            form["text_corrected"] = asked.words("finding.slip_text", meant=asked.words.figure(meant))
    return form


def _card(
    asked: Asked,
    finding: dict[str, Any],
    form: Mapping[str, str],
    events: list[Intended] | None = None,
    problem: str | None = None,
) -> Response:
    w, desk = asked.words, asked.desk
    line = asked.glance.cases[finding["chain"]]
    case = desk.view.case(finding["chain"], asked.glance.now)
    opened = asked.open(finding["chain"])
    lines = {event["event"]: event for event in case["events"]}
    figure = own_figure(desk, finding)
    return asked.page(
        "finding.html",
        200 if problem is None else 422,
        finding=finding,
        card=card_of(finding, lines, desk.agency, w, open=opened),
        case=case_name(line, w, open=opened),
        facts=case_facts(line, w),
        opened_on=w.day(opened_at(finding)),
        severity=severity_of(finding, w),
        answerable=finding.get("announced") is not None and finding["state"] != "closed" and asked.may("act"),
        announced=finding.get("announced") is not None,
        choices=CHOICES,
        form={
            name: form.get(name, "")
            for name in ("says", "value", "text", *(f"text_{one}" for one in CHOICES))
        },
        own_figure=figure,
        events=events,
        problem=problem,
        told=sorted({one["agency"] for one in finding["accounts"]} - {desk.agency}),
    )


def _finding(asked: Asked) -> dict[str, Any]:
    for one in asked.glance.findings:
        if one["id"] == asked.part("id"):
            return one
    raise Gone


PAGES = (
    Page("/findings", "read", show),
    Page("/findings/{id}", "read", show_one, answer, "act"),
)
