"""Findings in a list: what disagrees, how grave that is, and whether we have answered."""

from datetime import datetime
from heapq import nsmallest
from typing import Any

from casebus_consumers.desk.board import Cases
from casebus_consumers.desk.desk import Glance
from casebus_consumers.desk.words import Words
from casebus_schemas.rules.register import RULES

from .figures import Task
from .names import case_name
from .terms import Shade

_MOST = 6


def finding_title(finding: dict[str, Any], w: Words) -> str:
    """What a rule found, by the rule's name."""
    rule = RULES.get(finding["rule"])
    return finding["rule"] if rule is None else w.say(rule.title)


def opened_at(finding: dict[str, Any]) -> datetime:
    """When it was opened; the bus says it in UTC, the own view in Beijing time."""
    return datetime.fromisoformat(finding["opened_at"])


def severity_of(finding: dict[str, Any], w: Words) -> Shade:
    """How grave it is."""
    severity = finding["severity"]
    return Shade(w.word("severity", severity), "danger" if severity == "high" else "warning")


def answered_by(finding: dict[str, Any], agency: str) -> dict[str, Any] | None:
    """The agency's own last word on a finding; that somebody handles it is no answer."""
    said = [one for one in finding.get("words", ()) if one["agency"] == agency and one["said"] != "assigned"]
    return said[-1] if said else None


def to_answer(glance: Glance, own: str, w: Words) -> list[Task]:
    """Findings that are open and on which the agency has said nothing, the gravest and oldest first."""

    def first() -> list[dict[str, Any]]:
        waiting = (one for one in glance.findings if waits(one, own))
        return nsmallest(
            _MOST, waiting, key=lambda one: (one["severity"] != "high", opened_at(one), one["id"])
        )

    return [
        Task(
            finding_title(one, w),
            f"/findings/{one['id']}",
            w.gap.join((case_name(glance.cases[one["chain"]], w), one["rule"], w.say(one["because"]))),
            severity_of(one, w),
        )
        for one in glance.cases.once(("answer", own), first)
    ]


def waits(finding: dict[str, Any], own: str) -> bool:
    """Whether a finding is open, and the agency has said nothing on it."""
    return finding["state"] in ("open", "reopened") and not answered_by(finding, own)


def ordered(cases: Cases) -> list[dict[str, Any]]:
    """All findings, the grave ones first, of each the newest first."""
    found = sorted(cases.findings, key=lambda one: (opened_at(one), one["id"]), reverse=True)
    return sorted(found, key=lambda one: one["severity"] != "high")
