"""Why a case, a charge, a duty or a finding stands where it stands, as lines for a person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from casebus_schemas.law.clocks import clock_table
from casebus_schemas.texts.symbols import STATUSES, agency, shown, title


def moves(reasons: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The events by which something moved, a line each; with the state where one is said."""
    for move in reasons:
        state = f"{shown(STATUSES, move['status'])}  " if "status" in move else ""
        yield f"{state}{_event(move)}"


def duty_why(duty: Mapping[str, Any]) -> Iterator[str]:
    """By which event and law a duty stands, what extends, meets or ends it; nothing if not said."""
    why = duty.get("why")
    if why is None:
        return
    yield f"起于 started by   {_event(why['started_by'])}"
    known = clock_table().instruments
    for article in why["law"]:
        text = known[article["instrument"]]
        number = f"第{article['article']}条 Art. {article['article']}  " if text.is_law else ""
        mark = "" if article["verified"] else "  未核实 not verified"
        yield f"依据 law          {text.title.zh} {number}自 since {article['since']}{mark}"
    for approval in why["extended_by"]:
        yield f"延长 extended by  {_event(approval)}"
    for label, event in (("履行于 met by   ", why["met_by"]), ("终止于 ended by ", why["ended_by"])):
        if event is not None:
            yield f"{label} {_event(event)}"


def finding_why(finding: Mapping[str, Any]) -> Iterator[str]:
    """Which rule found it, on which events, and when it goes away; nothing where that is not said."""
    why = finding.get("why")
    if why is None:
        return
    for label, name in (("规则 rule", "title"), ("处理 who acts", "acts"), ("关闭 closes", "closes")):
        if said := why.get(name):
            yield f"{label}  {said['zh']} {said['en']}"
    for event in why["events"]:
        yield f"依据 rests on  {_event(event)}"


def _event(event: Mapping[str, Any]) -> str:
    called = f"{title(event['type']).zh} {event['type']}  " if "type" in event else ""
    return (
        f"{called}{agency(event['agency']).zh} {event['agency']}  {event['at'][:16]}  {event['event'][:16]}"
    )
