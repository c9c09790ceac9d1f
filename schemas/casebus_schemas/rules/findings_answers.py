"""Findings about who answers what: R20, R21, R22, R45, and corrections that cannot take effect."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

from casebus_schemas.case.accounts import ABOUT_THE_BUS
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.texts.symbols import agency, quoted
from casebus_schemas.times import beijing_text

from .finding import Finding, Suggestion, account, finding

ORPHAN_AFTER = timedelta(hours=24)
"""How long an answer may wait for what it answers: agencies' streams are not ordered against each other."""

_ANSWERS = frozenset({"response", "receipt", "error"})


def orphans(folded: Folded, now: datetime) -> Iterator[Finding]:
    """R20: an answer whose request had not been admitted a day after it; closed when the request comes."""
    for event in folded.order:
        if event.message_class not in _ANSWERS or event.family in ABOUT_THE_BUS:
            continue
        opened_at = event.admitted_at + ORPHAN_AFTER
        request = folded.request_of(event)
        if now < opened_at or (request is not None and request.admitted_at <= opened_at):
            continue
        named = event.in_reply_to
        what = (
            Sentence("未指明所答复的事件", "names nothing that it answers")
            if named is None
            else Sentence(f"所答复的事件{named}未见于案链", f"answers {named}, which the chain does not hold")
        )
        found = finding(
            "R20",
            chain=event.chain,
            subject=str(event.id),
            causes=[event],
            severity="medium",
            cls="arrival",
            accounts=[account(event, {"type": event.type, "in_reply_to": str(named) if named else None})],
            because=Sentence(
                f"{agency(event.agency).zh}的{quoted(event.type).zh}{what.zh}(已逾24小时)",
                f"{quoted(event.type).en} of {agency(event.agency).en} {what.en}, for more than 24 hours",
            ),
            opened_at=opened_at,
        )
        yield found if request is None else _closed(found)


def orphan_turns(folded: Folded) -> list[datetime]:
    """When answers that still wait for their request become orphans."""
    return [
        event.admitted_at + ORPHAN_AFTER
        for event in folded.order
        if event.message_class in _ANSWERS
        and event.family not in ABOUT_THE_BUS
        and folded.request_of(event) is None
    ]


def superseded_answers(folded: Folded) -> Iterator[Finding]:
    """R21: an answer bound to a version that was corrected before it was given, or to no version at all."""
    for event in folded.standing:
        answered = event.in_reply_to_hash
        if answered is None or event.family in ABOUT_THE_BUS:
            continue
        request = folded.request_of(event)
        if request is None:
            continue
        origin = folded.by_digest[folded.origin_of(request.digest)]
        corrections = folded.superseded.get(origin.digest, ())
        versions = [origin.digest, *corrections]
        if answered not in versions:
            yield _bound_to_nothing(event, request)
            continue
        later = [folded.by_digest[d] for d in versions[versions.index(answered) + 1 :]]
        known = [version for version in later if version.occurred_at <= event.occurred_at]
        if known:
            yield _superseded(event, origin, answered, versions, known[-1])


def _superseded(
    event: ChainEvent, origin: ChainEvent, answered: bytes, versions: list[bytes], current: ChainEvent
) -> Finding:
    number = versions.index(answered) + 1
    newest = versions.index(current.digest) + 1
    return finding(
        "R21",
        chain=event.chain,
        subject=str(event.id),
        causes=[event, origin, current],
        severity="medium",
        accounts=[
            account(current, {"version": newest, "type": current.type}),
            account(event, {"answers_version": number, "type": event.type}),
        ],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}答复第{number}版,"
            f"{agency(origin.agency).zh}此前已发第{newest}版,第{newest}版尚待答复",
            f"{quoted(event.type).en} of {agency(event.agency).en} answers version {number}, but "
            f"{agency(origin.agency).en} had already sent "
            f"version {newest}, which is still open",
        ),
        suggestion=Suggestion(event.type, event.agency),
    )


def _bound_to_nothing(event: ChainEvent, request: ChainEvent) -> Finding:
    return finding(
        "R21",
        chain=event.chain,
        subject=str(event.id),
        causes=[event, request],
        severity="medium",
        accounts=[
            account(request, {"digest": request.digest.hex()}),
            account(event, {"answers": event.in_reply_to_hash.hex() if event.in_reply_to_hash else None}),
        ],
        because=Sentence(
            f"{agency(event.agency).zh}的{quoted(event.type).zh}所附摘要与{quoted(request.type).zh}的任何版本均不相符",
            f"{quoted(event.type).en} of {agency(event.agency).en} is bound to a digest that no version of "
            f"{quoted(request.type).en} has",
        ),
        suggestion=Suggestion(event.type, event.agency),
    )


