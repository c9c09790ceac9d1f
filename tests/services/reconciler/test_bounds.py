"""What one chain may cost: time, events, memory, and the size of what is said about it."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from casebus_schemas.case import persons, shares
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.fold import Folded, fold
from casebus_schemas.case.persons import Entry, Person, identify
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules import reconcile
from casebus_schemas.rules.chain import r09
from casebus_services.reconciler import processor_time
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.announce import said
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.intake import Budget
from casebus_services.reconciler.rebuild import rebuild
from casebus_services.reconciler.shelf import MAX_CACHED_BYTES, Shelf
from support.cases.chains import CHAIN, amount, at, charges, results, say, suspects
from support.cases.long_chains import ANEW, chain_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at, ms

MIB = 1024 * 1024
TEXT = "嫌" * 4000
"""The longest text that a field may hold, in characters of three bytes."""


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database."""
    return Desk(database)


def _words(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT id FROM recon_outbox ORDER BY id")


def test_a7_a_transaction_over_its_time_is_committed_early(desk: Desk, tmp_path: Any) -> None:
    """What is left goes into the next one: the same is entered and said, in more transactions."""
    other = Database(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    free = Desk(other)
    for each in (desk, free):
        for number in range(1, 5):
            each.play(number)
    hurried = desk.new_agent(budget=Budget(transaction_s=-1.0))
    hurried.handle(desk.admitter.batches())
    free.agent.handle(free.admitter.batches())
    assert desk.rows("SELECT max(revision) FROM recon_partition")[0][0] > 4
    for query in (
        "SELECT partition, next_offset FROM recon_partition ORDER BY partition",
        "SELECT chain, status, events, hash FROM recon_chain ORDER BY chain",
        "SELECT bus_partition, bus_offset FROM recon_admission ORDER BY 1, 2",
    ):
        assert desk.rows(query) == free.rows(query)
    assert _words(desk) == _words(free)
    assert rebuild(desk.database, Catalog.load()).ok
    other.close()


def test_a7_a_chain_over_its_budget_is_set_aside(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes too much processor time is no longer computed; the others are."""
    spent = [0.0]
    take = ChainBook.take

    def slow(of: ChainBook, event: ChainEvent) -> Any:
        spent[0] += 6.0 if of.chain == chain(1) else 0.001
        return take(of, event)

    monkeypatch.setattr(ChainBook, "take", slow)
    for clock in ("thread_time", "perf_counter"):
        monkeypatch.setattr(processor_time, clock, lambda: spent[0])
    desk.play(1)
    desk.play(2)
    desk.new_agent(budget=Budget(chain_s=10.0)).handle(desk.admitter.batches())
    ((held, reason),) = desk.rows("SELECT chain, reason FROM recon_set_aside")
    assert (held, reason.split(" ")[0]) == (chain(1), "OverBudget")
    assert desk.rows("SELECT chain, events FROM recon_chain") == [(chain(2), 3)]
    assert desk.rows("SELECT count(*) FROM recon_event") == [(6,)]


@pytest.mark.parametrize("by", ["events", "bytes"])
def test_a7_a_chain_is_computed_up_to_a_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """What comes behind is kept only, its agencies hear of it once, and a repeat of it is still a repeat."""
    desk.play()
    if by == "events":
        monkeypatch.setattr(shares, "MOST_EVENTS", 3)
    else:
        monkeypatch.setattr(shares, "MOST_BYTES", 500)
    late = [desk.refer(f"2022-10-{day:02d}") for day in range(8, 12)]
    for event in (*late, late[-1]):
        desk.admitter.admit(event)
    desk.agent.handle(desk.admitter.batches())
    desk.admitter.admit(late[-1])
    desk.new_agent().handle(desk.admitter.batches())
    ((count,),) = desk.rows("SELECT events FROM recon_chain")
    assert count == 5 if by == "events" else 0 < count < 7, count
    assert desk.rows("SELECT count(*) FROM recon_event") == [(7,)]
    found = dict(desk.rows("SELECT rule, count(*) FROM recon_finding GROUP BY rule"))
    assert (found["R09"], found["R03"]) == (1, 1)
    assert desk.rows("SELECT 1 FROM recon_set_aside") == []
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_new_nobody_uses_up_the_share_of_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside one that fills a chain an honest receipt starts its duty, and a new worker sees the same."""
    monkeypatch.setattr(shares, "MOST_EVENTS", 4)
    referral = desk.refer()
    desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))
    for day in range(1, 9):
        data = {"envelope": envelope_at(f"2022-10-{day:02d}", to=["csrc"]), "question": f"again {day}"}
        desk.admitter.admit(desk.admitter.speaker("spp").say("consultation.requested", data, chain(1)))
    desk.agent.handle(desk.admitter.batches())
    facts: dict[str, Any] = {"received_at": at("2022-10-09T10:00"), "competent": True, "complete": True}
    honest = desk.answer(referral, "2022-10-09T10:00", "referral.receipted", **facts)
    desk.admitter.admit(honest, at_ms=ms("2022-10-09T10:01"))
    desk.new_agent().handle(desk.admitter.batches())
    duties = dict(desk.rows("SELECT rule, count(*) FROM recon_obligation GROUP BY rule"))
    assert "DL06" in duties
    assert desk.rows("SELECT events FROM recon_chain") == [(6,)]  # two of the others, four of the one
    assert desk.rows("SELECT count(*) FROM recon_finding WHERE rule = 'R09'") == [(1,)]
    assert rebuild(desk.database, Catalog.load()).differences == ()


@pytest.mark.parametrize("kind", ANEW)
def test_a7_how_often_an_agency_has_a_chain_folded_anew_is_limited(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By dates, corrections, circles of its own: the rest is only kept, R09 names it, others are computed."""
    folded = [0]

    def counted(events: Iterable[ChainEvent]) -> Folded:
        listed = list(events)
        folded[0] += len(listed)
        return fold(listed)

    monkeypatch.setattr(reconcile, "fold", counted)
    monkeypatch.setattr(shares, "MOST_WORK", 500)
    monkeypatch.setattr(shares, "WORK_AN_EVENT", 2)
    book = ChainBook(CHAIN)
    for event in chain_of(kind, 200):
        book.take(event)
    computed = len(book.folded.order)
    assert folded[0] <= 500 + 2 * 200 + 2 * computed
    assert computed < 100
    assert [found.subject for found in book.findings.values() if found.rule == "R09"] == ["too long\ncsrc"]
    other = say("other", "clue.submitted", "2022-02-03", agency="spp")
    book.take(other)
    assert book.folded.order[-1] == other


def test_new_nobody_has_the_share_of_another_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fills the chain with later dates makes the days of the others earlier, and not their limit."""
    monkeypatch.setattr(shares, "MOST_WORK", 200)
    monkeypatch.setattr(shares, "WORK_AN_EVENT", 0)
    book = ChainBook(CHAIN)
    for minute in range(40):
        book.take(say(f"later {minute}", "clue.submitted", f"2022-03-02T10:{minute:02}", agency="spp"))
    for number in range(15):
        book.take(
            say(f"honest {number}", "clue.submitted", "2022-03-02", admitted="2022-03-02T11:00", no=number)
        )
    assert len(book.folded.order) == 55
    assert [found for found in book.findings.values() if found.rule == "R09"] == []


def test_a7_how_often_suspects_are_looked_at_anew_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agency whose papers make ever others of those whom they name has its share of that too."""
    looked = [0]

    def counted(entries: Iterable[Entry]) -> dict[Entry, Person]:
        listed = list(entries)
        looked[0] += len(listed)
        return identify(listed)

    monkeypatch.setattr(persons, "identify", counted)
    monkeypatch.setattr(shares, "MOST_WORK", 500)
    monkeypatch.setattr(shares, "WORK_AN_EVENT", 2)
    book = ChainBook(CHAIN)
    for event in chain_of("two_kinds", 400):
        book.take(event)
    assert 0 < len(book.folded.order) < 200
    assert looked[0] < 30_000
    assert "R09" in {found.rule for found in book.findings.values()}


def test_a8_books_are_kept_by_their_size() -> None:
    """A few chains of large events leave memory as many small ones do; the last used one stays."""
    shelf = Shelf()
    for number in range(1, 9):
        kept = ChainBook(chain(number))
        kept.bytes = MAX_CACHED_BYTES // 60
        shelf.put(0, kept)
        shelf.written(())
    left = [number for number in range(1, 9) if shelf.find(chain(number))]
    assert left == [6, 7, 8]


def _worst() -> Iterator[ChainEvent]:
    """Two agencies that list 500 suspects each, all with the longest names, and differ in everything."""
    names = [[f"{who}{number}{TEXT}"[:4000] for number in range(500)] for who in ("甲", "乙")]
    refs = [f"S{number}" for number in range(1, 501)]
    yield say(
        "s",
        "referral.submitted",
        "2022-01-03",
        to=("mps",),
        suspects=suspects(*names[0]),
        amounts=[amount("illegal_gain", "1.00"), amount("loss", "5.00")],
    )
    for name, type in (("f", "referral.filed"), ("n", "referral.not_filed"), ("d", "progress.detained")):
        yield say(
            name,
            type,
            "2022-01-04",
            agency="mps",
            to=("csrc",),
            replies="s",
            binds="s",
            suspects=suspects(*names[1]),
            amounts=[amount("illegal_gain", "10000.00"), amount("loss", "6.00")],
        )
    article = "第" * 4000
    yield say(
        "p",
        "outcome.prosecuted",
        "2022-02-04",
        agency="spp",
        suspects=suspects(*names[0]),
        charges=charges(*((ref, f"{article}{number}"[-4000:]) for number, ref in enumerate(refs))),
    )
    yield say(
        "x",
        "outcome.not_prosecuted",
        "2022-02-05",
        agency="spp",
        suspects=suspects(*names[0]),
    )
    yield say(
        "j",
        "outcome.judgment",
        "2022-03-04",
        agency="court",
        suspects=suspects(*names[1]),
        results=results(*((ref, "180") for ref in refs)),
    )


def test_a2_nothing_that_is_said_exceeds_what_a_record_may_hold() -> None:
    """The worst that agencies may say is found and announced in parts, each far below a mebibyte."""
    taken = ChainBook(CHAIN)
    announcements = [one for event in _worst() for one in taken.take(event)]
    announcements.extend(taken.advance(at("2023-01-01")))
    values = [part.value for one in announcements for part in said(one, Catalog.load())]
    rules = {finding.rule for finding in taken.findings.values()}
    assert {"R10", "R22", "R30", "R31", "R39"} <= rules
    assert max(map(len, values)) < MIB // 2
    assert len(values) < 1000
    ids = [part.announcement.subject for one in announcements for part in said(one, Catalog.load())]
    assert len(set(ids)) == len(ids)


def test_a_chain_that_is_too_long_is_said_to_those_who_take_part() -> None:
    """The finding names who spoke and who was addressed, and says how much is computed."""
    first = say("s", "referral.submitted", "2022-01-03", to=("mps",))
    found = r09.too_long(first, "csrc", {"mps", "csrc"}, at("2022-01-04"))
    assert found.concerned() == ("csrc", "mps")
    assert "more than 4,000 events" in found.because.en
