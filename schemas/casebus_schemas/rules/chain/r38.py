"""R38: taken twice or out of turn: a fine not offset, a gain confiscated twice, investors behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.persons import Person
from casebus_schemas.law import Sentence
from casebus_schemas.law.calendar import beijing_day
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import agency, money

from ..finding import account
from ..folded_case import Case
from ..rule import Found, Rule
from ..wording import correction_by, short

PENALTY, JUDGMENT = "administrative.penalty_decided", "outcome.judgment"
SUITS = ("suit.judged", "suit.distributed")
_OFFSET = (Article("decree-310", "11"), Article("penalty-law-2021", "35"))
_CIVIL_FIRST = (Article("securities-law-2019", "220"),)
_ASK = Sentence(
    "请核对罚金是否须折抵行政罚款,有关陈述未告知贵机关",
    "ask whether a fine of the regulator is to be offset: what rests on it was not told to you",
)
"""To a court that was not told of the penalty: the law binds it to ask, and no figure is given away."""
_GAINS = ("illegal_gain", "avoided_loss")

RULE = Rule(
    RuleId("R38"),
    title=Sentence("重复追缴或受偿顺序有误", "taken twice, or in the wrong order"),
    scopes=("chain",),
    cls="state",
    severity="high",
    looks_at=(PENALTY, JUDGMENT, *SUITS, "*.amounts", "*.suspects"),
    acts=Sentence("作出裁判或处罚的机关", "the agency that judged or punished last"),
    mends=Sentence(
        "写明折抵、更正数额,或说明受偿安排",
        "to state the offset, a corrected figure, or how investors are paid",
    ),
    closes=Sentence("折抵、数额或顺序得到更正时", "when offset, figure or order are put right"),
)
"""Per person for fines; gains are known per case only: confiscations are added up and held against the
largest gain that any agency states. Who gave back gains executes such an order: that is not counted again."""


@dataclass(slots=True)
class _Fines:
    """What one person was fined by the regulator, and what the last judgment on him says."""

    person: Person
    fined: Decimal = Decimal(0)
    penalties: list[ChainEvent] = field(default_factory=list)
    judgment: ChainEvent | None = None
    fine: Decimal = Decimal(0)
    offset: Decimal | None = None


@RULE.over_case
def taken_twice(case: Case) -> Iterator[Found]:
    """Fines that are not offset, fines after a fine, gains confiscated twice, investors who come last."""
    for fines in _fines(case).values():
        if fines.judgment is None or not fines.penalties or not fines.fined or not fines.fine:
            continue
        before = [event for event in fines.penalties if not _is_later(event, fines.judgment)]
        if len(before) < len(fines.penalties):
            yield _fined_again(fines, fines.judgment, case)
        elif fines.offset is None or fines.offset < min(fines.fined, fines.fine):
            yield _not_offset(fines, fines.judgment, case)
    yield from _gains(case)
    yield from _investors_last(case)


def _is_later(penalty: ChainEvent, judgment: ChainEvent) -> bool:
    return beijing_day(penalty.occurred_at) > beijing_day(judgment.occurred_at)


def _fines(case: Case) -> dict[int, _Fines]:
    found: dict[int, _Fines] = {}
    suspects, standing = case.folded.suspects, case.folded.standing_of
    for event in standing.get(PENALTY, ()):
        for sanction in event.data.get("sanctions") or ():
            person = suspects.find(event, sanction["suspect"])
            if sanction["kind"] == "fine" and sanction["amount"] is not None and person is not None:
                fines = found.setdefault(person.number, _Fines(person))
                fines.fined += sanction["amount"]
                if event not in fines.penalties[-1:]:
                    fines.penalties.append(event)
    for event in standing.get(JUDGMENT, ()):
        for sentence in event.data.get("sentences") or ():
            person = suspects.find(event, sentence["suspect"])
            if person is not None and sentence["fine"] is not None:
                fines = found.setdefault(person.number, _Fines(person))
                fines.judgment, fines.fine, fines.offset = event, sentence["fine"], sentence["offset"]
    return found


def _not_offset(fines: _Fines, judgment: ChainEvent, case: Case) -> Found:
    penalty, who = fines.penalties[0], agency(judgment.agency)
    fined, fine, name = _yuan(fines.fined), _yuan(fines.fine), short(fines.person.name)
    given = "none" if fines.offset is None else plain(fines.offset)
    offset = Sentence("未写明折抵", "names no offset") if fines.offset is None else _only(fines.offset)
    return Found(
        subject=f"offset\n{fines.person.name}",
        causes=[penalty, judgment],
        severity="medium" if fines.offset is None else "high",
        accounts=[
            account(penalty, {"suspect": name, "fine": plain(fines.fined)}, *fines.penalties),
            account(judgment, {"suspect": name, "fine": plain(fines.fine), "offset": given}),
        ],
        because=Sentence(
            f"{name}已被行政罚款{fined.zh},{who.zh}判处罚金{fine.zh},{offset.zh}",
            f"{name} was fined {fined.en} by the regulator; {who.en} fines {fine.en} and {offset.en}",
        ),
        suggestion=correction_by(judgment, case.catalog),
        law=_OFFSET,
        uses=fines.penalties,
        apart=_ASK,
    )


def _only(offset: Decimal) -> Sentence:
    amount = _yuan(offset)
    return Sentence(f"仅折抵{amount.zh}", f"offsets only {amount.en}")


def _fined_again(fines: _Fines, judgment: ChainEvent, case: Case) -> Found:
    penalty, name = fines.penalties[-1], short(fines.person.name)
    fine, again = _yuan(fines.fine), agency(penalty.agency)
    return Found(
        subject=f"again\n{fines.person.name}",
        causes=[judgment, penalty],
        accounts=[
            account(judgment, {"suspect": name, "fine": plain(fines.fine)}),
            account(penalty, {"suspect": name, "fine": plain(fines.fined)}, *fines.penalties),
        ],
        because=Sentence(
            f"{name}已被判处罚金{fine.zh},{again.zh}其后又处罚款",
            f"{name} was sentenced to a fine of {fine.en}; {again.en} fined again afterwards",
        ),
        suggestion=correction_by(penalty, case.catalog),
        law=_OFFSET[1:],
        uses=fines.penalties,
    )


def _gains(case: Case) -> Iterator[Found]:
    """Confiscations of the regulator and of the last judgment on each, together above the gain."""
    suspects, standing = case.folded.suspects, case.folded.standing_of
    penalties, judgments = standing.get(PENALTY, []), standing.get(JUDGMENT, [])
    by_penalty = sum(
        (
            sanction["amount"]
            for event in penalties
            for sanction in event.data.get("sanctions") or ()
            if sanction["kind"] == "confiscation" and sanction["amount"] is not None
        ),
        Decimal(0),
    )
    last: dict[object, Decimal] = {}
    for event in judgments:
        for sentence in event.data.get("sentences") or ():
            person = suspects.find(event, sentence["suspect"])
            if sentence["confiscation"] is not None:
                last[person.number if person else sentence["suspect"]] = sentence["confiscation"]
    by_judgment = sum(last.values(), Decimal(0))
    stated = [one for one in case.folded.stated.all() if one.kind.basis in _GAINS]
    totals: dict[str, Decimal] = {}
    for one in stated:
        totals[one.agency] = totals.get(one.agency, Decimal(0)) + one.value
    ceiling = max(totals.values(), default=Decimal(0))
    if not by_penalty or not by_judgment or not ceiling or by_penalty + by_judgment <= ceiling:
        return
    penalty, judgment = penalties[0], judgments[-1]
    both, most = _yuan(by_penalty + by_judgment), _yuan(ceiling)
    uses = (*penalties, *judgments, *(one.event for one in stated))
    yield Found(
        subject="gains",
        causes=[penalty, judgment],
        named_by=[penalty, judgments[0]],
        accounts=[
            account(penalty, {"value": plain(by_penalty)}, *penalties),
            account(
                judgment,
                {"value": plain(by_judgment), "ceiling": plain(ceiling)},
                *uses,
                compared=("ceiling",),
            ),
        ],
        because=Sentence(
            f"行政没收与判决追缴合计{both.zh},超过各方所称违法所得{most.zh}",
            f"penalty and judgment together confiscate {both.en}, "
            f"more than the gain of {most.en} that was stated",
        ),
        suggestion=correction_by(judgment, case.catalog),
        law=_OFFSET[:1],
        uses=uses,
    )


def _investors_last(case: Case) -> Iterator[Found]:
    """A suit of which its court says that investors are not paid before fine and confiscation."""
    suits = [event for type in SUITS for event in case.folded.standing_of.get(type, ())]
    said = [event for event in suits if event.data.get("paid_first") is not None]
    if not said:
        return
    last = max(said, key=lambda event: case.folded.place[event.digest])
    if last.data["paid_first"]:
        return
    who = agency(last.agency)
    yield Found(
        subject="investors",
        causes=[last],
        accounts=[account(last, {"paid_first": False})],
        because=Sentence(
            f"{who.zh}称投资者赔偿未优先于罚款、罚金和没收受偿",
            f"{who.en} says that investors are not paid before fine and confiscation",
        ),
        suggestion=correction_by(last, case.catalog),
        law=_CIVIL_FIRST,
    )


def _yuan(value: Decimal) -> Sentence:
    return money(value, "CNY")