def conflicting_answers(folded: Folded) -> Iterator[Finding]:
    """R22: filed and not filed, or prosecuted and not prosecuted for one suspect; nothing wins by itself."""
    filed = [event for event in folded.standing if event.type == "referral.filed"]
    refused = [event for event in folded.standing if event.type == "referral.not_filed"]
    for yes, no in product(filed, refused):
        if _same_request(yes, no, folded):
            yield _conflict(yes, no, "referral")
    prosecuted = [event for event in folded.standing if event.type == "outcome.prosecuted"]
    dropped = [event for event in folded.standing if event.type == "outcome.not_prosecuted"]
    for yes, no in product(prosecuted, dropped):
        charged = {person.number for person in folded.suspects.listed(yes)}
        for person in folded.suspects.listed(no):
            if person.number in charged:
                yield _conflict(yes, no, person.name)


def _same_request(left: ChainEvent, right: ChainEvent, folded: Folded) -> bool:
    one, other = folded.request_of(left), folded.request_of(right)
    if one is None or other is None:
        return True
    return folded.origin_of(one.digest) == folded.origin_of(other.digest)


def _conflict(yes: ChainEvent, no: ChainEvent, subject: str) -> Finding:
    return finding(
        "R22",
        chain=yes.chain,
        subject=subject,
        causes=[yes, no],
        severity="high",
        accounts=[account(event, _said(event)) for event in sorted((yes, no), key=lambda e: e.sort_key)],
        because=Sentence(
            f"对同一事项既有{quoted(yes.type).zh}又有{quoted(no.type).zh},二者均有效,须由作出机关更正",
            f"one matter is answered with both {quoted(yes.type).en} and {quoted(no.type).en}; "
            "both stand until one is corrected",
        ),
        suggestion=Suggestion("referral.corrected", no.agency) if no.family == "referral" else None,
    )


def disputed_corrections(folded: Folded) -> Iterator[Finding]:
    """R22: rival corrections of one event; R40: corrections by others; R07: causes that form a circle."""
    for rivals in folded.rivals:
        yield finding(
            "R22",
            chain=rivals[0].chain,
            subject="corrections",
            causes=rivals,
            severity="high",
            accounts=[account(event, _said(event)) for event in rivals],
            because=Sentence(
                f"对同一事件有{len(rivals)}个并列的更正或撤回,均不生效,原文不变",
                f"{len(rivals)} rival corrections or withdrawals of one event: none takes effect, it stands",
            ),
            suggestion=Suggestion(rivals[-1].type, rivals[-1].agency),
        )
    for event in folded.strangers:
        yield finding(
            "R40",
            chain=event.chain,
            subject=str(event.id),
            causes=[event],
            severity="medium",
            accounts=[account(event, _said(event))],
            because=Sentence(
                f"{agency(event.agency).zh}更正或撤回了其他机关的事件,不生效",
                f"{agency(event.agency).en} corrects or withdraws what another agency said: it has no effect",
            ),
        )
    for cycle in folded.cycles:
        yield finding(
            "R07",
            chain=cycle[0].chain,
            subject="cycle",
            causes=cycle,
            severity="medium",
            accounts=[account(event, _said(event)) for event in cycle],
            because=Sentence(
                f"{len(cycle)}个事件互为因果,只能按时间排序",
                f"{len(cycle)} events claim to be each other's cause; they are ordered by their times only",
            ),
        )


def reused_ids(folded: Folded) -> Iterator[Finding]:
    """R04: one id with different contents; both are kept and neither wins."""
    for event_id, events in folded.by_id.items():
        if len(events) < 2:
            continue
        first = min(events, key=lambda event: (event.admitted_at, event.digest))
        yield finding(
            "R04",
            chain=first.chain,
            subject=str(event_id),
            causes=events,
            severity="high",
            cls="arrival",
            accounts=[account(event, _said(event)) for event in sorted(events, key=lambda e: e.sort_key)],
            because=Sentence(
                f"标识{event_id}被用于{len(events)}个内容不同的事件,均予保留",
                f"id {event_id} is used by {len(events)} events that differ; all are kept",
            ),
        )


def withdrawn_after_filing(folded: Folded) -> Iterator[Finding]:
    """R45: a referral withdrawn when the case was filed already: only the police can cancel a case."""
    for said, withdrawal in folded.withdrawn.items():
        referral, taken_back = folded.by_digest[said], folded.by_digest[withdrawal]
        if referral.type != "referral.submitted":
            continue
        for filed in folded.standing_of.get("referral.filed", ()):
            before = folded.place[filed.digest] < folded.place[withdrawal]
            if not before or said not in folded.thread(filed):
                continue
            yield finding(
                "R45",
                chain=referral.chain,
                subject=str(referral.id),
                causes=[referral, taken_back, filed],
                severity="high",
                accounts=[account(event, _said(event)) for event in (taken_back, filed)],
                law=[Article("mps-procedure-2020", "186")],
                because=Sentence(
                    f"{agency(filed.agency).zh}立案后{agency(referral.agency).zh}才撤回移送,刑事案件只能由公安机关撤销",
                    f"{agency(referral.agency).en} withdrew the referral after "
                    f"{agency(filed.agency).en} had filed: only the police can cancel a criminal case",
                ),
            )


def _said(event: ChainEvent) -> dict[str, str]:
    return {
        "type": event.type,
        "time": beijing_text(event.occurred_at),
        "digest": event.digest.hex(),
    }


def _closed(found: Finding) -> Finding:
    return replace(found, state="closed")
