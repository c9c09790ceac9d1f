"""Duties carried on event by event are those of the whole chain; a role means whom the chain knows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.agencies import Members
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_index import ChainIndex
from casebus_schemas.case.fold import fold
from casebus_schemas.case.obligations import (
    Obligation,
    Start,
    duties_of,
    obligations,
    starts,
    starts_of,
    touches,
)
from casebus_schemas.law.clocks import ClockTable, clock_table
from support.chains import at, digest, say, suspects
from support.clock_tables import table_of
from support.made_up import made_up

FOLDER = Path(__file__).parents[1] / "law" / "clocks_to_come"
TO_COME = table_of({file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.yaml")})
BOTH = ClockTable([*clock_table().by_id.values(), *TO_COME.by_id.values()], TO_COME.instruments)
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


@settings(max_examples=made_up(60), deadline=None)
@given(_chains())
def test_duties_carried_on_are_those_of_the_whole_chain(events: list[ChainEvent]) -> None:
    """Only starts that an event touches are looked at again; the duties are as if all had been."""
    folded = fold(())
    index = ChainIndex(folded, BOTH)
    carried: dict[tuple[str, bytes], tuple[Start, tuple[Obligation, ...]]] = {}
    for event in events:
        if folded.grow(event):
            index.add(event)
            again = [start for start, _ in carried.values() if touches(event, start, index)]
            again += starts_of(event, index)
        else:
            folded = fold((*folded.order, event))
            carried, index = {}, ChainIndex(folded, BOTH)
            again = list(starts(index))
        for start in again:
            carried[start.clock.id, start.cause.digest] = (start, duties_of(start, index))
        anew = ChainIndex(folded, BOTH)
        whole = obligations(anew, starts(anew))
        found = [duty for _, duties in carried.values() for duty in duties]
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
