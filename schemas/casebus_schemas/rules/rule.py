"""A rule of reconciliation: its head as data, and the functions that find what it is about."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent, Digest, highest
from casebus_schemas.case.chain_keys import KeyKind, Linked
from casebus_schemas.case.kin import Kin, KinKey, KinKind
from casebus_schemas.frozen import quickly_made
from casebus_schemas.law import Sentence
from casebus_schemas.law.clocks import Article
from casebus_schemas.small_types import Agency, ChainId, RuleId
from casebus_schemas.wire.ids import bus_id
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .finding import Account, Finding, FindingClass, FindingState, Severity, Suggestion
from .folded_case import Case
from .sight import apart_of, home, told_of_all

T = TypeVar("T")
Scope = Literal["chain", "stream", "across", "statistics"]


@quickly_made
@dataclass(frozen=True, slots=True)
class Found:
    """What a rule noticed; its head gives the rest of the finding.

    `causes` are the events without which it would not be there, at least one, or the first and last of many.
    Its id follows from `subject` and from those of `named_by`, all causes where it is not said: what may have
    more and more causes is named by few or none of them, so that it stays one finding. `severity` and `law`
    stand for those of the head where they differ from case to case; `chain` is by default that of the first
    cause, `opened_at` when the last of them was admitted. `uses` are further events whose contents the words
    or accounts give away, `beside` agencies that it concerns without an account; `apart` is told to those
    concerned who were not told of every event, where the rule knows better words; `kind` stands for the
    head's class. With `by_subject` the id follows from chain and subject alone, with `across` from the
    subject alone, whichever chain it belongs to.
    """

    subject: str
    causes: Iterable[ChainEvent]
    accounts: Iterable[Account]
    because: Sentence
    suggestion: Suggestion | None = None
    severity: Severity | None = None
    law: Iterable[Article] | None = None
    opened_at: datetime | None = None
    state: FindingState = "open"
    chain: str | None = None
    named_by: Iterable[ChainEvent] | None = None
    uses: Iterable[ChainEvent] = ()
    beside: Iterable[str] = ()
    apart: Sentence | None = None
    contested: bool = False
    kind: FindingClass | None = None
    by_subject: bool = False
    across: bool = False
    made: list[Finding] = field(default_factory=list, init=False, compare=False, repr=False)
    """The finding, once it was made: a rule that keeps what it found has it made once."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Arrived:
    """An admitted event at its place in its producer's stream, as the bus met it.

    `again` says that the bus had the same event before. `head` is the stream's last admitted event;
    `was_refused` tells whether the bus refused the event of a digest in this stream; `redriven` that the
    record was judged anew and so comes out of its place by nature.
    """

    event: ChainEvent
    again: bool
    stream: Stream | None = None
    head: StreamHead = field(default_factory=StreamHead)
    was_refused: Callable[[Digest], bool] = lambda _: False
    redriven: bool = False


NEVER_CLOSES = Sentence("不自行关闭", "never by itself")
"""Of findings that nothing said later takes away."""

OverCase = Callable[[Case], Iterable[Found]]
AtTime = Callable[[Case, datetime], Iterable[Found]]
OverArrival = Callable[[Arrived], Iterable[Found]]
OverWord = Callable[[ChainEvent, Finding | None], Iterable[Found]]
AcrossChains = Callable[[Linked], Iterable[Found]]
OverKin = Callable[[Kin], Iterable[Found]]


