"""Words on findings: who may say them, what they bring about, and that none is lost."""

from time import process_time
from typing import Any
from uuid import UUID

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.sight import seen_by
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.hearing import Announcement, Closing
from casebus_services.reconciler.rows import finding_row, found_before
from support.cases.chains import CHAIN, amount, at, event_id, say


class _Case:
    """A case in which regulator and police state different figures."""

    def __init__(self) -> None:
        self.book = ChainBook(CHAIN)
        self.said: list[Announcement] = []
        self.take(
            say("s", "referral.submitted", "2022-03-01T10:00", to=("mps",), amounts=[amount("loss", "1.00")]),
            say(
                "f",
                "progress.transferred_for_prosecution",
                "2022-03-02T10:00",
                agency="mps",
                to=("csrc", "spp"),
                amounts=[amount("loss", "3.00")],
            ),
        )

    def take(self, *events: ChainEvent) -> None:
        for event in events:
            self.said.extend(self.book.take(event))

    def word(
        self,
        agency: str,
        said: str,
        day: int,
        finding: UUID | None = None,
        to: tuple[str, ...] = (),
        text: str = "因口径不同",
    ) -> None:
        field = {"explained": "explanation", "assigned": "unit"}.get(said, "reasons")
        name = f"{agency}{said}{day}"
        about: dict[str, Any] = {"finding": finding or self.differ.id, field: text}
        self.take(say(name, f"finding.{said}", f"2022-03-{day:02}T10:00", agency=agency, to=to, **about))

    @property
    def differ(self) -> Finding:
        return next(found for found in self.book.findings.values() if found.rule == "R30")

    def state(self) -> str:
        """Where the difference stands now."""
        return self.differ.state

    @property
    def foreign(self) -> list[Finding]:
        return [found for found in self.book.findings.values() if found.rule == "R40"]


def test_b3_a_finding_is_accepted_once_all_whom_it_concerns_accept_it() -> None:
    """Until then it stays open and shows who did; who should correct it cannot settle it alone."""
    case = _Case()
    case.word("mps", "accepted", 3)
    assert (case.differ.state, [word.agency for word in case.differ.words]) == ("open", ["mps"])
    case.word("csrc", "accepted", 4)
    assert case.differ.state == "accepted"
    assert [(w.agency, w.said, w.at, w.text) for w in case.differ.words] == [
        ("mps", "accepted", at("2022-03-03T10:00"), "因口径不同"),
        ("csrc", "accepted", at("2022-03-04T10:00"), "因口径不同"),
    ]
    assert case.foreign == []


def test_b3_a_later_explanation_is_not_outranked_by_an_earlier_acceptance() -> None:
    """An agency's last word counts, by when the bus had it: a date of its own choosing changes nothing."""
    case = _Case()
    case.word("csrc", "accepted", 3)
    case.word("mps", "accepted", 4)
    case.word("mps", "explained", 5)
    assert case.differ.state == "explained"
    assert [(w.agency, w.said) for w in case.differ.words] == [("csrc", "accepted"), ("mps", "explained")]
    reopened = [
        one for one in case.said if one.kind == "finding.opened" and one.about[0].id == case.differ.id
    ]
    assert [one.to for one in reopened] == [("csrc", "mps")] * 2


def test_b3_a_strangers_word_has_no_effect_and_those_concerned_hear_of_it() -> None:
    """The court accepts what is no concern of its own: R40, once, to it and to regulator and police."""
    case = _Case()
    case.word("court", "accepted", 3)
    case.word("court", "accepted", 4)
    assert (case.differ.state, case.differ.words) == ("open", ())
    (found,) = case.foreign
    assert [found.rule, found.severity, found.state] == ["R40", "medium", "open"]
    assert "that does not concern it" in found.because.en
    heard = {agency for one in case.said for about in one.about if about.id == found.id for agency in one.to}
    assert heard == {"court", "csrc", "mps"}
    view = seen_by("csrc", found)
    assert view is not None
    assert "court" not in repr(view.to_json())


