"""What the bus announced to an agency: findings and duties of its inbox, each as it was said last."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from casebus_schemas.case.duty_said import with_latest
from casebus_schemas.rules.case_view import state_of

from .store import Entry

BUS, OWN, BOTH = "bus", "own", "both"
"""Who says a finding or a duty: the bus, which knows more; the agency's own fold; or both of them."""
_CLOSED = ("id", "rule", "chain", "state", "because", "closed_at")
_UNTOLD: dict[str, Any] = {"class": None, "severity": None, "accounts": [], "law": [], "suggestion": None}
"""Of a finding whose closing was heard and whose opening was not."""


def findings_announced(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Findings by id, as the bus said them last; `announced` names the notice."""
    found: dict[str, dict[str, Any]] = {}
    for data, notice in _said(entries):
        for one in data.get("findings") or ():
            if one.get("state") == "closed":
                before = found.get(one["id"], {**_UNTOLD, "opened_at": one["closed_at"]})
                one = {**before, **{name: one[name] for name in _CLOSED}}
            found[one["id"]] = {**one, "words": [], "announced": {**notice, "state": one["state"]}}
    return found


def duties_announced(entries: Iterable[Entry], now: datetime) -> dict[str, dict[str, Any]]:
    """Duties by id, as the bus said them last, with their state at `now`; `announced` names the notice."""
    found = {}
    for data, notice in _said(entries):
        for one in data.get("obligations") or ():
            stood = {**notice, "state": one["state"]}
            state = "moot" if one["state"] == "moot" else state_of(one, now, None)
            found[one["id"]] = {**with_latest(one), "state": state, "announced": stood}
    return found


def beside(announced: dict[str, dict[str, Any]], own: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each finding or duty once, with `from`: who says it. Where both do, the own fold's words stand, and
    what the bus said under `announced`."""
    left = dict(announced)
    found = []
    for one in own:
        said = left.pop(one["id"], None)
        if said is None:
            found.append({**one, "from": OWN, "announced": None})
        else:
            found.append({**one, "from": BOTH, "announced": said["announced"]})
    found.extend({**one, "from": BUS} for one in left.values())
    return found


def _said(entries: Iterable[Entry]) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    for entry in entries:
        notice = json.loads(entry.body)
        if "event" in notice:  # else this program cannot read it, and the inbox says so
            yield notice["event"]["data"], {"seq": entry.seq, "at": notice["admitted_at"]}
