"""What is wrong with an event before it is said, what is advised, and what it would bring about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from casebus_consumers.desk.desk import Desk
from casebus_producers.checking.forbidden import AgainstLaw
from casebus_producers.checking.said_advice import SaidAdvice
from casebus_producers.outbox.outbox_events import Queued, ReadyEvent
from casebus_schemas.admission.may_say import told
from casebus_schemas.case.belonging import parties_of
from casebus_schemas.case.chain import ChainEvent, chain_event
from casebus_schemas.case.fold import fold
from casebus_schemas.case.shares import computed
from casebus_schemas.law.clocks import Article
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.reconcile import Reconciled, reconcile
from casebus_schemas.rules.register import RULES
from casebus_schemas.texts.errors import detail_in_chinese
from casebus_schemas.texts.sentence import Sentence
from casebus_schemas.times import to_moment
from casebus_schemas.wire.door import DoorProblem, parse_event

_BESIDE_FORBIDDEN = "/type"
"""Where advice says what `refused` says here already."""
_OVER = ("met", "moot", "lapsed")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one place of an event; `law` are the articles by which it is forbidden."""

    pointer: str
    said: Sentence
    law: Sequence[Article] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is found about an event that nobody has said yet.

    `refused`: it must not be said, by the bus's rules or because a law leaves no room; `advice`: what its
    sender may want to mend. `told` are those who hear of it, by role. `starts` and `meets` are duties as
    JSON, `finds` findings as JSON, that it would bring, as far as this agency knows the case.
    """

    refused: Sequence[Remark]
    advice: Sequence[Remark] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    chain: str | None = None
    starts: Sequence[dict[str, Any]] = ()
    meets: Sequence[dict[str, Any]] = ()
    finds: Sequence[dict[str, Any]] = ()

    @property
    def may_be_said(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refused


def judged(desk: Desk, event: Mapping[str, Any], now: datetime) -> Judgement:
    """Looks at an event by the rules of `casebus check` and of the door, in the case that it belongs to.

    What a law leaves no room for is refused here, although the door would take it and the bus find it.
    """
    kind = desk.catalog.event(event["type"])
    hears = told(_addressed(event), kind)
    hears = {name: role for name, role in hears.items() if name != desk.agency}
    try:
        ready = desk.door.would_say(event)
    except DoorProblem as problem:
        wrong = [_remark(one) for one in problem.every]
        return Judgement(wrong, told=hears)
    said = _as_said(desk, event, ready, now, list(hears))
    known = desk.view.events(ready.subject)
    before = reconcile(fold(computed(known), parties_of(known))) if known else None
    every = [*known, said]
    after = reconcile(fold(computed(every), parties_of(every)))
    found = {one.id for one in before.findings(now)} if before is not None else set()
    fresh = [one for one in after.findings(now) if one.id not in found]
    forbidden = [one for one in fresh if RULES[one.rule].forbids and said.digest in one.causes]
    starts, meets = _duties(before, after, now)
    return Judgement(
        [Remark("/type", one.because, tuple(one.law)) for one in forbidden],
        _advice(desk, event, ready, said.digest, now),
        hears,
        ready.subject,
        [one for one in starts if desk.view.concerns(one)],
        [one for one in meets if desk.view.concerns(one)],
        [_shown(one) for one in fresh if one not in forbidden],
    )


def _addressed(event: Mapping[str, Any]) -> dict[str, Any]:
    envelope = event["data"]["envelope"]
    return {"to": envelope["to"], "cc": envelope["cc"]}


def _remark(problem: DoorProblem) -> Remark:
    if isinstance(problem, AgainstLaw):
        return Remark(problem.pointer, problem.forbidden.because, problem.forbidden.law)
    return Remark(problem.pointer, _both(problem))


def _both(problem: DoorProblem) -> Sentence:
    english = problem.detail.removeprefix(f"{problem.pointer or '/'}: ")
    chinese = detail_in_chinese(problem)
    return Sentence((chinese or english).removeprefix(f"{problem.pointer or '/'}: "), english)


def _as_said(
    desk: Desk, event: Mapping[str, Any], ready: ReadyEvent, now: datetime, hears: list[str]
) -> ChainEvent:
    """The event as rules see it; its digest stands for the one that it gets when it is signed."""
    body = parse_event(event, desk.catalog).data
    return chain_event(
        digest=sha256(b"not signed yet" + ready.content).digest(),
        id=ready.id,
        type=ready.type,
        source=ready.source,
        chain=ready.subject,
        time_ms=ready.time_ms,
        admitted_at_ms=max(to_moment(now), 0),
        body=body,
        told=hears,
    )


def _advice(
    desk: Desk, event: Mapping[str, Any], ready: ReadyEvent, digest: bytes, now: datetime
) -> list[Remark]:
    advice = SaidAdvice(desk.door.outbox, desk.catalog, [event])
    queued = Queued(0, ready.id, ready.type, ready.subject, digest, "", 0, 0, None, None, None)
    hints = advice.on(0, queued, now)
    return [Remark(one.pointer, one.said) for one in hints if one.pointer != _BESIDE_FORBIDDEN]


def _duties(
    before: Reconciled | None, after: Reconciled, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Duties that begin with the event, and those that it meets or ends."""
    had = {} if before is None else {duty.id: duty.said(now).to_json() for duty in before.duties}
    have = {duty.id: duty.said(now).to_json() for duty in after.duties}
    starts = [duty for id, duty in have.items() if id not in had and duty["state"] not in _OVER]
    meets = [
        duty
        for id, duty in have.items()
        if id in had and had[id]["state"] not in _OVER and not had[id]["met"] and _is_done(duty)
    ]
    return [_with_end(one) for one in starts], meets


def _is_done(duty: Mapping[str, Any]) -> bool:
    return bool(duty["met"]) or duty["state"] in _OVER


def _with_end(duty: dict[str, Any]) -> dict[str, Any]:
    return {"latest_possible": duty["due_latest"], **duty}


def _shown(finding: Finding) -> dict[str, Any]:
    return finding.to_json()
