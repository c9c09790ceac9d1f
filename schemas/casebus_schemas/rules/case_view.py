"""What readers see of chains, obligations and findings: pure functions, and thin readers of the tables."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from casebus_schemas.case.accounts import accounts
from casebus_schemas.case.as_of import AsOf, possession, sight
from casebus_schemas.case.belonging import parties_of
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.errors import UsageError
from casebus_schemas.law import Answer, Reading, Sentence, state_at
from casebus_schemas.law.calendar import Calendar, published
from casebus_schemas.times import beijing_text
from casebus_schemas.wire.json_text import canonical

from .reasons import duty_reasons, finding_reasons, status_reasons
from .reconcile import reconcile

EVERYTHING = AsOf()


class NothingKnown(UsageError):
    """No event of the chain was known then, there, or by that proof."""


def case_view(
    events: Iterable[ChainEvent],
    now: datetime,
    *,
    asked: AsOf = EVERYTHING,
    why: bool = False,
    calendar: Calendar | None = None,
) -> dict[str, Any]:
    """A chain as `casebus case` shows it: state by suspect and charge, accounts, clocks, findings.

    `asked` limits what is seen, and is then part of the answer; notices on holidays that were published later
    are unknown then. `calendar` has all notices, by default those of this package. `why` adds the history of
    each charge, the reasons for the state, for each duty and finding and each event's place, and what was
    left out. Raises NothingKnown if nothing is seen.
    """
    every = list(events)
    found = sight(every, asked)
    now = asked.at(now)
    parties = parties_of(e for e in every if asked.known_at is None or e.admitted_at <= asked.known_at)
    calendar = calendar or published()
    if asked.notices_until is not None:
        calendar = calendar.known_on(asked.notices_until)
    meaning = reconcile(fold(found.seen, parties), asked.law_of, calendar=calendar)
    if not meaning.folded.order:
        raise NothingKnown(
            "nothing is known of that chain",
            found=f"{len(found.left_out)} events left out",
            expected="an event that was known then",
            remedy="a later --as-of or --known-at, or another --level",
        )
    said = json.loads(canonical(meaning.accounts))
    reached = status_reasons(said, meaning.folded) if why else []
    if not why:
        for suspect in said["suspects"]:
            for charge in suspect["charges"]:
                del charge["history"]
    view = {
        **said,
        "at": beijing_text(now),
        "obligations": [duty.said(now).to_json() for duty in meaning.duties],
        "findings": [finding.to_json() for finding in meaning.findings(now)],
        "hash": meaning.hash.hex(),
    }
    if (question := asked.to_json()) is not None:
        view["as_of"] = question
    if why:
        view["why_status"] = reached
        for shown, duty in zip(view["obligations"], meaning.duties, strict=True):
            shown["why"] = duty_reasons(duty)
        for shown in view["findings"]:
            shown["why"] = finding_reasons(shown, meaning.folded.order)
        view["why"] = [_place(event, meaning.folded) for event in meaning.folded.order]
        if asked.known_by is not None:
            had = possession([*found.seen, *(event for event, _ in found.left_out)], asked.known_by)
            for line in view["why"]:
                line["had"] = had[bytes.fromhex(line["event"])]
        view["left_out"] = [
            {"event": event.digest.hex(), "type": event.type, "reason": reason}
            for event, reason in sorted(found.left_out, key=lambda pair: pair[0].sort_key)
        ]
    return view


def status_known_to(events: Iterable[ChainEvent], agency: str) -> str | None:
    """The state of a case by the events that an agency was told of, None if they bring it nowhere."""
    every = list(events)
    folded = fold(sight(every, AsOf(known_by=agency)).seen, parties_of(every))
    status: str | None = accounts(folded)["status"] if folded.order else None
    return status


def _place(event: ChainEvent, folded: Folded) -> dict[str, Any]:
    """Why an event stands where it stands and what became of it."""
    request = folded.request_of(event)
    reasons = {
        "answers": request.digest if request else None,
        "corrects": event.corrects,
        "withdraws": event.withdraws,
        "follows": event.prev if event.prev in folded.by_digest else None,
    }
    return {
        "event": event.digest.hex(),
        "type": event.type,
        "after": {name: digest.hex() for name, digest in reasons.items() if digest is not None},
        "otherwise": "by time and digest",
        "corrected_by": [digest.hex() for digest in folded.superseded.get(event.digest, ())],
        "withdrawn_by": folded.withdrawn[event.digest].hex() if event.digest in folded.withdrawn else None,
        "admitted_at": beijing_text(event.admitted_at),
    }


def state_of(body: dict[str, Any], now: datetime, moot_at: datetime | None) -> str:
    """The state of an obligation's JSON at a time: computed when read, only announcements are stored."""
    nothing = Sentence("", "")
    readings = [
        Reading(r["name"], datetime.fromisoformat(r["due"]), nothing, r["provisional"])
        for r in body["readings"]
    ]
    answer = _answer(body["met"])
    moot = Answer(moot_at, moot_at) if moot_at else None
    begins, stands = (body[name] for name in ("waits_until", "stands_since"))
    return state_at(
        now,
        readings,
        met=answer,
        moot=moot,
        is_right=body["right"],
        begins=datetime.fromisoformat(begins) if begins else None,
        stands_since=datetime.fromisoformat(stands) if stands else None,
    )


def _answer(met: dict[str, str] | None) -> Answer | None:
    if met is None:
        return None
    return Answer(datetime.fromisoformat(met["by_claim"]), datetime.fromisoformat(met["provably"]))
