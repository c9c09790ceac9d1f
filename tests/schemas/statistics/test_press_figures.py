"""The figures of the press conference come out of a played set of individual outcome events."""

import json
from datetime import timedelta

import pytest

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.statistics.ratios import growth
from casebus_schemas.statistics.restatements import restate
from support.cases.prosecutions import played
from support.cases.statistics_chains import (
    ALL,
    PLAYED,
    again,
    correction,
    count,
    of_one,
    of_several,
    withdrawal,
)


def test_the_played_set_is_the_generated_one() -> None:
    """The stored file holds exactly the events that its generator makes."""
    stored = [json.loads(line) for line in PLAYED.read_text(encoding="utf-8").splitlines()]
    assert list(played()) == stored


def test_the_played_set_names_nobody(events: list[ChainEvent]) -> None:
    """No suspect of the played set has a name or a role."""
    suspects = [suspect for event in events for suspect in event.data["suspects"]]
    assert {(suspect["name"], suspect["role"]) for suspect in suspects} == {(None, None)}


@pytest.mark.parametrize(
    ("period", "persons"), [(ALL, 376), ("2022H1", 147), ("2021H1", 76), ("2021", 229), ("2021H2", 153)]
)
def test_persons_prosecuted(events: list[ChainEvent], period: str, persons: int) -> None:
    """376 persons from 2021 to June 2022, of which 229 in 2021 (76 and 153 by halves) and 147 in 2022."""
    assert count(events, period).value == persons


def test_growth(events: list[ChainEvent]) -> None:
    """147 against 76 the year before is +93.4 %."""
    change = growth(count(events, "2022H1"), count(events, "2021H1"))
    assert (change.text, change.below.value) == ("+93.4 %", 76)


def test_the_other_scope_gives_another_figure(events: list[ChainEvent]) -> None:
    """With futures crimes there are six persons more, under another label of twelve crimes, not eleven."""
    narrow, wide = count(events), count(events, scope="securities-futures")
    assert (narrow.value, narrow.scope.label.zh, narrow.scope.crimes) == (376, "证券犯罪", 11)
    assert (wide.value, wide.scope.label.zh, wide.scope.crimes) == (382, "证券期货犯罪", 12)


def test_the_lineage_adds_up(events: list[ChainEvent]) -> None:
    """What the events of a lineage add is the figure, and only they are needed to compute it again."""
    figure = count(events)
    assert sum(source.adds for source in figure.sources) == 376
    again_computed = count([source.event for source in figure.sources])
    assert (again_computed.value, again_computed.version) == (376, figure.version)


def test_removing_one_gives_375(events: list[ChainEvent]) -> None:
    """Without the indictment of one person there are 375, in another version."""
    gone = of_one(events)
    rest = [event for event in events if event != gone]
    assert count(rest).value == 375
    assert count(rest).version != count(events).version


def test_a_repeated_event_changes_nothing(events: list[ChainEvent]) -> None:
    """The same event once more (one digest) leaves figure and version as they are."""
    figure = count([*events, events[0], events[17]])
    assert (figure.value, figure.version) == (376, count(events).version)


def test_repeated_content_changes_no_figure(events: list[ChainEvent]) -> None:
    """Every event said again under another id and digest still gives 376, and is listed as a repeat."""
    repeats = [again(event, f"again {number}") for number, event in enumerate(events)]
    figure = count([*events, *repeats])
    assert figure.value == 376
    assert sum(source.role == "repeat" for source in figure.sources) == len(count(events).sources)


def test_a_corrected_event_restates_with_its_cause(events: list[ChainEvent]) -> None:
    """A correction that takes one suspect off the list gives 375 and is the one cause of it."""
    target = of_several(events)
    fewer = correction(
        target,
        "one too many",
        "2022-07-05",
        suspects=target.data["suspects"][1:],
        charges=target.data["charges"][1:],
    )
    before, after = count(events), count([*events, fewer])
    found = restate(before, after)
    assert (before.value, after.value) == (376, 375)
    assert [(cause.event, cause.role) for cause in found.causes] == [(fewer, "corrects")]


def test_the_correction_of_a_repeated_event_counts_for_both(events: list[ChainEvent]) -> None:
    """Correcting either the event or its repetition gives 375, not the uncorrected repetition's figure."""
    target = of_several(events)
    repeat = again(target, "repeat", "2022-07-01")
    for corrected in (target, repeat):
        fewer = correction(
            corrected,
            "fewer",
            "2022-07-05",
            suspects=target.data["suspects"][1:],
            charges=target.data["charges"][1:],
        )
        assert count([*events, repeat, fewer]).value == 375


def test_a_corrected_charge_moves_a_person_out_of_scope(events: list[ChainEvent]) -> None:
    """A charge corrected to laundering takes the person out of this scope, which the lineage still shows."""
    target = of_one(events)
    charges = [{**charge, "article": "191"} for charge in target.data["charges"]]
    changed = correction(target, "laundering", "2022-07-05", charges=charges)
    before, after = count(events), count([*events, changed])
    assert (after.value, count([*events, changed], scope="any").value) == (
        375,
        count(events, scope="any").value,
    )
    assert [cause.event for cause in restate(before, after).causes] == [changed]


def test_a_withdrawn_event_subtracts(events: list[ChainEvent]) -> None:
    """A withdrawn event takes its person out again and is the cause; said anew later, it counts once more."""
    target = of_one(events, "2021H2")
    taken_back = withdrawal(target, "taken back", "2022-07-05")
    without = [*events, taken_back]
    assert (count(without, "2021H2").value, count(without).value) == (152, 375)
    found = restate(count(events, "2021H2"), count(without, "2021H2"))
    assert [(cause.event, cause.role) for cause in found.causes] == [(taken_back, "withdraws")]
    anew = again(target, "anew", "2022-08-01")
    assert count([*without, anew], "2021H2").value == 153


def test_restated_by_a_late_event(events: list[ChainEvent]) -> None:
    """An indictment of 2021 admitted in July 2022 restates the second half of 2021, which was 153."""
    target = of_one(events, "2021H2")
    late = again(
        target, "late", "2022-07-20", chain="late", occurred_at=target.occurred_at + timedelta(days=1)
    )
    known = [*events, late]
    before = count(known, "2021H2", known_at=late.admitted_at - timedelta(days=1))
    found = restate(before, count(known, "2021H2"))
    assert (found.before.value, found.after.value) == (153, 154)
    assert [cause.event for cause in found.causes] == [late]
