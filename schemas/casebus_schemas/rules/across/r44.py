"""R44: a case is split and its parts are not the whole: suspects, figures or assets are lost or doubled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from casebus_schemas.case.assets import HELD, AssetBook, Item
from casebus_schemas.case.chain import ChainEvent, as_uuid
from casebus_schemas.case.kin import SPLIT, Kin, as_told, facts
from casebus_schemas.case.kin_persons import KinPersons
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import RuleId

from ..finding import Suggestion, account
from ..rule import Found, Rule
from ..unlike_sums import UnlikeSums, figures_of, total_of
from ..wording import correction_by, few, named

RULE = Rule(
    RuleId("R44"),
    title=Sentence("分案前后不一致", "the parts of a split case are not the whole"),
    scopes=("across",),
    cls="state",
    severity="high",
    looks_at=(SPLIT, "*.suspects", "*.amounts", "duties"),
    kin=("split",),
    matters=("lost", "unlisted", "twice", "amounts", "assets"),
    acts=Sentence("分案的机关", "the agency that split the case"),
    mends=Sentence(
        "更正分案,或在分案各部分的案链中补列嫌疑主体、金额和涉案财物",
        "a correction of the split, or the suspects, figures and assets that the parts' own chains lack",
    ),
    closes=Sentence("各部分合计与原案一致时", "when the parts together are the whole again"),
    law=(Article("spc-interpretation-2021", "220"),),
)
"""Compared is what the agency that split the case said itself or was told of: nothing else enters."""

_Measured = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One part: its chain, whom it takes along by key, and what its chain says; None if that is not here."""

    chain: str | None
    takes: Mapping[str, str]
    events: Sequence[ChainEvent] | None

    @property
    def lists(self) -> list[ChainEvent]:
        """The events of its chain that say who its suspects are."""
        return [event for event in self.events or () if event.type in listing() and facts(event, "suspects")]


@dataclass(frozen=True, slots=True)
class _Split:
    """A case before it was split, and its parts; `stays` says that one of them is the chain itself."""

    by: ChainEvent
    before: Sequence[ChainEvent]
    parts: Sequence[_Part]
    persons: KinPersons


@RULE.over_kin
def not_the_whole(kin: Kin) -> Iterator[Found]:
    """What the parts of a case lack or double of what it was before its first split."""
    root = kin.root
    cuts = root.standing_of.get(SPLIT, ()) if root is not None else ()
    if root is None or not cuts:
        return
    by = max(cuts, key=lambda event: root.place[event.digest])
    who, first = by.agency, min(root.place[event.digest] for event in cuts)
    told = as_told(root, who)
    before = [event for event in told if root.place[event.digest] < first]
    after = [event for event in told if root.place[event.digest] > first and event.type != SPLIT]
    others = {chain: as_told(one, who) for chain, one in kin.chains.items() if chain != kin.key.text}
    everybody = [*told, *(event for events in others.values() for event in events)]
    persons = KinPersons(everybody)
    parts = []
    for cut in cuts:
        if cut.agency != who:
            continue  # whose account of the split it is: the one that spoke last
        for part in facts(cut, "parts"):
            into = as_uuid(part["into"].get("chain"))
            chain = None if into is None else str(into)
            takes = {}
            for ref in part["suspects"]:
                person = persons.of_ref(cut, ref)
                if person is not None:
                    takes[person.key] = person.name
            events = after if chain == kin.key.text else others.get(chain or "") or None
            parts.append(_Part(chain, takes, events))
    split = _Split(by, before, parts, persons)
    yield from _suspects(split)
    yield from _twice(split)
    yield from _amounts(split)
    yield from _assets(split)


# --- suspects ---------------------------------------------------------------------------------------------


def _suspects(split: _Split) -> Iterator[Found]:
    whole, sources = suspects_of(split.before, split.persons)
    gone: dict[str, str] = {}
    for part in split.parts:
        gone.update(part.takes)
        for event in part.lists:
            gone.update((key, person.name) for key, person in split.persons.listed(event).items())
    lost = [name for key, name in whole.items() if key not in gone]
    if lost and gone:
        names = named(sorted(lost))
        yield Found(
            subject="lost",
            causes=[*sources[:1], split.by],
            uses=[*sources, *(event for part in split.parts for event in part.lists)],
            accounts=[account(split.by, few("missing", sorted(lost)))],
            because=Sentence(
                f"分案为{len(split.parts)}部分后,{names.zh}不在任何一部分之内",
                f"the case was split into {len(split.parts)} parts, and {names.en} is in none of them",
            ),
            suggestion=_correction(split),
        )
    unlisted = {
        name: part
        for part in split.parts
        if part.lists and part.chain != split.by.chain
        for key, name in part.takes.items()
        if all(key not in split.persons.listed(event) for event in part.lists)
    }
    if unlisted:
        names = named(sorted(unlisted))
        lists = [event for part in unlisted.values() for event in part.lists]
        yield Found(
            subject="unlisted",
            causes=[split.by, *lists[:1]],
            uses=lists,
            accounts=[account(split.by, few("missing", sorted(unlisted)))],
            because=Sentence(
                f"{names.zh}依分案归入其一部分,该部分的案链未列该主体",
                f"by the split {names.en} goes with a part whose own chain does not list him",
            ),
            suggestion=_correction(split),
        )


