"""Who counts once: identities, what is done to indictments, other measures, any order of events."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.statistics.restatements import restate
from support.cases.chains import charges, digest, say, suspects
from support.cases.made_up import made_up
from support.cases.statistics_chains import again, correction, count, withdrawal


def prosecuted(name: str, when: str, *names: str, article: str = "182", **more: Any) -> ChainEvent:
    """An indictment of persons known by name."""
    people = more.pop("people", None) or suspects(*names)
    charged = charges(*((person["ref"], article) for person in people))
    kind = more.pop("type", "outcome.prosecuted")
    return say(name, kind, when, agency="spp", suspects=people, charges=charged, security=None, **more)


def nameless(*refs: str, tokens: tuple[bytes, ...] = ()) -> list[dict[str, Any]]:
    """Suspects with nothing but a reference, or with tokens."""
    return [
        {"ref": ref, "kind": "natural", "name": None, "role": None, "tokens": list(tokens)} for ref in refs
    ]


def test_one_person_in_two_indictments_counts_once_on_the_first_day() -> None:
    """A supplementary indictment of the same person adds nobody and moves nobody to its own year."""
    events = [prosecuted("first", "2021-12-30", "甲", "乙"), prosecuted("more", "2022-02-01", "乙", "丙")]
    assert [count(events, year).value for year in ("2021", "2022")] == [2, 1]


def test_one_person_in_two_chains_counts_in_each_and_is_noted() -> None:
    """A person prosecuted in two matters counts in both; shared tokens say so beside the figure."""
    token = digest("somebody")
    events = [
        prosecuted("a", "2021-03-01", people=nameless("S1", tokens=(token,)), chain="a"),
        prosecuted("b", "2021-04-01", people=nameless("S1", tokens=(token,)), chain="b"),
    ]
    figure = count(events, "2021")
    assert figure.value == 2
    assert [note.events for note in figure.notes if note.events] == [
        tuple(sorted(event.digest for event in events))
    ]


def test_tokens_decide_before_names() -> None:
    """Two of one name with different tokens are two persons; shared tokens make one of two names."""
    one, other, link = digest("t1"), digest("t2"), digest("t3")

    def named(name: str, *tokens: bytes) -> list[dict[str, Any]]:
        return suspects(name, tokens={name: tokens})

    two = [
        prosecuted("a", "2021-03-01", people=named("王某", one)),
        prosecuted("b", "2021-03-02", people=named("王某", other)),
    ]
    assert count(two, "2021").value == 2
    assert (
        count([*two, prosecuted("c", "2021-03-03", people=named("王某某", one, link, other))], "2021").value
        == 1
    )
    assert count([*two, prosecuted("d", "2021-03-03", "王某")], "2021").value == 2


def test_without_name_and_token_the_reference_decides() -> None:
    """Suspects with nothing but their reference in the chain are told apart by it."""
    events = [
        prosecuted("a", "2021-03-01", people=nameless("S1", "S2")),
        prosecuted("b", "2021-05-01", people=nameless("S2", "S3")),
    ]
    assert count(events, "2021").value == 3


def test_legal_persons_are_no_persons_of_this_unit() -> None:
    """A company in an indictment is not counted among persons."""
    company = [{**nameless("S2")[0], "kind": "legal"}]
    assert count([prosecuted("a", "2021-03-01", people=[*nameless("S1"), *company])], "2021").value == 1


def test_the_day_is_that_of_beijing() -> None:
    """An indictment at one in the morning of 1 January in Beijing belongs to the new year."""
    events = [prosecuted("a", "2022-01-01T01:00", "甲")]
    assert [count(events, year).value for year in ("2021", "2022")] == [0, 1]


@pytest.mark.parametrize("listed", [("甲",), ()])
def test_a_withdrawn_indictment_subtracts(listed: tuple[str, ...]) -> None:
    """An indictment withdrawn later takes its persons out of their period, and is the cause."""
    events = [prosecuted("a", "2021-11-01", "甲"), prosecuted("other", "2021-11-02", "乙")]
    back = say(
        "back",
        "outcome.indictment_withdrawn",
        "2022-03-01",
        agency="spp",
        replies="a",
        suspects=suspects(*listed),
        charges=[],
    )
    before, after = count(events, "2021"), count([*events, back], "2021")
    assert (before.value, after.value, count([*events, back], "2022").value) == (2, 1, 0)
    found = restate(before, after)
    assert [(cause.event, cause.role) for cause in found.causes] == [(back, "takes back")]


def test_prosecuted_anew_counts_on_the_new_day() -> None:
    """Whoever is indicted again after a withdrawal counts in the period of the new indictment."""
    back = say(
        "back",
        "outcome.indictment_withdrawn",
        "2022-01-10",
        agency="spp",
        suspects=suspects("甲"),
        charges=[],
    )
    events = [prosecuted("a", "2021-11-01", "甲"), back, prosecuted("b", "2022-06-01", "甲")]
    assert [count(events, year).value for year in ("2021", "2022")] == [0, 1]


def test_a_changed_indictment_changes_the_scope_not_the_day() -> None:
    """Changed charges decide whether a person is in scope; the period stays that of the first indictment."""
    changed = prosecuted("b", "2022-02-01", "甲", article="191", type="outcome.indictment_changed")
    events = [prosecuted("a", "2021-11-01", "甲"), changed]
    assert count(events, "2021").value == 0
    assert [count(events, year, scope="191").value for year in ("2021", "2022")] == [1, 0]


def test_a_correction_by_another_agency_has_no_effect() -> None:
    """What another agency says to an indictment neither counts nor takes away, and is noted."""
    target = prosecuted("a", "2021-11-01", "甲")
    foreign = again(correction(target, "foreign", suspects=suspects("甲", "乙")), "foreign", agency="mps")
    figure = count([target, foreign], "2021")
    assert figure.value == 1
    assert foreign.digest in {digest for note in figure.notes for digest in note.events}


def test_rival_corrections_have_no_effect() -> None:
    """Of two corrections of one indictment neither counts until one is withdrawn."""
    target = prosecuted("a", "2021-11-01", "甲")
    more = correction(
        target, "more", suspects=suspects("甲", "乙"), charges=charges(("S1", "182"), ("S2", "182"))
    )
    other = correction(target, "other", suspects=suspects("丙"), charges=charges(("S1", "161")))
    assert count([target, more, other], "2021").value == 1
    assert count([target, more, other, withdrawal(other, "not so")], "2021").value == 2


def test_a_correction_of_an_unknown_event_counts_for_nothing() -> None:
    """A correction alone is no indictment: what it corrects is missing, and the figure says so."""
    lonely = correction(prosecuted("a", "2021-11-01", "甲"), "lonely")
    figure = count(
        [prosecuted("b", "2021-11-02", "乙"), again(lonely, "lonely", type="outcome.prosecuted")], "2021"
    )
    assert figure.value == 1
    assert figure.notes


def test_cases_are_chains() -> None:
    """Two indictments in one matter are one case of two persons."""
    events = [
        prosecuted("a", "2021-11-01", "甲"),
        prosecuted("b", "2021-12-01", "乙"),
        prosecuted("c", "2021-12-01", "丙", chain="other"),
    ]
    figure = count(events, "2021", measure="cases_prosecuted")
    assert (figure.value, figure.measure.unit.label.zh) == (2, "件")
    assert sum(source.adds for source in figure.sources) == 2


def test_a_cohort_follows_its_cases_to_their_end() -> None:
    """By referral, cases count in the period in which they were referred, whenever they were prosecuted."""
    events = []
    for name, referred, indicted in (("a", "2020-05-01", "2021-03-01"), ("b", "2021-02-01", "2022-03-01")):
        events.append(
            say(f"{name}1", "referral.submitted", referred, chain=name, charges=charges(("S1", "182")))
        )
        events.append(prosecuted(f"{name}2", indicted, "甲", chain=name))
    events.append(prosecuted("c2", "2021-07-01", "乙", chain="c"))
    own = count(events, "2021", measure="cases_prosecuted")
    followed = count(events, "2021", measure="cases_prosecuted", cohort_by="cases_referred")
    assert (sorted(own.units), sorted(followed.units)) == (["a", "c"], ["b"])


def _history(draw: Callable[..., Any]) -> list[ChainEvent]:
    """Indictments of few persons in few chains, with repeats, corrections, withdrawals and changes."""
    said: list[ChainEvent] = []
    for number in range(draw(st.integers(1, 7))):
        name = f"e{number}"
        day = f"2021-{draw(st.integers(1, 3)):02}-01"
        names = draw(st.lists(st.sampled_from("甲乙丙"), unique=True, max_size=2))
        article = draw(st.sampled_from(["182", "191"]))
        kind = draw(st.sampled_from(["new", "new", "again", "correct", "withdraw", "change", "back"]))
        earlier = draw(st.sampled_from(said)) if said else None
        if earlier is None or kind == "new":
            chain = draw(st.sampled_from(["one", "two"]))
            said.append(prosecuted(name, day, *names, article=article, chain=chain))
        elif kind == "again":
            said.append(again(earlier, name, draw(st.sampled_from([None, "2022-01-01"]))))
        elif kind == "correct":
            charged = charges(*((f"S{n + 1}", article) for n in range(len(names))))
            said.append(correction(earlier, name, day, suspects=suspects(*names), charges=charged))
        elif kind == "withdraw":
            said.append(withdrawal(earlier, name, day))
        else:
            type = "outcome.indictment_changed" if kind == "change" else "outcome.indictment_withdrawn"
            said.append(prosecuted(name, day, *names, article=article, type=type, chain=earlier.chain))
    return said


histories = st.composite(_history)()


@pytest.mark.thorough
@settings(max_examples=made_up(200), deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(said: list[ChainEvent], random: Any) -> None:
    """Any order and any repetition of the same events give the same figure, version and lineage."""
    mixed = [*said, *random.choices(said, k=3)]
    random.shuffle(mixed)
    for period in ("2021", "2021-02"):
        one, other = count(said, period), count(mixed, period)
        assert (one.value, one.version, one.to_json(lineage=True)) == (
            other.value,
            other.version,
            other.to_json(lineage=True),
        )


@pytest.mark.thorough
@settings(max_examples=made_up(200), deadline=None)
@given(histories)
def test_months_add_up_to_the_quarter(said: list[ChainEvent]) -> None:
    """Periods that follow each other add up to the whole, and each lineage to its figure."""
    months = [count(said, month) for month in ("2021-01", "2021-02", "2021-03")]
    whole = count(said, "2021Q1")
    assert sum(month.value for month in months) == whole.value
    for figure in (*months, whole):
        assert sum(source.adds for source in figure.sources) == figure.value


@pytest.mark.thorough
@settings(max_examples=made_up(200), deadline=None)
@given(histories, st.integers(0, 7))
def test_a_changed_figure_has_a_cause(said: list[ChainEvent], cut: int) -> None:
    """Whenever more events make another figure, some of the new ones are named as the cause."""
    before, after = count(said[:cut], "2021"), count(said, "2021")
    found = restate(before, after)
    if found.changed:
        assert found.causes
    assert {cause.event for cause in found.causes} <= set(said[cut:])


def test_new_persons_and_corrections_do_not_multiply() -> None:
    """An indictment of very many, corrected very often, is counted as fast as what it says is long."""
    people = suspects(*(f"被告{number}" for number in range(300)))
    events = [prosecuted("first", "2021-12-30", people=people)]
    for number in range(1500):
        when = f"2022-01-{number % 28 + 1:02}T{number // 100:02}:{number % 60:02}"
        events.append(correction(events[-1], f"c{number}", when, suspects=[], charges=[]))
    began = time.process_time()
    figure = count(events)
    assert (figure.value, len(figure.sources)) == (300, 1501)
    assert time.process_time() - began < 3
