"""Duties carried on event by event are those of the whole chain; a role means whom the chain knows."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.agencies import Members
from casebus_schemas.case import chain_index
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.endings import ends_matter
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.obligations import (
    Obligation,
    Start,
    duties_of,
    obligations,
    starts,
    starts_of,
)
from casebus_schemas.case.open_starts import Key, OpenStarts
from casebus_schemas.law.clocks import clock_table
from support.cases.chains import at, digest, say, suspects
from support.cases.made_up import made_up

KINDS: dict[str, dict[str, Any]] = {
    "referral.receipted": {"received_at": at("2022-06-01T09:00"), "competent": True, "complete": True},
    "referral.filed": {},
    "referral.extension_approved": {"level": "county"},
    "referral.handed_over": {},
    "receipt.signed": {"received_at": at("2022-06-05T09:00")},
    "progress.transferred_for_prosecution": {},
    "progress.jurisdiction_changed": {},
    "progress.arrest_requested": {"in_custody": True, "complex": False},
    "progress.arrest_approved": {},
    "progress.returned_for_supplement": {},
    "progress.resubmitted": {},
    "progress.concluded": {},
    "outcome.not_prosecuted": {},
    "outcome.reconsideration_requested": {},
    "outcome.reconsideration_decided": {},
    "reverse.sent_to_admin_desk": {},
}


@st.composite
def _chains(draw: st.DrawFn) -> list[ChainEvent]:
    events = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(list(KINDS)))
        other = str(draw(st.integers(0, max(number - 1, 0))))
        data = dict(KINDS[kind])
        if kind == "receipt.signed":
            data["event"] = digest(other)
        if kind.startswith("progress.arrest"):
            data["suspects"] = suspects(*draw(st.sampled_from([("甲",), ("乙",), ("甲", "乙"), ()])))
        events.append(
            say(
                str(number),
                kind,
                f"2022-06-{number + 1:02}T10:00",
                agency=draw(st.sampled_from(["csrc", "mps", "spp"])),
                to=draw(st.sampled_from([("csrc",), ("mps",), ("spp", "mps")])),
                told=("csrc", "mps", "spp"),
                replies=other if number and draw(st.booleans()) else None,
                corrects=other if number and draw(st.integers(0, 9)) == 0 else None,
                **data,
            )
        )
    return events


class _Carried:
    """The duties of a chain that grows, of which only those are made anew that an event touches."""

    def __init__(self) -> None:
        self._begin(fold(()))

    def take(self, event: ChainEvent) -> None:
        """One more event."""
        revision = self.folded.suspects.revision
        if not self.folded.grow(event):
            self._begin(fold((*self.folded.order, event)))
            return
        tied = self._index.add(event)
        somebody_else = revision != self.folded.suspects.revision
        touched = self._open.touched(event, self._index, tied=tied, somebody_else=somebody_else)
        self._start(starts_of(event, self._index))
        for key in touched:
            self._count(key)

    def _begin(self, folded: Folded) -> None:
        self.folded, self._index, self._open = folded, ChainIndex(folded, clock_table()), OpenStarts(folded)
        self._starts: dict[Key, Start] = {}
        self.duties: dict[Key, tuple[Obligation, ...]] = {}
        self._start(starts(self._index))
        for far in self._index.all_beyond():
            self._open.out_of_reach(far)

    def _start(self, begun: Iterable[Start]) -> None:
        for start in begun:
            key = (start.cause.digest, start.clock.id)
            self._starts[key] = start
            self._open.add(key, start)
            self._count(key)

    def _count(self, key: Key) -> None:
        duties = self.duties[key] = duties_of(self._starts[key], self._index)
        met = [duty for duty in duties if duty.met_by is not None]
        over = [duty for duty in duties if duty.moot_by is not None and ends_matter(duty.moot_by)]
        self._open.settle(key, settled=len(met) == len(duties), ended=len(over) == len(duties))


@settings(max_examples=made_up(60), deadline=None)
@given(_chains(), st.sampled_from((0, 1, 20)))
def test_duties_carried_on_are_those_of_the_whole_chain(events: list[ChainEvent], reach: int) -> None:
    """Only starts that an event touches are looked at again; the duties are as if all had been.

    So it is however many starts of a kind an event reaches that answers none of them.
    """
    with patch.object(chain_index, "MOST_LATER", reach):
        carried = _Carried()
        for event in events:
            carried.take(event)
            anew = ChainIndex(carried.folded, clock_table())
            whole = obligations(anew, starts(anew))
            found = [duty for duties in carried.duties.values() for duty in duties]
            assert sorted(found, key=lambda duty: duty.id) == sorted(whole, key=lambda duty: duty.id)


def test_of_two_agencies_with_a_role_those_that_the_chain_knows_owe() -> None:
    """With one regulator it owes, known or not; with two only the one that has spoken or been addressed."""
    one = Members.load()
    second = replace(one.listed[0], id="customs")
    two = Members((*one.listed, second), one.roles, "two")
    filed = say("f", "referral.filed", "2022-06-01T10:00", agency="mps", to=("customs",))
    found = {}
    for name, members in (("one", one), ("two", two)):
        index = ChainIndex(fold([filed]), clock_table(), members)
        found[name] = [duty.owed_by for duty in obligations(index, starts(index)) if duty.clock.id == "DL10"]
    assert found == {"one": ["csrc"], "two": ["customs"]}
