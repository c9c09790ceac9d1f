"""Long chains of one kind of event each, as a member may well make them by mistake or on purpose."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from casebus_schemas.case.chain import ChainEvent
from support.cases.chains import amount, at, say, suspects
from support.cases.remedy_cases import remedy_field

BEGIN = at("2022-01-03T10:00")
STEP = timedelta(minutes=1)

_Made = Callable[[int], ChainEvent]


def clues(number: int) -> ChainEvent:
    """Plain clues."""
    return _say(number, "clue.submitted")


def consultations(number: int) -> ChainEvent:
    """Questions to two agencies."""
    return _say(number, "consultation.requested", to=("mps", "spp"))


def corrections(number: int) -> ChainEvent:
    """Each corrects the one before."""
    if number == 0:
        return _say(0, "referral.submitted", to=("mps",), amounts=[amount("illegal_gain", "1.00")])
    figure = [amount("illegal_gain", f"{number}.00")]
    return _say(number, "referral.corrected", to=("mps",), corrects=f"e{number - 1}", amounts=figure)


def rivals(number: int) -> ChainEvent:
    """All correct the first."""
    if number == 0:
        return corrections(0)
    figure = [amount("illegal_gain", f"{number}.00")]
    return _say(number, "referral.corrected", to=("mps",), corrects="e0", amounts=figure)


def corrected_clues(number: int) -> ChainEvent:
    """Clues and, after each, its correction."""
    if number % 2 == 0:
        return clues(number)
    return _say(number, "clue.corrected", corrects=f"e{number - 1}")


def orphans(number: int) -> ChainEvent:
    """Answers to what nobody said, an hour after each other: from the second day on one waits too long."""
    event = _say(
        number,
        "referral.receipted",
        agency="mps",
        to=("csrc",),
        replies=f"unknown {number}",
        received_at=BEGIN,
        competent=True,
        complete=True,
    )
    when = BEGIN + number * 60 * STEP
    return replace(event, occurred_at=when, admitted_at=when)


def in_turns(number: int) -> ChainEvent:
    """One referral, filed and not filed in turns."""
    if number == 0:
        return corrections(0)
    type = "referral.filed" if number % 2 else "referral.not_filed"
    return _say(number, type, agency="mps", to=("csrc",), replies="e0", binds="e0", suspects=suspects("甲"))


def backwards(number: int) -> ChainEvent:
    """Clues, each said to have happened before the last one."""
    event = clues(number)
    return replace(event, occurred_at=BEGIN - number * STEP)


def circles(number: int) -> ChainEvent:
    """Pairs of answers to each other."""
    other = number + 1 if number % 2 == 0 else number - 1
    return _say(number, "clue.assessed", replies=f"e{other}")


def ring(number: int) -> ChainEvent:
    """Each answers the one that comes next."""
    return _say(number, "clue.assessed", replies=f"e{number + 1}")


def new_suspects(number: int) -> ChainEvent:
    """Referrals, each of ten people whom nobody has named."""
    people = suspects(*(f"人{number}-{one}" for one in range(10)))
    return _say(number, "referral.submitted", to=("mps",), suspects=people)


def one_id(number: int) -> ChainEvent:
    """Clues that all have the same id."""
    return _say(number, "clue.submitted", id_of="one")


def two_kinds(number: int) -> ChainEvent:
    """People who are natural persons, and legal ones in the next paper."""
    kind = "legal" if number % 2 else "natural"
    people = suspects(*(f"人{number // 2}-{one}" for one in range(10)))
    return _say(number, "referral.submitted", suspects=[{**person, "kind": kind} for person in people])


def assets(number: int) -> ChainEvent:
    """Items that are frozen, released and stated in turns, the sum too."""
    item = f"A{number // 3}"
    if number % 3 == 0:
        return _say(number, "asset.frozen", items=remedy_field("items", [f"{item} 100"]))
    if number % 3 == 1:
        return _say(number, "asset.released", moves=remedy_field("moves", [f"{item} 40"]))
    stated = [f"{item} taken=100 held=60 released=40"]
    return _say(number, "asset.balance_statement", balances=remedy_field("balances", stated))


def matters(number: int, count: int) -> list[ChainEvent]:
    """Referrals of one chain, each with its receipt, its filing and its hand-over."""
    who = suspects(*(f"人{one}" for one in range(count)))
    figures = [amount("illegal_gain", "1.00")]
    found: list[ChainEvent] = []
    when = at("2022-01-03T10:00")
    for matter in range(number):
        for type, facts in (
            ("referral.submitted", {"suspects": who, "amounts": figures}),
            ("referral.receipted", {"received_at": when, "competent": True, "complete": True}),
            ("referral.filed", {"suspects": who, "amounts": figures}),
            ("referral.handed_over", {}),
        ):
            when += timedelta(minutes=10)
            regulator = type in ("referral.submitted", "referral.handed_over")
            first = None if type == "referral.submitted" else f"{matter} referral.submitted"
            event = say(
                f"{matter} {type}",
                type,
                "2022-01-03T10:00",
                agency="csrc" if regulator else "mps",
                to=("mps",) if regulator else ("csrc",),
                replies=first,
                binds=first,
                **facts,
            )
            found.append(replace(event, occurred_at=when, admitted_at=when, seq=len(found)))
    return found


KINDS: Mapping[str, _Made] = {
    made.__name__: made
    for made in (
        clues,
        consultations,
        corrections,
        rivals,
        corrected_clues,
        orphans,
        in_turns,
        backwards,
        circles,
        ring,
        new_suspects,
        one_id,
        two_kinds,
        assets,
    )
}


FLAT = (
    "clues",
    "consultations",
    "corrections",
    "rivals",
    "orphans",
    "in_turns",
    "new_suspects",
    "one_id",
    "assets",
)
"""Kinds of which each event only adds to what was said, so that it costs the same in a long chain."""
ANEW = ("corrected_clues", "backwards", "circles", "ring")
"""Kinds by which the chain is folded anew again and again."""


def chain_of(kind: str, events: int) -> Iterator[ChainEvent]:
    """A chain of one kind."""
    return map(KINDS[kind], range(events))


def _say(number: int, type: str, **more: object) -> ChainEvent:
    event = say(f"e{number}", type, "2022-01-03T10:00", **more)  # type: ignore[arg-type]
    when = BEGIN + number * STEP
    return replace(event, occurred_at=when, admitted_at=when, seq=number)