def _twice(split: _Split) -> Iterator[Found]:
    charged = split.persons.charges(split.before)
    known: dict[tuple[str, str], _Part] = {}
    doubled: dict[str, str] = {}
    used: list[ChainEvent] = []
    for part in split.parts:
        own = split.persons.charges(part.events or ())
        listed = {
            key: person.name for event in part.lists for key, person in split.persons.listed(event).items()
        }
        for key, name in {**listed, **part.takes}.items():
            for article in own.get(key) or charged.get(key) or {""}:
                other = known.setdefault((key, article), part)
                if other is not part and (other.chain, part.chain) != (None, None):
                    doubled[f"{name} {article}".strip()] = key
                    used.extend((*other.lists, *part.lists))
    if not doubled:
        return
    names = named(sorted(doubled))
    yield Found(
        subject="twice",
        causes=[split.by],
        uses=[*(event for event in split.before if facts(event, "charges")), *used],
        accounts=[account(split.by, few("suspects", sorted(doubled)))],
        because=Sentence(
            f"{names.zh}因同一罪名同时列于分案后的两个部分",
            f"{names.en} stands in two parts of the split case for the same charge",
        ),
        suggestion=_correction(split),
    )


# --- figures ----------------------------------------------------------------------------------------------


def _amounts(split: _Split) -> Iterator[Found]:
    parts = [figures_of(part.events or ()) for part in split.parts]
    unlike = UnlikeSums()
    for measure, stated in figures_of(split.before).items():
        given = [of[measure] for of in parts if measure in of]
        total = total_of(given)
        all_say = len(given) == len(parts)
        too_much = all(one.value >= 0 for one in given) and total > stated.value
        if given and total != stated.value and (all_say or too_much):
            unlike.add(stated, given, total)
    yield from unlike.found(split.by, "parts", _of_a_split, lambda _: _correction(split))


def _of_a_split(whose: Sentence, what: Sentence, said: Sentence, total: Sentence) -> Sentence:
    return Sentence(
        f"{whose.zh}称原案{what.zh}{said.zh},分案各部分合计{total.zh}",
        f"{whose.en} states {what.en} of {said.en} for the whole case, and {total.en} for its parts together",
    )


# --- assets -----------------------------------------------------------------------------------------------


def _assets(split: _Split) -> Iterator[Found]:
    before = assets_of(split.before)
    stays = [part for part in split.parts if part.chain == split.by.chain]
    after = assets_of([*split.before, *(event for part in stays for event in part.events or ())])
    elsewhere = [(part, assets_of(part.events or ())) for part in split.parts if part.chain != split.by.chain]
    wrong: dict[str, tuple[str, list[ChainEvent]]] = {}
    for number, item in before.items():
        if item.taken_by is None or item.state != HELD:
            continue
        takers = [book[number] for _, book in elsewhere if number in book]
        taken = [event for one in takers if (event := one.taken_by) is not None]
        is_here = after[number].state == HELD and bool(stays)
        if len(taken) + is_here > 1:
            wrong[number] = ("twice", [item.taken_by, *taken])
        elif len(taken) == 1 and not is_here and _taken(takers[0]) != _taken(item):
            wrong[number] = ("value", [item.taken_by, *taken])
        elif not taken and not is_here and _all_have_spoken(split, elsewhere):
            wrong[number] = ("lost", [item.taken_by])
    if not wrong:
        return
    numbers = named(sorted(wrong))
    yield Found(
        subject="assets",
        causes=[split.by],
        uses=[event for _, events in wrong.values() for event in events],
        accounts=[
            account(split.by, {"item": number, "wrong": what}, *events)
            for number, (what, events) in sorted(wrong.items())[:10]
        ],
        because=Sentence(
            f"涉案财物{numbers.zh}在分案各部分中遗漏、重复或价值不符",
            f"items {numbers.en} are lost, doubled or of another worth in the parts of the split case",
        ),
        suggestion=_correction(split),
    )


def _all_have_spoken(split: _Split, parts: Sequence[tuple[_Part, Mapping[str, Item]]]) -> bool:
    """Whether each part has stated assets since: what nobody took by then is lost."""
    return bool(parts) and all(book for _, book in parts)


def _taken(item: Item) -> dict[_Measured, Decimal]:
    return {(measure[0], measure[1:]): balance.taken for measure, balance in item.balances.items()}


# --- what a merger is compared by too ---------------------------------------------------------------------


@cache
def listing() -> frozenset[str]:
    """Types with which an agency says who the suspects of a case are."""
    return frozenset(type for type, known in Catalog.load().types.items() if known.lists_suspects)


@cache
def _over() -> frozenset[str]:
    """States in which it has ended for somebody."""
    catalog = Catalog.load()
    return frozenset({*catalog.states} - catalog.quiet_days.keys() | {"not_prosecuted"})


def _ends(event: ChainEvent) -> bool:
    """Whether with it the matter has ended for whom it lists."""
    known = Catalog.load().types.get(event.type)
    return known is not None and known.brings(event.data) in _over()


def suspects_of(events: Sequence[ChainEvent], persons: KinPersons) -> tuple[dict[str, str], list[ChainEvent]]:
    """Whom these events of a chain leave as its suspects, by key, and the events that say so."""
    whole: dict[str, str] = {}
    sources = []
    for event in events:
        if event.type in listing() and facts(event, "suspects"):
            whole.update((key, person.name) for key, person in persons.listed(event).items())
            sources.append(event)
        elif _ends(event) and facts(event, "suspects"):
            for key in persons.listed(event):
                whole.pop(key, None)
            sources.append(event)
    return whole, sources


def assets_of(events: Sequence[ChainEvent]) -> dict[str, Item]:
    """The items of a chain by these events."""
    book = AssetBook()
    for event in events:
        book.add(event)
    return book.items


def _correction(split: _Split) -> Suggestion | None:
    return correction_by(split.by, Catalog.load())
