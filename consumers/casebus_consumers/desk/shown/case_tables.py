"""Tables of a case: each suspect's charges by stage, and every agency's accounts side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from casebus_consumers.desk.masking import masked_name
from casebus_consumers.desk.words import Words
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.texts.symbols import STATUSES

from .event_facts import period_text
from .names import charge_text

_MOST_STAGES = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """A stage that was reached: when, by which event."""

    text: str
    event: str


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge; `cells` stand below the stages, None where it never came."""

    charge: str
    state: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Stages across, suspects with their charges down."""

    stages: Sequence[str]
    suspects: Sequence[tuple[str, Sequence[ChargeRow]]]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What each agency says of one thing: lines of (text, event or None, marked); `rule` where it differs."""

    what: str
    accounts: Sequence[Sequence[tuple[str, str | None, bool]]]
    compared: str
    shade: str
    rule: str | None
    finding: str | None


def matrix_of(case: Mapping[str, Any], w: Words, *, open: bool) -> Matrix:
    """Where each suspect stands on each charge; needs a case with its histories (`why`)."""
    reached: dict[str, None] = {}
    for suspect in case["suspects"]:
        for charge in suspect["charges"]:
            reached.update(dict.fromkeys(step["status"] for step in charge.get("history", ())))
    order = [status for status in STATUSES if status in reached]
    first = {status: number for number, status in enumerate(reached)}
    stages = sorted(order, key=lambda status: first[status])[-_MOST_STAGES:]
    suspects = []
    for suspect in case["suspects"]:
        name = suspect["name"] if open else masked_name(suspect["name"])
        rows = [
            ChargeRow(
                charge_text(charge["article"], w, long=True),
                w.word("status", charge["status"]),
                [_cell(charge.get("history", ()), stage, w) for stage in stages],
            )
            for charge in suspect["charges"]
        ]
        suspects.append((name, rows))
    return Matrix([w.word("status", stage) for stage in stages], suspects)


def _cell(history: Sequence[Mapping[str, Any]], stage: str, w: Words) -> Cell | None:
    for step in history:
        if step["status"] == stage:
            return Cell(w.day(datetime.fromisoformat(step["at"])), step["event"])
    return None


def speakers_of(case: Mapping[str, Any]) -> list[str]:
    """The agencies that have said something of a case, in the order in which a case passes them."""
    return [agency for agency in MEMBERS if agency in case["agencies"]]


def accounts_of(case: Mapping[str, Any], w: Words, *, open: bool) -> list[AccountRow]:
    """Suspects, charges and figures as each agency states them; what differs is marked, silence is none."""
    agencies = speakers_of(case)
    findings = [one for one in case["findings"] if one["state"] != "closed"]
    rows = [
        _listed(case, agencies, "suspects", w("case.suspects"), _by_rule(findings, "R31"), w, open),
        _listed(case, agencies, "charges", w("case.charges"), _by_rule(findings, "R32", "R39"), w, open),
    ]
    for figure in case["amounts"]:
        rows.append(_figure(figure, agencies, findings, w))
    return rows


def _listed(
    case: Mapping[str, Any],
    agencies: Sequence[str],
    name: str,
    what: str,
    finding: Mapping[str, Any] | None,
    w: Words,
    open: bool,
) -> AccountRow:
    said = {agency: _values(case["agencies"][agency], name) for agency in agencies}
    stated = {agency: values for agency, values in said.items() if values}
    every = list(dict.fromkeys(value for values in said.values() for value in values))
    equal = all(set(values) == set(every) for values in stated.values())
    concerned = {one["agency"] for one in finding["accounts"]} if finding is not None else set()
    lines = []
    for agency in agencies:
        shown = [(_called(name, value, w, open), None, False) for value in every if value in said[agency]]
        missing = [value for value in every if value not in said[agency]] if stated.get(agency) else []
        if finding is not None and agency in concerned and not equal:
            shown += [
                (w("case.missing", what=_called(name, value, w, open)), None, True) for value in missing
            ]
        lines.append(shown)
    if len(stated) < 2:
        compared, shade = w("case.one_account"), "quiet"
    elif equal:
        compared, shade = w("case.equal"), "accent"
    else:
        compared, shade = w("case.differ"), "warning" if finding is not None else "quiet"
    of = finding if shade == "warning" else None
    return AccountRow(what, lines, compared, shade, *_named(of))


def _values(account: Mapping[str, Any], name: str) -> list[str]:
    if name == "suspects":
        return list(account["suspects"])
    return list(dict.fromkeys(str(one["article"]) for one in account["charges"] if one["article"]))


def _called(name: str, value: str, w: Words, open: bool) -> str:
    if name == "suspects":
        return value if open else masked_name(value)
    return charge_text(value, w)


def _figure(
    figure: Mapping[str, Any], agencies: Sequence[str], findings: Sequence[Mapping[str, Any]], w: Words
) -> AccountRow:
    period = f"{w.gap}{period_text(figure['period'], w)}" if figure.get("period") else ""
    unit = "" if figure["currency"] == "CNY" else f" {figure['currency']}"
    of = None
    for one in findings:
        events = {account.get("event") for account in one["accounts"]}
        if one["rule"] == "R30" and events & {account["event"] for account in figure["accounts"]}:
            of = one
    lines = [
        [
            (w.figure(account["value"]) + unit, account["event"], of is not None)
            for account in figure["accounts"]
            if account["agency"] == agency
        ]
        for agency in agencies
    ]
    comparison = figure["comparison"]
    shade = "warning" if of is not None else "accent" if comparison == "agree" else "quiet"
    said = w.word("comparison", comparison)
    what = w.word("basis", figure["basis"]) + period
    return AccountRow(what, lines, said, shade, *_named(of))


def _named(finding: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Rule and id of a finding."""
    return (None, None) if finding is None else (finding["rule"], finding["id"])


def _by_rule(findings: Sequence[Mapping[str, Any]], *rules: str) -> Mapping[str, Any] | None:
    return next((one for one in findings if one["rule"] in rules), None)