def test_b3_a_word_on_an_unknown_finding_has_no_effect_and_is_seen() -> None:
    """A mistyped id is not lost in silence: its speaker hears that the chain has no such finding."""
    case = _Case()
    case.word("mps", "explained", 3, finding=event_id("nothing"))
    (found,) = case.foreign
    assert "names a finding that this chain does not hold" in found.because.en
    assert [one.to for one in case.said if found.id in {about.id for about in one.about}] == [("mps",)]
    assert case.differ.words == ()


def test_new_a_guessed_finding_gets_the_same_answer_as_a_made_up_one() -> None:
    """Who is no concern of a finding learns nothing from trying its id: same words, same addressees."""
    case = _Case()
    case.word("court", "accepted", 3, to=("mps",))
    case.word("court", "accepted", 4, to=("mps",), finding=event_id("nothing"))
    guessed, made_up = case.foreign
    assert (guessed.because, guessed.told, guessed.severity) == (
        made_up.because,
        made_up.told,
        made_up.severity,
    )
    heard = [
        one.to
        for found in (guessed, made_up)
        for one in case.said
        if found.id in {about.id for about in one.about} and "court" in one.to
    ]
    assert heard == [("court", "mps")] * 2


def test_b3_what_is_said_is_shown_to_those_who_were_told_of_the_word() -> None:
    """Who spoke, how and when all concerned see; the text only who was told of it."""
    case = _Case()
    case.word("mps", "explained", 3, to=("spp",), text="不便说明")
    kept = found_before((finding_row(case.differ)[7],))
    own, other = seen_by("mps", kept), seen_by("csrc", kept)
    assert own is not None
    assert other is not None
    assert [(word.agency, word.said, word.text) for word in own.words] == [("mps", "explained", "不便说明")]
    assert [(word.agency, word.said, word.text) for word in other.words] == [("mps", "explained", None)]


def test_b3_what_was_accepted_is_open_again_when_the_facts_change() -> None:
    """An acceptance covers the difference that was there; another figure opens the finding again."""
    case = _Case()
    case.word("mps", "accepted", 3)
    case.word("csrc", "accepted", 4)
    changed = say(
        "c",
        "progress.corrected",
        "2022-03-05T10:00",
        agency="mps",
        to=("csrc", "spp"),
        corrects="f",
        amounts=[amount("loss", "5.00")],
    )
    case.take(changed)
    assert (case.differ.state, case.differ.words) == ("open", ())
    assert "5.00" in case.differ.because.en


def test_b3_an_acceptance_that_came_before_the_finding_does_not_count() -> None:
    """The ids of findings can be foreseen: what is said to one that is not there yet is said to nothing."""
    known = _Case().differ.id
    book = ChainBook(CHAIN)
    first = say("s", "referral.submitted", "2022-03-01T10:00", to=("mps",), amounts=[amount("loss", "1.00")])
    early = say("e", "finding.accepted", "2022-03-01T12:00", agency="mps", finding=known, reasons="-")
    for event in (first, early):
        book.take(event)
    assert [found.rule for found in book.findings.values()] == ["R40"]


def test_b3_findings_made_at_arrival_are_answered_too() -> None:
    """A word on an R40 of the words themselves is kept with it, also when the book is read anew."""
    case = _Case()
    case.word("court", "accepted", 3)
    (found,) = case.foreign
    case.word("csrc", "explained", 4, finding=found.id)
    (answered,) = case.foreign
    assert (answered.state, [word.agency for word in answered.words]) == ("explained", ["csrc"])
    kept = found_before((finding_row(answered)[7],))
    again = ChainBook(CHAIN, case.book.folded, at("2022-03-04T10:00"), {}, {kept.id: kept})
    again.take(say("w", "finding.accepted", "2022-03-06T10:00", agency="csrc", finding=found.id, reasons="-"))
    assert [word.said for word in again.findings[found.id].words] == ["accepted"]


