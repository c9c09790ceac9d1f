"""Long chains for each rule and each clock: what they look at is said over and over in one chain."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid5

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.effects import mends
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.clocks import Clock, clock_table
from casebus_schemas.rules.register import CHAIN_RULES

from .chains import CHAIN, amount, at, charges, say, suspects
from .rule_cases import rule_cases

BEGIN = at("2022-01-03T10:00")
STEP = timedelta(hours=12)
_AGENCIES = ("csrc", "mps", "spp", "spc")

Round = Sequence[ChainEvent]


def rounds_of_rules() -> dict[str, Round]:
    """By rule what its cases say in one round: no corrections and no answers that come before their question.

    By those a chain is folded anew.
    """
    found: dict[str, list[ChainEvent]] = {}
    for number, case in enumerate(rule_cases()):
        events = [*case.events, *case.then]
        if case.rule not in CHAIN_RULES or any(mends(event) for event in events):
            continue
        mine = [event for event in events if event.chain == CHAIN]
        if case.scope in ("", "chain") and mine:
            placed = sorted(mine, key=lambda event: event.sort_key)
            known: set[bytes] = set()
            ahead = {event.id for event in placed}
            for event in placed:
                ahead.discard(event.id)
                if event.digest not in known and event.in_reply_to not in ahead:
                    known.add(event.digest)
                    found.setdefault(case.rule, []).append(_renamed(event, f"case {number}", ()))
    return dict(found)


def rounds_of_clocks() -> dict[str, Round]:
    """By clock one start of it, and one event of each type that can change a duty of it, as its answer."""
    return {clock.id: list(_round_of(clock)) for clock in clock_table().by_id.values()}


def long_chain(told: Round, events: int, *, one_matter: bool) -> Iterator[ChainEvent]:
    """A round told again and again, each event twelve hours behind the one before.

    Each round answers its own events; with `one_matter` all answer those of the first round.
    """
    of_round = {event.digest for event in told}
    first = {told[0].digest} if one_matter else set()
    for number in range(events):
        again, place = divmod(number, len(told))
        when = BEGIN + number * STEP
        event = told[place]
        if again:
            kept = of_round - {event.digest} if one_matter else first
            event = _renamed(event, f"round {again}", kept)
        yield replace(event, occurred_at=when, admitted_at=when, seq=number)


def _renamed(event: ChainEvent, mark: str, kept: Any) -> ChainEvent:
    """The same event under another name, answering those that are renamed with it, or `kept` as they are."""

    def named(value: Any) -> Any:
        if isinstance(value, bytes) and len(value) == 32 and value not in kept and any(value):
            return sha256(value + mark.encode()).digest()
        return value

    envelope = dict(event.envelope)
    answered = envelope["in_reply_to_hash"]
    envelope["in_reply_to_hash"] = named(answered)
    if envelope["in_reply_to"] is not None and not kept:
        envelope["in_reply_to"] = uuid5(envelope["in_reply_to"], mark)
    data = dict(event.data)
    if isinstance(data.get("event"), bytes):
        data["event"] = named(data["event"])
    digest = sha256(event.digest + mark.encode()).digest()
    return replace(
        event, digest=digest, id=uuid5(event.id, mark), envelope=envelope, data=data, prev=bytes(32)
    )


def _round_of(clock: Clock) -> Iterator[ChainEvent]:
    begin = clock.begins[0]
    asked = begin.answers[0] if begin.answers else None
    if asked is not None:
        yield _said(clock, asked, None)
    yield _said(clock, begin.on, asked)
    of = clock.absence.of if clock.absence else ()
    approval, suspension = clock.approval, clock.suspension
    others = dict.fromkeys(
        (
            *((approval.type,) if approval else ()),
            *((*suspension.begins, *suspension.ends) if suspension else ()),
            *clock.restarted_by,
            *of,
            *clock.moot_by,
            *clock.duty,
        )
    )
    for type in others:
        if type not in (begin.on, asked):
            yield _said(clock, type, begin.on)


def _said(clock: Clock, type: str, answers: str | None) -> ChainEvent:
    speaker = min(Catalog.load().types[type].speakers & set(_AGENCIES), default="csrc")
    when = "2022-01-03T10:00"
    data: dict[str, Any] = {}
    for begin in clock.begins:
        if begin.on != type:
            continue
        for condition in begin.when:
            if condition.field is not None:
                data[condition.field] = condition.values[0]
            elif condition.speaker is not None:
                speaker = Catalog.load().members.agencies_with(condition.speaker)[0]
    return say(
        f"{clock.id} {type}",
        type,
        when,
        agency=speaker,
        to=tuple(agency for agency in _AGENCIES if agency != speaker),
        replies=None if answers is None else f"{clock.id} {answers}",
        binds=None if answers is None else f"{clock.id} {answers}",
        suspects=suspects("甲", "乙"),
        charges=charges(("S1", "180"), ("S2", "182")),
        amounts=[amount("illegal_gain", "1.00")],
        **{"received_at": None, "competent": True, "complete": True, **data},
    )
