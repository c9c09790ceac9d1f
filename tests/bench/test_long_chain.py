"""What an event costs the reconciler's book in a long chain with its duties, against a short one."""

import gc
import time
from collections.abc import Iterable
from statistics import fmean

import pytest

from bench.figures import Figure
from casebus_schemas.case.chain import ChainEvent
from casebus_services.reconciler.book import ChainBook
from support.cases.chains import CHAIN
from support.cases.long_chains import FLAT, KINDS, chain_of, matters
from support.cases.long_rules import long_chain, rounds_of_clocks, rounds_of_rules

pytestmark = pytest.mark.bench

EVENTS = 3_000
SHORT = slice(100, 300)
LONG = slice(EVENTS - 200, EVENTS)
MOST = 1.5
OTHERS = 600
ROUNDS = {**rounds_of_rules(), **rounds_of_clocks()}
ROUND_EVENTS = 1_400
EARLY = slice(500, 600)


@pytest.mark.parametrize("count", [2, 40])
def test_an_event_in_a_long_chain(count: int, figure: Figure) -> None:
    """An event of a chain of 3,000 takes at most 1.5 times the processor time of one of a few hundred."""
    book = ChainBook(CHAIN)
    events = matters(EVENTS // 4, count)
    times = _times(book, events)
    short, long = fmean(times[SHORT]), fmean(times[LONG])
    figure(f"{count} suspects, event 100 to 300", short, "µs")
    figure(f"{count} suspects, event 2,800 to 3,000", long, "µs")
    figure(f"{count} suspects, long against short", long / short, "x", at_most=MOST)
    assert len(book.duties) == EVENTS // 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_in_a_long_chain_of_one_kind(kind: str, figure: Figure) -> None:
    """The last 100 of 3,000 take at most twice what events 100 to 200 did, where each only adds to the chain.

    Of the other kinds each may change what stands before it: their chains are shorter, their figures shown.
    """
    flat = kind in FLAT
    times = _times(ChainBook(CHAIN), chain_of(kind, EVENTS if flat else OTHERS))
    short, long = fmean(times[100:200]), fmean(times[-100:])
    figure(f"{kind}, event 100 to 200", short, "µs")
    figure(f"{kind}, the last 100 of {len(times):,}", long, "µs")
    figure(f"{kind}, long against short", long / short, "x", at_most=2.0 if flat else None)


@pytest.mark.parametrize("one_matter", [False, True], ids=["each_its_own", "one_matter"])
@pytest.mark.parametrize("about", ROUNDS)
def test_an_event_in_a_long_chain_of_one_rule_or_clock(about: str, one_matter: bool, figure: Figure) -> None:
    """What a rule or clock looks at, said over and over: the last 100 take at most twice what others did.

    Those others are behind the longest of the terms that time lets run out.
    """
    times = _times(ChainBook(CHAIN), long_chain(ROUNDS[about], ROUND_EVENTS, one_matter=one_matter))
    short, long = fmean(times[EARLY]), fmean(times[-100:])
    figure(f"{about}, event {EARLY.start} to {EARLY.stop}", short, "µs")
    figure(f"{about}, the last 100 of {ROUND_EVENTS:,}", long, "µs")
    figure(f"{about}, long against short", long / short, "x", at_most=2.0)


def _times(book: ChainBook, events: Iterable[ChainEvent]) -> list[float]:
    """Microseconds of processor time that each event takes."""
    gc.collect()
    gc.disable()  # the service leaves the cycle collector to run rarely: one full run is no event's cost
    times = []
    for event in events:
        begun = time.process_time()
        book.take(event)
        book.changes()
        assert book.meaning.hash
        book.wakes_at()
        times.append((time.process_time() - begun) * 1e6)
    gc.enable()
    return times