def test_new_words_on_nothing_cost_the_same_however_much_was_said() -> None:
    """Neither earlier words nor figures that were published here are looked through for each of them."""
    book = ChainBook(CHAIN)
    figures = [{"ref": f"F{number}"} for number in range(3000)]
    book.take(say("p", "publication.statistic_published", "2022-03-01T10:00", to=("mps",), figures=figures))
    began = process_time()
    for number in range(1000):
        speaker = ("csrc", "spp")[number % 2]
        when, about = f"2022-03-02T{number // 60:02}:{number % 60:02}", event_id(f"nothing {number}")
        book.take(say(str(number), "finding.explained", when, agency=speaker, finding=about, explanation="?"))
    assert process_time() - began < 5
    accused = {finding.accounts[0].agency for finding in book.findings.values() if finding.rule == "R40"}
    assert accused == {"spp"}, "who was told of no figure"


# --- closed by the agencies, and opened again -------------------------------------------------------------


def _told(case: _Case, kind: str) -> list[str]:
    """Who heard of it, each as often as it did; who was not told of the last word hears it apart."""
    said = [one for one in case.said if one.kind == kind and one.about[0].id == case.differ.id]
    return sorted(agency for one in said for agency in one.to)


def test_a_finding_is_closed_once_all_agree_and_one_settles_it() -> None:
    """One alone closes nothing, whoever he is; all who heard of it hear that it is closed, and why."""
    case = _Case()
    case.word("mps", "settled", 3)
    assert case.state() == "open"
    case.word("csrc", "accepted", 4)
    assert case.state() == "closed"
    assert _told(case, "finding.closed") == ["csrc", "mps"]
    closings = [about for one in case.said if one.kind == "finding.closed" for about in one.about]
    assert len(closings) == 2
    for closing in closings:
        assert isinstance(closing, Closing)
        assert "have agreed to close it" in closing.because.en
    assert case.foreign == []


def test_whoever_it_concerns_opens_it_again_and_all_hear_of_it() -> None:
    """The last word counts: closed by both, opened by one, and closed once more when he agrees."""
    case = _Case()
    case.word("mps", "settled", 3)
    case.word("csrc", "settled", 4)
    case.word("mps", "reopened", 5)
    assert case.state() == "open"
    assert _told(case, "finding.opened") == ["csrc", "csrc", "mps", "mps"]
    case.word("mps", "settled", 6)
    assert case.state() == "closed"
    assert _told(case, "finding.closed") == ["csrc", "csrc", "mps", "mps"]


def test_new_facts_open_what_the_agencies_had_closed() -> None:
    """What they agreed on was another figure: their words were about that one."""
    case = _Case()
    case.word("mps", "settled", 3)
    case.word("csrc", "settled", 4)
    facts: dict[str, Any] = {"amounts": [amount("loss", "4.00")], "corrects": "f", "to": ("csrc", "spp")}
    case.take(say("k", "progress.corrected", "2022-03-05T10:00", agency="mps", **facts))
    assert (case.differ.state, case.differ.words) == ("open", ())
    assert _told(case, "finding.opened") == ["csrc", "csrc", "mps", "mps"]


def test_who_handles_it_is_shown_and_answers_nothing() -> None:
    """The unit stands beside the agency's answer, whichever is said first."""
    case = _Case()
    case.word("mps", "explained", 3)
    case.word("mps", "assigned", 4, text="经侦三支队")
    case.word("csrc", "assigned", 5, text="稽查二处")
    assert case.state() == "explained"
    assert [(w.agency, w.said, w.text) for w in case.differ.words] == [
        ("mps", "explained", "因口径不同"),
        ("mps", "assigned", "经侦三支队"),
        ("csrc", "assigned", "稽查二处"),
    ]


def test_a_correction_that_does_not_mend_it_leaves_it_explained() -> None:
    """Whether it agrees now says the bus, not the agency."""
    case = _Case()
    case.word("mps", "corrected", 3)
    assert case.state() == "explained"


def test_a_stranger_neither_closes_nor_opens_nor_is_assigned() -> None:
    """The court's words on what does not concern it have no effect, and are seen (R40)."""
    for said in ("settled", "reopened", "assigned", "corrected"):
        case = _Case()
        case.word("court", said, 3)
        assert (case.differ.state, case.differ.words) == ("open", ())
        assert [found.rule for found in case.foreign] == ["R40"]
