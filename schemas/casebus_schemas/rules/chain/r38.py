"""R38: taken twice or out of turn: a fine not offset, a gain confiscated twice, investors behind it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from casebus_schemas.case.accounts import plain
from casebus_schemas.case.basis import Basis
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import Kept
from casebus_schemas.case.persons import Person
from casebus_schemas.catalogue.catalog import Catalog
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
    looks_at=(PENALTY, JUDGMENT, *SUITS, "*.amounts", "persons"),
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
    penalties: Basis = field(default_factory=Basis)
    last_day: date | None = None
    judgment: ChainEvent | None = None
    fine: Decimal = Decimal(0)
    offset: Decimal | None = None

    def found(self, catalog: Catalog) -> Found | None:
        """A fine after a fine, or one that is not offset."""
        judgment = self.judgment
        if judgment is None or self.last_day is None or not self.fined or not self.fine:
            return None
        if self.last_day > beijing_day(judgment.occurred_at):
            return _fined_again(self, judgment, catalog)
        if self.offset is None or self.offset < min(self.fined, self.fine):
            return _not_offset(self, judgment, catalog)
        return None


class Taken(Kept):
    """What penalties and judgments take, of each person and in all, and what suits say of their order."""

    types = frozenset((PENALTY, JUDGMENT, *SUITS))

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._suspects = folded.suspects
        self._fines: dict[int, _Fines] = {}
        self.fined: dict[int, Found] = {}
        self.penalties, self.judgments = Basis(), Basis()
        self.by_penalty = self.by_judgment = Decimal(0)
        self._confiscated: dict[object, Decimal] = {}
        self.last_suit: ChainEvent | None = None

    def add(self, event: ChainEvent) -> None:
        """Takes a penalty, a judgment or what is said of a suit."""
        if event.type in SUITS:
            if event.data.get("paid_first") is not None:
                self.last_suit = event
            return
        for number in self._punish(event) if event.type == PENALTY else self._judge(event):
            found = self._fines[number].found(self.catalog)
            if found is not None:
                self.fined[number] = found
            else:
                self.fined.pop(number, None)

    def _punish(self, event: ChainEvent) -> Iterable[int]:
        self.penalties.add(event)
        touched: dict[int, None] = {}
        for sanction in event.data.get("sanctions") or ():
            if sanction["amount"] is None:
                continue
            if sanction["kind"] == "confiscation":
                self.by_penalty += sanction["amount"]
            person = self._suspects.find(event, sanction["suspect"])
            if sanction["kind"] == "fine" and person is not None:
                fines = self._fines.setdefault(person.number, _Fines(person))
                fines.fined += sanction["amount"]
                day = beijing_day(event.occurred_at)
                fines.last_day = day if fines.last_day is None else max(fines.last_day, day)
                if person.number not in touched:
                    fines.penalties.add(event)
                touched[person.number] = None
        return touched

    def _judge(self, event: ChainEvent) -> Iterable[int]:
        self.judgments.add(event)
        touched: dict[int, None] = {}
        for sentence in event.data.get("sentences") or ():
            person = self._suspects.find(event, sentence["suspect"])
            if sentence["confiscation"] is not None:
                whose: object = person.number if person else sentence["suspect"]
                self.by_judgment += sentence["confiscation"] - self._confiscated.get(whose, Decimal(0))
                self._confiscated[whose] = sentence["confiscation"]
            if person is not None and sentence["fine"] is not None:
                fines = self._fines.setdefault(person.number, _Fines(person))
                fines.judgment, fines.fine, fines.offset = event, sentence["fine"], sentence["offset"]
                touched[person.number] = None
        return touched


@RULE.over_case
def taken_twice(case: Case) -> Iterator[Found]:
    """Fines that are not offset, fines after a fine, gains confiscated twice, investors who come last."""
    if not Taken.types.isdisjoint(case.folded.standing_of):
        taken = case.kept(Taken)
        yield from taken.fined.values()
        yield from _gains(taken, case)
        yield from _investors_last(taken, case)


def _not_offset(fines: _Fines, judgment: ChainEvent, catalog: Catalog) -> Found:
    penalty, who = fines.penalties.ends[0], agency(judgment.agency)
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
        suggestion=correction_by(judgment, catalog),
        law=_OFFSET,
        uses=fines.penalties,
        apart=_ASK,
    )


def _only(offset: Decimal) -> Sentence:
    amount = _yuan(offset)
    return Sentence(f"仅折抵{amount.zh}", f"offsets only {amount.en}")


def _fined_again(fines: _Fines, judgment: ChainEvent, catalog: Catalog) -> Found:
    penalty, name = fines.penalties.ends[1], short(fines.person.name)
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
        suggestion=correction_by(penalty, catalog),
        law=_OFFSET[1:],
        uses=fines.penalties,
    )


def _gains(taken: Taken, case: Case) -> Iterator[Found]:
    """Confiscations of the regulator and of the last judgment on each, together above the gain."""
    by_penalty, by_judgment = taken.by_penalty, taken.by_judgment
    if not by_penalty or not by_judgment:
        return
    stated = [one for one in case.folded.stated.all() if one.kind.basis in _GAINS]
    totals: dict[str, Decimal] = {}
    for one in stated:
        totals[one.agency] = totals.get(one.agency, Decimal(0)) + one.value
    ceiling = max(totals.values(), default=Decimal(0))
    if not ceiling or by_penalty + by_judgment <= ceiling:
        return
    penalties, judgments = taken.penalties, taken.judgments
    penalty, (first, judgment) = penalties.ends[0], judgments.ends
    both, most = _yuan(by_penalty + by_judgment), _yuan(ceiling)
    uses = (*penalties, *judgments, *(one.event for one in stated))
    yield Found(
        subject="gains",
        causes=[penalty, judgment],
        named_by=[penalty, first],
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


def _investors_last(taken: Taken, case: Case) -> Iterator[Found]:
    """A suit of which its court says that investors are not paid before fine and confiscation."""
    last = taken.last_suit
    if last is None or last.data["paid_first"]:
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
