"""Who hears what: nothing of an event reaches an agency that was not told of it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_schemas.case import obligations
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.parties import Party
from casebus_services.reconciler.announced_data import data_of
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement, Closing
from support.cases.chains import CHAIN, amount, at, charges, results, say, suspects

FULL = ("csrc", "mps", "spp")


@pytest.fixture(autouse=True)
def nobody_need_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence after a referral is another matter: here no receipt is owed."""

    def owes(debtor: Party, duty: tuple[str, ...]) -> bool:
        return duty[0] != "referral.receipted"

    monkeypatch.setattr(obligations, "_may_say", owes)


def _said(events: Iterable[ChainEvent], until: str = "2022-03-20") -> list[Announcement]:
    """What the bus announces of these events, taken in their order, and of the time to a day."""
    book = ChainBook(CHAIN)
    said = [one for event in events for one in book.take(event)]
    return said + book.advance(at(until))


def _words(said: Iterable[Announcement], agency: str) -> str:
    """Every word that an agency hears, as the wire has it."""
    return "\n".join(
        repr(data_of(about)) + repr(one.law)
        for one in said
        for about in one.about
        if agency in {name.partition("/")[0] for name in one.to}
    )


def _levelled(event: ChainEvent, level: str) -> ChainEvent:
    return replace(event, envelope={**event.envelope, "handling": level})


def _referral(name: str = "甲某") -> ChainEvent:
    return say(
        "s",
        "referral.submitted",
        "2022-03-01T10:00",
        to=("mps",),
        suspects=suspects(name),
        charges=charges(("S1", "182")),
        amounts=[amount("illegal_gain", "1234567.00")],
    )


def _secret(*names: str, value: str = "7654321.00", to: tuple[str, ...] = ("spp",)) -> ChainEvent:
    """What the police tell the procuratorate only, at the highest level."""
    said = say(
        "x",
        "progress.transferred_for_prosecution",
        "2022-03-05T10:00",
        agency="mps",
        to=to,
        suspects=suspects(*names),
        charges=[],
        amounts=[amount("illegal_gain", value)],
    )
    return _levelled(said, "H3")


def test_b5_an_account_is_shown_only_to_who_was_told_of_its_event() -> None:
    """The regulator hears that another account differs from its own; neither whose it is nor what it says."""
    said = _said([_referral(), _secret("乙某", "丙某")])
    heard = [one for one in said if "csrc" in one.to and one.kind == "finding.opened"]
    assert sorted(found.rule for one in heard for found in one.about if not isinstance(found, Closing)) == [
        "R30",
        "R31",
    ]
    words = _words(heard, "csrc")
    assert "an account of another agency" in words
    assert "另一机关的陈述" in words
    for secret in ("乙某", "丙某", "7654321", "7,654,321", "mps", "公安", "H3"):
        assert secret not in words
    # Its own account it sees, as it gave it.
    assert "甲某" in words
    assert "1234567.00" in words
    told = _words(said, "mps")
    assert "乙某" in told
    assert "1,234,567.00" in told


def test_b5_what_the_bus_says_is_handled_as_the_highest_of_its_causes() -> None:
    """A finding that rests on an event of level H3 is H3, one on public ones H0; a duty is as its start."""
    secret = [one for one in _said([_referral(), _secret("乙某")]) if one.kind == "finding.opened"]
    assert {one.handling for one in secret} == {"H3"}
    public = [_levelled(_referral(), "H0"), _levelled(_secret("乙某", to=("spp", "csrc")), "H0")]
    assert {one.handling for one in _said(public) if one.kind == "finding.opened"} == {"H0"}
    asked = _levelled(say("q", "consultation.requested", "2022-03-01T10:00", to=("mps",)), "H2")
    assert {one.handling for one in _said([asked])} == {"H2"}


@pytest.mark.parametrize(("names", "value"), [(("甲某",), "1234567.00"), (("丁某", "戊某"), "123.00")])
def test_b5_fishing_gets_the_same_answer_whether_the_guess_is_right_or_wrong(
    names: tuple[str, ...], value: str
) -> None:
    """Whoever states an account after one that it never saw hears nothing of how they compare."""
    hidden = say(
        "h",
        "referral.filed",
        "2022-03-03T10:00",
        agency="mps",
        to=("spp",),
        suspects=suspects("甲某"),
        charges=[],
        amounts=[amount("illegal_gain", "1234567.00")],
    )
    opened = say("s", "administrative.case_opened", "2022-03-01T10:00", to=("mps", "spp"), suspects=[])
    guess = _levelled(
        say(
            "g",
            "referral.submitted",
            "2022-03-05T10:00",
            to=("mps", "spp"),
            suspects=suspects(*names),
            charges=[],
            amounts=[amount("illegal_gain", value)],
        ),
        "H3",
    )
    other = say(
        "c",
        "referral.corrected",
        "2022-03-06T10:00",
        to=("mps",),
        corrects="g",
        suspects=suspects("甲某"),
        charges=[],
        amounts=[amount("illegal_gain", "1234567.00")],
    )
    said = _said([opened, hidden, guess, other])
    assert [one for one in said if "csrc" in one.to and one.kind.startswith("finding.")] == []
    right = {one.kind for one in said if "spp" in one.to or "mps" in one.to}
    assert ("finding.opened" in right) == (value != "1234567.00")


