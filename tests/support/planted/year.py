"""The planted year: lawful lives by the hundred, faults in some, and the list of what was planted."""

from dataclasses import dataclass
from random import Random

# The faults register themselves when their files are read.
from . import faults_of_content, faults_of_order, faults_of_time  # noqa: F401
from .faults import FAULTS, Fault
from .lives import KINDS, MOST, begun, live, lived
from .matter import Matter, chain_of
from .publications import Counted, outdated, publications
from .statements import statement

PUBLISHED_FROM, STATED_AS = 2_000_000, 7_000_000
_TRIES = 60
"""How many lives are tried until one has a place for a fault."""


@dataclass(frozen=True, slots=True)
class Year:
    """Cases and publications, and for each rule the chains in which it must find something."""

    matters: list[Matter]
    labels: dict[str, set[str]]
    planted: dict[str, int]

    @property
    def events(self) -> int:
        """How many papers there are."""
        return sum(len(matter.papers) for matter in self.matters)


def planted_year(seed: int, chains: int, each: int) -> Year:
    """A year of that many case chains, with `each` faults of every rule for which there are any.

    One fault a chain at most. Raises AssertionError where the faults need more chains than there are.
    """
    dice = Random(seed)
    wanted = [
        (rule, FAULTS[rule][place % len(FAULTS[rule])]) for rule in sorted(FAULTS) for place in range(each)
    ]
    assert len(wanted) <= chains, f"{len(wanted)} faults need as many chains"
    matters = [_with_fault(number, dice, rule, fault) for number, (rule, fault) in enumerate(wanted)]
    matters += [lived(number, dice.choice(tuple(KINDS)), dice) for number in range(len(matters), chains)]
    said = publications(PUBLISHED_FROM, dice, Counted(matters), each, 2 * each)
    said += outdated(PUBLISHED_FROM + len(said), dice, each)
    clean = [matter for matter in matters if not matter.faults][:each]
    for matter in clean:
        matter.faults.add("R66")
    said.append(statement(STATED_AS, dice, (*matters, *said), (matter.number for matter in clean)))
    labels: dict[str, set[str]] = {}
    for matter in (*matters, *said):
        for rule in matter.faults:
            labels.setdefault(rule, set()).add(_place(matter))
    planted = {rule: sum(rule in m.faults for m in (*matters, *said)) for rule in labels}
    return Year([*matters, *said], labels, planted)


def _place(matter: Matter) -> str:
    """The chain in which a fault shows."""
    elsewhere = matter.memory.get("shows_in")
    return matter.chain if elsewhere is None else chain_of(elsewhere)


def _with_fault(number: int, dice: Random, rule: str, fault: Fault) -> Matter:
    for _ in range(_TRIES):
        matter = begun(number, dice.choice(fault.kinds), dice)
        if fault.facts is not None:
            fault.facts(matter)
        live(matter)
        if fault.papers(matter) and len(matter.papers) <= MOST:
            matter.faults.update(fault.shows)
            matter.watched = fault.watched
            return matter
    raise AssertionError(f"no life has a place for {fault.papers.__name__} of {rule}")
