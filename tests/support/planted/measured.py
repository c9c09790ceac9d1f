"""What the rules find of a planted year, held against what was planted: recall and precision by rule."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import fold
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.folded_case import Case
from casebus_schemas.rules.reconcile import Reconciled
from casebus_schemas.rules.register import RULES
from casebus_schemas.rules.rule import Arrived, Found, Rule
from casebus_schemas.rules.running import run_across, watch
from casebus_schemas.small_types import RuleId
from casebus_schemas.statistics.comparison import compare_published
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.wire.stream_head import Stream, StreamHead

from .faults_of_order import MARK
from .matter import SOON, Matter, digest_of, events_of
from .year import Year


@dataclass(slots=True)
class Score:
    """A rule's account: chains in which it was planted, in which it found something, and where it only did so
    for a time, before everything was known."""

    planted: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    passing: set[str] = field(default_factory=set)

    @property
    def hits(self) -> int:
        """Chains with a fault that the rule found."""
        return len(self.planted & self.found)

    @property
    def recall(self) -> float:
        """Share of the planted faults that were found; 1 where nothing was planted."""
        return self.hits / len(self.planted) if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Share of the chains with a finding in which there is a fault; 1 where nothing was found."""
        return self.hits / len(self.found) if self.found else 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The scores of all rules of the register, those without a fault too, and examples of what went wrong."""

    scores: Mapping[str, Score]
    findings: int
    events: int
    missed: Sequence[str]
    wrong: Sequence[str]

    def table(self) -> str:
        """A line a rule, and what was missed or found without a fault."""
        lines = ["rule  planted  found  recall  precision  came and went"]
        for rule, score in self.scores.items():
            if score.planted or score.found or score.passing:
                counts = f"{len(score.planted):>7} {len(score.found):>6}"
                shares = f"{score.recall:>7.3f} {score.precision:>10.3f}"
                lines.append(f"{rule:<5} {counts} {shares} {len(score.passing - score.found):>14}")
        without = [rule for rule, score in self.scores.items() if not score.planted]
        lines.append(f"without a planted fault: {', '.join(without) or 'none'}")
        lines += [f"missed: {text}" for text in self.missed] + [f"not planted: {text}" for text in self.wrong]
        return "\n".join(lines)


def measured(year: Year, rules: Mapping[RuleId, Rule] = RULES) -> Measured:
    """Runs the year through doors, fold and rules, and compares."""
    catalog = Catalog.load()
    kinds = {matter.chain: matter for matter in year.matters}
    events = [event for matter in year.matters for event in events_of(matter, catalog)]
    chains: dict[str, list[ChainEvent]] = defaultdict(list)
    for event in events:
        chains[event.chain].append(event)
    of_chain = {**{id: rule for id, rule in rules.items() if "chain" in rule.scopes}, **_broken(rules)}
    found: list[Finding] = []
    passing: dict[str, set[str]] = defaultdict(set)
    for chain, of in chains.items():
        days = kinds[chain].watched if chain in kinds else SOON
        now = max(event.admitted_at for event in of) + timedelta(days=days)
        found_here, ever = _as_they_come(of, of_chain, now)
        found += found_here
        for rule in ever:
            passing[rule].add(chain)
    found += _beyond_chains(year, events, rules)
    scores = {str(rule): Score(set(year.labels.get(rule, ()))) for rule in rules}
    for rule in year.labels.keys() - scores.keys():
        scores[rule] = Score(set(year.labels[rule]))
    for rule, places in passing.items():
        scores[rule].passing |= places
    wrong: dict[tuple[str, str], str] = {}
    for finding in found:
        score = scores[finding.rule]
        score.found.add(finding.chain)
        if finding.chain not in score.planted:
            text = f"{finding.rule} in {_called(kinds.get(finding.chain))}: {finding.because.en}"
            wrong.setdefault((finding.rule, finding.chain), text)
    missed = [
        f"{rule} in {_called(kinds.get(chain))}"
        for rule, score in scores.items()
        for chain in sorted(score.planted - score.found)
    ]
    return Measured(dict(sorted(scores.items())), len(found), len(events), missed, list(wrong.values()))


def _called(matter: Matter | None) -> str:
    if matter is None:
        return "a chain astray"
    return f"matter {matter.number} ({matter.kind}, planted {', '.join(sorted(matter.faults)) or 'nothing'})"


def _as_they_come(
    events: Iterable[ChainEvent], rules: Mapping[RuleId, Rule], now: datetime
) -> tuple[tuple[Finding, ...], set[str]]:
    """What is found of a chain at the end, events taken one by one; which rules ever found something."""
    first, *others = sorted(events, key=lambda event: (event.admitted_at, event.digest))
    book = Reconciled(fold([first]), rules=rules)
    ever: set[str] = {finding.rule for finding in book.content}
    for event in others:
        moved = book.take(event)
        keys = set(book.everything() if moved.all else moved.keys) | book.turning(event.admitted_at)
        after = (*moved.after, *book.look(keys, event.admitted_at)[1], *(book.content if moved.all else ()))
        ever |= {finding.rule for finding in after}
    return book.findings(now), ever


def _beyond_chains(year: Year, events: Sequence[ChainEvent], rules: Mapping[RuleId, Rule]) -> list[Finding]:
    """What streams, several chains together and publications show."""
    published = compare_published(events, Versions("catalogue", "law"), rules)
    return [*_arrivals(year, events, rules), *run_across(events, rules), *published.findings]


def _broken(rules: Mapping[RuleId, Rule]) -> dict[RuleId, Rule]:
    """A stand-in for a rule of a broken build: R39 as it is, but that it fails on marked papers."""
    whole = rules.get(RuleId("R39"))
    if whole is None or whole.in_case is None:
        return {}
    finds = whole.in_case

    def fails(case: Case) -> Iterable[Found]:
        if any(event.data.get("note") == MARK for event in case.said):
            raise KeyError("a mark that no paper may bear")
        return finds(case)

    broken = replace(whole)
    broken.in_case = fails
    return {whole.id: broken}


def _arrivals(year: Year, events: Sequence[ChainEvent], rules: Mapping[RuleId, Rule]) -> Iterator[Finding]:
    """Each agency's events in one stream, in the order in which the bus had them."""
    papers: dict[bytes, Any] = {
        digest_of(matter.number, paper.label): paper for matter in year.matters for paper in matter.papers
    }
    heads: dict[str, StreamHead] = defaultdict(StreamHead)
    for event in sorted(events, key=lambda event: (event.admitted_at, event.digest)):
        paper, head = papers[event.digest], heads[event.agency]
        number = head.seq + (2 if paper.lost else 1)
        before = bytes([1]) * 32 if paper.lost else head.digest
        placed = replace(event, producer=f"{event.agency}-1.1", seq=number, prev=before)
        stream = Stream(f"{event.agency}-1.1", f"{event.agency}.referral", 0)
        yield from watch(Arrived(placed, again=False, stream=stream, head=head), rules)
        heads[event.agency] = StreamHead(number, event.digest)
        if paper.again:
            yield from watch(Arrived(placed, again=True, stream=stream, head=heads[event.agency]), rules)
