"""A clock as `casebus law show --json` gives it."""

from collections.abc import Mapping

from .clocks import Begin, Clock, Instrument, Rung, Version, clock_table


def clock_json(clock: Clock) -> dict[str, object]:
    """The clock with every text of it, each with its source."""
    body: dict[str, object] = {
        "id": clock.id,
        "title": clock.title.to_json(),
        "kind": clock.kind,
        "starts": [_begin(begin) for begin in clock.begins],
        "restarted_by": list(clock.restarted_by),
        "duty": list(clock.duty),
        "owed_by": clock.owed_by.text,
        "owed_to": clock.owed_to.text,
        "moot_by": list(clock.moot_by),
        "for_each": "suspect" if clock.for_each_suspect else None,
        "at_most": clock.at_most,
        "found_by": clock.found_by,
        "approval": {"type": clock.approval.type, "by": clock.approval.by or "debtor"}
        if clock.approval
        else None,
        "suspended": {"from": list(clock.suspension.begins), "to": list(clock.suspension.ends)}
        if clock.suspension
        else None,
        "absence": {"of": list(clock.absence.of), "for": clock.absence.span} if clock.absence else None,
    }
    known = clock_table().instruments
    return body | {"versions": [_version(version, clock, known) for version in clock.versions]}


def _begin(begin: Begin) -> dict[str, object]:
    return {
        "on": begin.on,
        "from": _from(begin),
        "when": [condition.to_json() for condition in begin.when],
        "answers": list(begin.answers),
        "unless_told": list(begin.unless_told),
        "since": begin.since.isoformat() if begin.since else None,
        "until": begin.until.isoformat() if begin.until else None,
        "owed_by": begin.owed_by.text,
        "owed_to": begin.owed_to.text,
    }


def _from(begin: Begin) -> str:
    if begin.at_delivery:
        return "delivery"
    return "receipt" if begin.at_receipt else begin.field or "time"


def _version(version: Version, clock: Clock, known: Mapping[str, Instrument]) -> dict[str, object]:
    return {
        "since": version.since.isoformat(),
        "until": version.until.isoformat() if version.until else None,
        "since_verified": version.since_verified,
        "last_day": version.last_day,
        "limits": [_rung(rung, clock) for rung in version.rungs],
        "source": [
            {
                **article.to_json(),
                "title": known[article.instrument].title.to_json(),
                "law": known[article.instrument].is_law,
            }
            for article in version.source
        ],
        "verified": version.verified,
    }


def _rung(rung: Rung, clock: Clock) -> dict[str, object]:
    return {
        "step": rung.step,
        "limit": rung.limit,
        "needs": clock.needs(rung.needs),
        "readings": list(rung.readings),
        "when": [condition.to_json() for condition in rung.when],
    }
