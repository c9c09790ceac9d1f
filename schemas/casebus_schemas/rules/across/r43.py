"""R43: cases are merged, and the case that goes on lacks what they brought, or a term runs twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from casebus_schemas.case.assets import Item
from casebus_schemas.case.chain import ChainEvent, as_uuid
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kin import MERGED, Kin, as_told, facts
from casebus_schemas.case.kin_persons import KinPersons
from casebus_schemas.case.obligations import Obligation
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import SILENCE, Article
from casebus_schemas.small_types import RuleId

from ..finding import Suggestion, account
from ..folded_case import Case
from ..rule import Found, Rule
from ..unlike_sums import UnlikeSums, figures_of, total_of
from ..wording import correction_by, few, named
from .r44 import assets_of, listing, suspects_of

RULE = Rule(
    RuleId("R43"),
    title=Sentence("并案前后不一致", "a merged case is not the sum of those merged"),
    scopes=("across",),
    cls="state",
    severity="high",
    looks_at=(*MERGED, "*.suspects", "*.amounts", "duties"),
    kin=("merged",),
    matters=("lost", "amounts", "assets", "clocks"),
    acts=Sentence("并案的机关", "the agency that merged the cases"),
    mends=Sentence(
        "在并入的案链中补列嫌疑主体、金额和涉案财物,并使每项义务只有一个期限",
        "the suspects, figures and assets in the chain that goes on, and one clock for each obligation there",
    ),
    closes=Sentence(
        "并入案件与被并案件合计一致且每项义务只有一个期限时", "when nothing is lost or runs twice"
    ),
    law=(Article("mps-procedure-2020", "21"),),
)
"""Compared is what the agency that merged the cases said itself or was told of. What the case that goes on
has not stated again since the merger is not judged yet."""


@dataclass(frozen=True, slots=True)
class _Merger:
    """A merger: who said it, what was brought together, and what the case that goes on says since.

    `before` are the events of each case that was brought in, that of the case itself among them.
    """

    by: ChainEvent
    chain: str
    into: Folded
    sources: Mapping[str, Folded]
    before: Mapping[str, Sequence[ChainEvent]]
    since: Sequence[ChainEvent]
    persons: KinPersons = field(init=False)

    def __post_init__(self) -> None:
        whole = [*(event for events in self.before.values() for event in events), *self.since]
        object.__setattr__(self, "persons", KinPersons(whole))


@RULE.over_kin
def not_the_sum(kin: Kin) -> Iterator[Found]:
    """What is lost or doubled by the first merger into a case; whatever was merged into it counts."""
    merger = merger_of(kin)
    if merger is None:
        return
    yield from _suspects(merger)
    yield from _amounts(merger)
    yield from _assets(merger)
    yield from _clocks(merger)


def merger_of(kin: Kin) -> _Merger | None:
    """The merger into the chain that the key names, as its speaker knows it."""
    into = kin.root
    said = [
        event
        for folded in kin.chains.values()
        for type in MERGED
        for event in folded.standing_of.get(type, ())
        if str(as_uuid(event.data["into"].get("chain"))) == kin.key.text
    ]
    if into is None or not said:
        return None
    by = min(said, key=lambda event: (event.admitted_at, event.digest))
    names = {event.chain for event in said if event.agency == by.agency}
    for event in said:
        if event.agency == by.agency:
            names.update(str(as_uuid(one["chain"])) for one in facts(event, "merged") if one.get("chain"))
    sources = {name: kin.chains[name] for name in sorted(names - {kin.key.text}) if name in kin.chains}
    if not sources:
        return None
    own = as_told(into, by.agency)
    return _Merger(
        by,
        kin.key.text,
        into,
        sources,
        {
            kin.key.text: [event for event in own if event.admitted_at <= by.admitted_at],
            **{name: as_told(folded, by.agency) for name, folded in sources.items()},
        },
        [event for event in own if event.admitted_at > by.admitted_at and event.type not in MERGED],
    )


def _suspects(merger: _Merger) -> Iterator[Found]:
    lists = [e for e in merger.since if e.type in listing() and facts(e, "suspects")]
    if not lists:
        return
    known = {key for event in lists for key in merger.persons.listed(event)}
    lost: dict[str, list[ChainEvent]] = {}
    for events in merger.before.values():
        whole, sources = suspects_of(events, merger.persons)
        lost.update((name, sources) for key, name in whole.items() if key not in known)
    if not lost:
        return
    names = named(sorted(lost))
    yield Found(
        subject="lost",
        causes=[merger.by, lists[0]],
        uses=[*lists, *(event for sources in lost.values() for event in sources)],
        chain=merger.by.chain,
        accounts=[account(lists[-1], few("missing", sorted(lost)), merger.by)],
        because=Sentence(
            f"并案后的案件自并案以来的名单未列被并案件中的{names.zh}",
            f"since the merger the case that goes on does not list {names.en} of the cases merged",
        ),
        suggestion=_correction(lists[-1]),
    )


def _amounts(merger: _Merger) -> Iterator[Found]:
    before = [figures_of(events) for events in merger.before.values()]
    unlike = UnlikeSums()
    for measure, stated in figures_of(merger.since).items():
        given = [of[measure] for of in before if measure in of]
        if len(given) > 1 and (total := total_of(given)) != stated.value:
            unlike.add(stated, given, total)
    yield from unlike.found(merger.by, "merged", _of_a_merger, _correction)


def _of_a_merger(whose: Sentence, what: Sentence, said: Sentence, total: Sentence) -> Sentence:
    return Sentence(
        f"{whose.zh}称并案后{what.zh}{said.zh},被并各案合计{total.zh}",
        f"{whose.en} states {what.en} of {said.en} after the merger, and {total.en} for the cases merged "
        "together",
    )


def _assets(merger: _Merger) -> Iterator[Found]:
    here = assets_of([*merger.before[merger.chain], *merger.since])
    spoke = any(event.family == "asset" for event in merger.since)
    wrong: dict[str, list[ChainEvent]] = {}
    for name in merger.sources:
        for number, item in assets_of(merger.before[name]).items():
            if item.taken_by is None:
                continue
            left = _left_since(item, merger.by)
            other = here.get(number)
            taken = other.taken_by if other is not None else None
            if (left and spoke and taken is None) or (item.state == "held" and taken is not None):
                wrong[number] = [item.taken_by, *([taken] if taken is not None else [])]
    if not wrong:
        return
    numbers = named(sorted(wrong))
    yield Found(
        subject="assets",
        causes=[merger.by],
        uses=[event for events in wrong.values() for event in events],
        chain=merger.by.chain,
        accounts=[
            account(merger.by, few("items", sorted(wrong)), *(e for events in wrong.values() for e in events))
        ],
        because=Sentence(
            f"被并案件的涉案财物{numbers.zh}未在并入案件中列明,或在两案中重复列明",
            f"items {numbers.en} of the cases merged are not taken over by the case that goes on, or "
            "are held in both",
        ),
    )


def _left_since(item: Item, by: ChainEvent) -> bool:
    """Whether it left its case for another one since the merger."""
    moved = [event for balance in item.balances.values() for event in balance.moved]
    return item.state == "transferred" and any(event.admitted_at > by.admitted_at for event in moved)


def _clocks(merger: _Merger) -> Iterator[Found]:
    """Each obligation with more than one open clock, or one that ended by the merger and runs nowhere."""
    who = merger.by.agency
    here = _duties(merger.into, who)
    running = {_obligation(duty): duty for duty in here if _is_open(duty)}
    known = {duty.clock.id for duty in here}
    doubled: dict[str, list[Obligation]] = {}
    stopped: dict[str, list[Obligation]] = {}
    for folded in merger.sources.values():
        for duty in _duties(folded, who):
            if _is_open(duty):
                other = running.setdefault(_obligation(duty), duty)
                if other is not duty:
                    doubled.setdefault(duty.clock.id, [other]).append(duty)
            elif duty.moot_by is not None and duty.moot_by.type in MERGED and duty.clock.id not in known:
                stopped.setdefault(duty.clock.id, []).append(duty)
    if not doubled and not stopped:
        return
    duties = [duty for of in (doubled, stopped) for each in of.values() for duty in each]
    twice, gone = named(sorted(doubled)), named(sorted(stopped))
    yield Found(
        subject="clocks",
        causes=[merger.by],
        uses=[duty.cause for duty in duties],
        chain=merger.by.chain,
        accounts=[
            account(
                merger.by, {"twice": sorted(doubled), "stopped": sorted(stopped)}, *(d.cause for d in duties)
            )
        ],
        because=Sentence(
            ";".join(
                [f"并案后期限{twice.zh}在两个案链中同时进行"] * bool(doubled)
                + [f"期限{gone.zh}因并案终止而并入案件中无此期限"] * bool(stopped)
            ),
            "; ".join(
                [f"since the merger {twice.en} runs in two chains"] * bool(doubled)
                + [f"{gone.en} ended by the merger and does not run in the case that goes on"] * bool(stopped)
            ),
        ),
        beside=[duty.debtor.agency for duty in duties if duty.debtor.agency is not None],
    )


def _duties(folded: Folded, agency: str) -> list[Obligation]:
    """The chain's duties of which an agency was told, without those only to sign for what came."""
    duties = Case.of(folded).duties
    return [
        duty
        for duty in duties
        if duty.clock.found_by != SILENCE and not duty.is_right and agency in duty.cause.audience
    ]


def _is_open(duty: Obligation) -> bool:
    return duty.met_by is None and duty.moot_by is None


def _obligation(duty: Obligation) -> tuple[str, str, str | None]:
    return (duty.clock.id, duty.owed_by, duty.suspect)


def _correction(event: ChainEvent) -> Suggestion | None:
    return correction_by(event, Catalog.load())