def test_new_the_id_of_a_finding_names_no_article_to_who_was_not_told() -> None:
    """R39 of the same article in another indictment has another id: nobody can try articles."""
    judged = say(
        "j",
        "outcome.judgment",
        "2022-03-02T10:00",
        agency="court",
        to=("spp",),
        suspects=suspects("甲某"),
        results=results(("S1", "180")),
    )
    ids = []
    for name in ("p", "x"):
        charged = say(
            name,
            "outcome.prosecuted",
            "2022-03-03T10:00",
            agency="spp",
            to=("mps",),
            suspects=suspects("甲某"),
            charges=charges(("S1", "182")),
        )
        said = _said([judged, charged])
        ids.append({about.id for one in said if "court" in one.to for about in one.about})
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])


def test_new_who_was_not_told_of_what_closed_a_finding_hears_only_that_it_is_closed() -> None:
    """The police correct their figure before the procuratorate only: the regulator gets no digest of that."""
    both = replace(_secret("甲某"), told=frozenset({"csrc", "spp"}))
    mended = say(
        "c",
        "progress.corrected",
        "2022-03-06T10:00",
        agency="mps",
        to=("spp",),
        corrects="x",
        amounts=[amount("illegal_gain", "1234567.00")],
    )
    closed = [one for one in _said([_referral(), both, mended]) if one.kind == "finding.closed"]
    causes = {
        name: about.cause
        for one in closed
        for name in one.to
        for about in one.about
        if isinstance(about, Closing)
    }
    assert causes == {"csrc": None, "mps": mended.digest}


def test_b5_a_duty_is_told_to_those_who_were_told_of_its_start() -> None:
    """A filing that only the procuratorate was told of starts no word to the regulator, early or late."""
    filed = say("f", "referral.filed", "2022-03-05T10:00", agency="mps", to=("spp",), suspects=[], charges=[])
    said = _said([_referral(), filed])
    assert [one for one in said if "csrc" in one.to] == []
    told = [replace(filed, told=frozenset({"spp", "csrc"}))]
    assert "DL10" in _words(_said([_referral(), *told]), "csrc")


def test_b5_who_is_owed_hears_that_it_was_answered_but_not_by_what() -> None:
    """An answer that only another agency was told of shows its state to whom it is owed, not its time."""
    asked = say("q", "consultation.requested", "2022-03-01T10:00", to=("mps",))
    answer = say("a", "consultation.answered", "2022-03-03T10:00", agency="mps", to=("spp",), replies="q")
    (last,) = [one for one in _said([asked, answer]) if "csrc" in one.to][-1:]
    (duty,) = last.about
    assert data_of(duty)["state"] == "met"
    assert data_of(duty)["met"] is None


@st.composite
def _told_at_random(draw: st.DrawFn) -> list[ChainEvent]:
    """Events of one chain whose every fact is their own, each told to whom it may be."""
    types = [
        ("csrc", "referral.submitted"),
        ("mps", "referral.filed"),
        ("mps", "progress.transferred_for_prosecution"),
        ("spp", "outcome.prosecuted"),
        ("court", "outcome.judgment"),
        ("csrc", "consultation.requested"),
        ("mps", "consultation.answered"),
        ("csrc", "referral.corrected"),
        ("mps", "progress.corrected"),
    ]
    events: list[ChainEvent] = []
    for number in range(draw(st.integers(2, 6))):
        agency, type = draw(st.sampled_from(types))
        told = draw(st.sets(st.sampled_from([name for name in (*FULL, "court") if name != agency])))
        own = [other for other in range(number) if events[other].agency == agency]
        corrects = str(draw(st.sampled_from(own))) if own and type.endswith("corrected") else None
        token = (draw(st.sampled_from((b"1", b"2"))),) if draw(st.booleans()) else ()
        events.append(
            say(
                str(number),
                type,
                f"2022-03-{number + 1:02}T10:00",
                agency=agency,
                to=tuple(sorted(told)),
                told=tuple(sorted(told)),
                replies=str(draw(st.integers(0, number - 1))) if number and draw(st.booleans()) else None,
                corrects=corrects,
                suspects=suspects(f"某{number}号", tokens={f"某{number}号": token}),
                charges=charges(("S1", "182")),
                results=[],
                amounts=[amount("illegal_gain", f"{8000001 + number}.00")],
            )
        )
    return events


@settings(max_examples=150, deadline=None)
@given(_told_at_random())
def test_b5_no_announcement_holds_a_name_or_amount_of_an_event_not_told_of(events: list[ChainEvent]) -> None:
    """Whatever is told to whom, names and figures reach nobody whom their event did not."""
    said = _said(events)
    for agency in (*FULL, "court"):
        words = _words(said, agency)
        for number, event in enumerate(events):
            if agency not in event.audience:
                assert f"某{number}号" not in words
                assert f"{8000001 + number}" not in words
                assert f"{8000001 + number:,}" not in words


def test_b5_a_stranger_to_the_chain_speaks_without_effect_until_a_party_addresses_him() -> None:
    """The court's guess is compared with nothing and is R40; once a party tells the court, it is."""
    guess = say(
        "g",
        "outcome.judgment",
        "2022-03-02T10:00",
        agency="court",
        told=(),
        suspects=suspects("乙某"),
        results=[],
        amounts=[amount("illegal_gain", "1.00")],
    )
    book = ChainBook(CHAIN)
    said = [one for event in (_referral(), guess) for one in book.take(event)]
    assert {found.rule for found in book.findings.values()} == {"R40"}
    assert book.meaning.accounts["agencies"].keys() == {"csrc"}
    words = _words(said, "court")
    assert "R40" in words
    for secret in ("甲某", "1234567", "csrc", "mps"):
        assert secret not in words
    book.take(say("q", "consultation.requested", "2022-03-03T10:00", to=("court",)))
    assert book.meaning.accounts["agencies"].keys() == {"csrc", "court"}
    assert {(found.rule, found.state) for found in book.findings.values()} == {
        ("R40", "closed"),
        ("R30", "open"),
    }
