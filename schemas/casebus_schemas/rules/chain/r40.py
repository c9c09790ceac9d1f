"""R40: somebody speaks who may not, or may not yet: a stranger, another's event, a step out of its turn."""

from collections.abc import Iterator
from functools import cache

from casebus_schemas.case.accounts import ABOUT_THE_BUS, Tracks
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded
from casebus_schemas.case.kept import ALL_TYPES, Kept
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law import Sentence
from casebus_schemas.small_types import RuleId
from casebus_schemas.texts.symbols import STATUSES, agency, quoted, word

from ..finding import Finding, said
from ..folded_case import Case
from ..rule import Found, Rule
from ..sight import hearers, home


@cache
def _disputable() -> frozenset[str]:
    """Types that are disputed when they are said of another state than theirs."""
    types = Catalog.load().types.items()
    return frozenset(type for type, known in types if known.disputed_elsewhere)


RULE = Rule(
    RuleId("R40"),
    title=Sentence("无权或不合程序的陈述、更正或撤回", "said without the right to it, or out of its turn"),
    scopes=("chain", "stream"),
    cls="state",
    severity="medium",
    looks_at=("corrections", "strangers", "arrivals", *sorted(_disputable()), "persons"),
    acts=Sentence("无权的机关", "the agency that had no right to say it"),
    mends=Sentence(
        "请原机关自行更正;请本案链的参与方告知或主送;补报缺少的前一步骤",
        "to ask the agency that said it to correct it, a party to address it, or for the missing step",
    ),
    closes=Sentence(
        "参与方告知或主送该机关时;补报前一步骤或撤回时;其余不自行关闭",
        "when a party addresses it, the missing step is said or it is withdrawn; else never by itself",
    ),
)


@RULE.over_case
def strangers(case: Case) -> Iterator[Found]:
    """Each correction or withdrawal by an agency that did not say what it touches, and each stranger."""
    folded = case.folded
    yield from case.kept(Strangers).found()
    if not _disputable().isdisjoint(folded.standing_of):
        yield from case.kept(Turns).disputed
    for stranger, first in sorted(folded.belonging.first_outside.items()):
        yield _outside(stranger, first, sorted(folded.belonging.parties))


class Turns(Kept):
    """Each step that belongs to other states than the one in which the case, or whom it names, is."""

    types = ALL_TYPES

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._tracks = Tracks(folded.suspects, catalog, histories=False)
        self.disputed: list[Found] = []

    def add(self, event: ChainEvent) -> None:
        """Takes the next event of any type."""
        state = None if event.family in ABOUT_THE_BUS else self._tracks.apply(event)
        if state is not None:
            self.disputed.append(_disputed(event, state))


class Strangers(Kept):
    """Each correction or withdrawal by an agency that did not say what it touches: none of them stands."""

    def __init__(self, folded: Folded, catalog: Catalog) -> None:
        super().__init__(folded, catalog)
        self._found: list[Found] = []

    def found(self) -> list[Found]:
        """Those by which the fold has grown are added."""
        new = self.folded.strangers[len(self._found) :]
        self._found.extend(_touches(event, self.folded) for event in new)
        return self._found


def _disputed(event: ChainEvent, state: str) -> Found:
    who, what, where = agency(event.agency), quoted(event.type), word(STATUSES, state)
    return Found(
        subject=f"{event.id}\nturn",
        causes=[event],
        accounts=[said(event)],
        because=Sentence(
            f"{who.zh}的{what.zh}不合程序:案件状态为{where.zh},状态不变,该事件存疑",
            f"{what.en} of {who.en} is out of its turn: the case is “{where.en}” and stays so; "
            "what was said is disputed",
        ),
    )


def _touches(event: ChainEvent, folded: Folded) -> Found:
    touched = {folded.by_digest[d].agency for d in (event.corrects, event.withdraws) if d in folded.by_digest}
    return Found(
        subject=str(event.id),
        causes=[event],
        accounts=[said(event)],
        because=Sentence(
            f"{agency(event.agency).zh}更正或撤回了其他机关的事件,不生效",
            f"{agency(event.agency).en} corrects or withdraws what another agency said: it has no effect",
        ),
        beside=sorted((touched | event.told) - {event.agency}),
        apart=Sentence(
            "另一机关更正或撤回了贵机关的事件,不生效",
            "another agency corrects or withdraws what you said: it has no effect",
        ),
    )


def _outside(stranger: str, first: ChainEvent, parties: list[str]) -> Found:
    return Found(
        subject=f"outside\n{stranger}",
        causes=[first],
        accounts=[said(first)],
        because=Sentence(
            f"{agency(stranger).zh}未参与本案链,参与方告知或主送之前,其{quoted(first.type).zh}等陈述不生效",
            f"{agency(stranger).en} does not belong to this chain: {quoted(first.type).en} and "
            "all that it says has no effect until a party tells or addresses it",
        ),
        beside=parties,
        apart=Sentence(
            "未参与本案链的机关在本案链中作出陈述,不生效",
            "an agency that does not belong to this chain has spoken in it: that has no effect",
        ),
    )


@RULE.over_word
def foreign_words(event: ChainEvent, finding: Finding | None) -> Iterator[Found]:
    """A word on a finding that does not concern its speaker, or that the bus has not made in this chain.

    Both in the same words and to the same agencies, but for those whom the finding concerns and who were not
    told of the word: ids of findings follow from what they are about, and a guess must get no answer.
    """
    concerned = [] if finding is None else [home(name) for name in hearers(finding)]
    if event.agency in concerned:
        return
    who, what = agency(event.agency), quoted(event.type)
    yield Found(
        subject=f"word\n{event.agency}\n{event.data['finding']}",
        causes=[event],
        accounts=[said(event)],
        because=Sentence(
            f"{who.zh}的{what.zh}所指的核对发现不在本案链中,或与该机关无关,不生效",
            f"{what.en} of {who.en} names a finding that this chain does not hold, or that does not concern "
            "it: it has no effect",
        ),
        beside=sorted({*event.audience, *concerned} - {event.agency}),
        apart=Sentence(
            "一个机关对与其无关的核对发现发表意见,不生效",
            "an agency has spoken to a finding that does not concern it: that has no effect",
        ),
        kind="arrival",
        by_subject=True,
    )