@dataclass(eq=False, slots=True)
class Rule:
    """A rule by its number. The decorators take the functions that find; each at most once.

    `looks_at` names all that can change its verdict: types of events (`referral.filed`), fields of their
    data (`*.amounts`), or a word of `looks.WORDS` (`time`, `duties`). `law` are the articles that every
    finding of it rests on. `each` says that it decides about each start of a clock, duty, answer or repeat by
    itself, so that it is run again only for those that are touched (`Case.only`); every rule that looks at
    duties does. `quiet` is for a rule that the time since the last event decides. `keys` are the kinds of
    what events of several chains must have in common to be given to it, `kin` the kinds of kin that it
    compares, `matters` the subjects of what it finds of kin, one of each in a chain. `forbids` says that the
    law leaves no room: what would be found is refused before it is said, with the article. `acts`, `mends`
    and `closes` say to people who should do what about a finding, and when it goes away.
    """

    id: RuleId
    title: Sentence
    scopes: tuple[Scope, ...]
    cls: FindingClass
    severity: Severity
    looks_at: tuple[str, ...]
    acts: Sentence
    mends: Sentence
    closes: Sentence
    law: tuple[Article, ...] = ()
    each: Literal["start", "duty", "answer", "repeat", "quiet"] | None = None
    keys: tuple[KeyKind, ...] = ()
    kin: tuple[KinKind, ...] = ()
    matters: tuple[str, ...] = ()
    forbids: bool = False
    in_case: OverCase | None = field(default=None, init=False)
    at_time: AtTime | None = field(default=None, init=False)
    on_arrival: OverArrival | None = field(default=None, init=False)
    on_word: OverWord | None = field(default=None, init=False)
    between_chains: AcrossChains | None = field(default=None, init=False)
    between_kin: OverKin | None = field(default=None, init=False)

    @property
    def by_time(self) -> bool:
        """Whether time alone can change its verdict."""
        return "time" in self.looks_at

    def over_case(self, function: OverCase) -> OverCase:
        """Takes what finds it in a case by the events alone."""
        self.in_case = _once(self.id, self.in_case, function)
        return function

    def over_time(self, function: AtTime) -> AtTime:
        """Takes what finds it in a case at a time."""
        self.at_time = _once(self.id, self.at_time, function)
        return function

    def over_arrival(self, function: OverArrival) -> OverArrival:
        """Takes what finds it in an event's arrival."""
        self.on_arrival = _once(self.id, self.on_arrival, function)
        return function

    def over_word(self, function: OverWord) -> OverWord:
        """Takes what finds it in a word on a finding, None where the chain has no such finding."""
        self.on_word = _once(self.id, self.on_word, function)
        return function

    def across_chains(self, function: AcrossChains) -> AcrossChains:
        """Takes what finds it in the events of several chains that have one of its keys in common."""
        self.between_chains = _once(self.id, self.between_chains, function)
        return function

    def over_kin(self, function: OverKin) -> OverKin:
        """Takes what finds it in chains that are kin."""
        self.between_kin = _once(self.id, self.between_kin, function)
        return function

    def finding(self, found: Found) -> Finding:
        """The finding. Its id follows from rule, chain, subject and the digests of what names it."""
        if not found.made:
            found.made.append(self._made(found))
        return found.made[0]

    def _made(self, found: Found) -> Finding:
        given = list(found.causes)
        named_by = given if found.named_by is None else found.named_by
        causes = given
        if len(given) > 1:
            causes = sorted({event.digest: event for event in given}.values(), key=lambda event: event.digest)
        digests = tuple([event.digest for event in causes])
        chain = found.chain or given[0].chain
        rests_on = [*causes, *found.uses]
        found_accounts = tuple(found.accounts)
        names = () if found.by_subject else sorted({event.digest for event in named_by})
        levels = [event.handling for event in rests_on]
        levels.extend([account.handling for account in found_accounts])
        finding = Finding(
            id=across_id(self.id, found.subject)
            if found.across
            else bus_id(self.id, f"{chain}\n{found.subject}", names),
            rule=self.id,
            cls=found.kind or self.cls,
            severity=found.severity or self.severity,
            chain=ChainId(chain),
            subject=found.subject,
            accounts=found_accounts,
            law=self.law if found.law is None else tuple(found.law),
            because=found.because,
            suggestion=found.suggestion,
            opened_at=found.opened_at or max([event.last_said_at for event in rests_on]),
            causes=digests,
            state=found.state,
            told=told_of_all(rests_on, found_accounts),
            beside=tuple([Agency(agency) for agency in found.beside]),
            contested=found.contested,
            handling=highest(levels),
        )
        untold = [agency for agency in finding.concerned() if home(agency) not in finding.told]
        if not untold:
            return finding
        return replace(finding, apart=apart_of(untold, rests_on, self.title, self.severity, found.apart))


def across_id(rule: RuleId, subject: str) -> UUID:
    """The id of what a rule finds across chains: the same in whichever chain it stands."""
    return bus_id(rule, f"across\n{subject}")


def kin_subject(key: KinKey, chain: str, matter: str) -> str:
    """The subject of what is found of kin: whoever knows the chain and what made it kin knows the id."""
    return f"{key.kind} {key.text}\n{chain}\n{matter}"


def _once(id: RuleId, known: T | None, function: T) -> T:
    if known is not None:
        raise TypeError(f"{id} has a function for this already")
    return function
