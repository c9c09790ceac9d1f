"""A chain that cannot be computed is set aside: its events are kept, all others go on, and it comes back."""

from collections.abc import Callable
from typing import Any

import pytest

from casebus_consumers.accounts_reader import AccountsReader
from casebus_consumers.liaison.case_screen import case_lines
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Divergence, RetryLater, StopService
from casebus_schemas.rules.chain import r09
from casebus_schemas.wire.headers import EventHeaders
from casebus_services.reconciler import agent, announce, arrivals, intake, rows
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.rebuild import rebuild
from casebus_services.reconciler.set_aside import program_of
from support.cases.chains import at
from support.events.admissions import batch_of, data_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk

POISONED, SOUND = str(chain(1)), str(chain(2))
STATE = (
    "SELECT chain, status, events, hash, told_ms, wake_ms FROM recon_chain ORDER BY chain",
    "SELECT id, state, basis, body FROM recon_obligation ORDER BY id",
    "SELECT id, state, body FROM recon_finding WHERE rule <> 'R09' ORDER BY id",
    "SELECT digest FROM recon_event ORDER BY digest",
    "SELECT partition, next_offset FROM recon_partition ORDER BY partition",
)
Patch = pytest.MonkeyPatch


class Poison(Exception):
    """What no rule ever raised before."""


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk over an empty database."""
    return Desk(database)


def _raising(function: Callable[..., Any], names: Callable[..., bool]) -> Callable[..., Any]:
    """The function, which raises for what `names` says."""

    def called(*given: Any, **more: Any) -> Any:
        if names(*given, **more):
            raise Poison("姜某君")
        return function(*given, **more)

    return called


def _reading(patch: Patch) -> None:
    for module in (arrivals, rows):
        read = _raising(module.chain_event, lambda **told: told["chain"] == POISONED)
        patch.setattr(module, "chain_event", read)


def _opening(patch: Patch) -> None:
    names = lambda _, chain, *__, **___: chain == POISONED  # noqa: E731
    patch.setattr(ChainBook, "__init__", _raising(ChainBook.__init__, names))


def _taking(patch: Patch) -> None:
    names = lambda book, _: book.chain == POISONED  # noqa: E731
    patch.setattr(ChainBook, "take", _raising(ChainBook.take, names))


def _taking_the_third(patch: Patch) -> None:
    """The book has moved on already when it fails."""
    take = ChainBook.take

    def half(book: ChainBook, event: ChainEvent) -> Any:
        said = take(book, event)
        if book.chain == POISONED and event.type == "referral.filed":
            raise RecursionError
        return said

    patch.setattr(ChainBook, "take", half)


def _writing(patch: Patch) -> None:
    names = lambda _, book: book.chain == POISONED  # noqa: E731
    patch.setattr(rows, "chain_row", _raising(rows.chain_row, names))


def _announcing(patch: Patch) -> None:
    own = str(r09.set_aside_id(POISONED))
    names = lambda one: one.chain == POISONED and not one.subject.startswith(own)  # noqa: E731
    patch.setattr(announce, "_data", _raising(announce._data, names))


PLACES = [_reading, _opening, _taking, _taking_the_third, _writing, _announcing]


def _state(desk: Desk) -> list[Any]:
    return [desk.rows(query) for query in STATE]


def _words(desk: Desk, chain: str) -> list[tuple[str, ...]]:
    """What was said of a chain: kind, rule, state, addressees."""
    said: list[tuple[str, ...]] = []
    for record in desk.sink.sent:
        headers, body = EventHeaders.parse(record.headers), data_of(record)
        if headers.subject == chain:
            told = body["envelope"]["to"]
            ones = body.get("obligations") or body["findings"]
            said.extend((headers.type, one["rule"], one["state"], *told) for one in ones)
    return sorted(said)


def _play_both(desk: Desk) -> None:
    desk.play(1)
    desk.play(2)


def _sound(database: Database) -> Desk:
    """The same two cases where nothing fails."""
    desk = Desk(database)
    _play_both(desk)
    desk.agent.handle(desk.admitter.batches())
    return desk


R09_SAID = [("finding.opened", "R09", "open", "csrc", "mps", "spp")]


@pytest.mark.parametrize("breaks", PLACES)
@pytest.mark.parametrize("at_once", [1, 100])
def test_a10_a_chain_that_fails_is_set_aside_and_the_others_go_on(
    desk: Desk, breaks: Callable[[Patch], None], at_once: int
) -> None:
    """Wherever it fails: events stay, offsets move, its agencies hear of it once, others see nothing."""
    _play_both(desk)
    with pytest.MonkeyPatch.context() as patch:
        breaks(patch)
        for batch in desk.admitter.batches():
            for start in range(0, len(batch.records), at_once):
                desk.agent.handle([batch_of(batch.records[start : start + at_once])])
        again = desk.refer("2022-10-08", 1)
        desk.admitter.admit(again)
        desk.agent.handle(desk.admitter.batches())
        desk.now_ms += 10**10
        desk.agent.tick()
        rebuilt = rebuild(desk.database, Catalog.load())
        assert rebuilt.ok, rebuilt.differences
        assert len(rebuilt.set_aside) == 1
        assert "cannot be computed here" in rebuilt.set_aside[0]
    (row,) = desk.rows("SELECT chain, reason FROM recon_set_aside")
    assert row[0] == POISONED
    assert row[1].startswith(("Poison at casebus_", "RecursionError at ", "Poison"))
    assert "姜" not in row[1]
    assert [word for word in _words(desk, POISONED) if word[1] == "R09"] == R09_SAID
    assert len(desk.rows(f"SELECT 1 FROM recon_event WHERE chain = '{POISONED}'")) == 4
    assert {one[1] for one in _words(desk, SOUND)} == {"DL06", "DL10", "R10", "R30"}
    assert desk.rows("SELECT sum(next_offset) FROM recon_partition") == [(7,)]


@pytest.mark.parametrize("breaks", PLACES)
def test_a10_a_chain_is_computed_again_by_the_operators_order(
    desk: Desk, breaks: Callable[[Patch], None], tmp_path: Any
) -> None:
    """Once it can be computed all is as if it never had failed, and what was said is said once."""
    orders: dict[str, int] = {}
    desk.agent._read_orders = lambda: orders
    _play_both(desk)
    with pytest.MonkeyPatch.context() as patch:
        breaks(patch)
        desk.agent.handle(desk.admitter.batches())
        orders[POISONED] = 0
        desk.agent.tick()  # it still fails
        assert desk.rows("SELECT ordered FROM recon_set_aside") == [(0,)]
    assert [word for word in _words(desk, POISONED) if word[1] == "R09"] == R09_SAID
    desk.agent.tick()  # that order was carried out already
    assert len(desk.rows("SELECT 1 FROM recon_set_aside")) == 1
    orders[POISONED] = 1
    desk.agent.tick()
    assert not desk.rows("SELECT 1 FROM recon_set_aside")
    other = Database(f"sqlite:///{tmp_path / 'sound.db'}")
    other.migrate()
    sound = _sound(other)
    sound.agent.tick()
    closed = ("finding.closed", "R09", "closed", "csrc", "mps", "spp")
    assert _words(desk, POISONED) == sorted([*_words(sound, POISONED), *R09_SAID, closed])
    assert _state(desk) == _state(sound)
    assert rebuild(desk.database, Catalog.load()).differences == ()
    other.close()


def test_a10_a_chain_is_computed_again_by_another_program(desk: Desk, monkeypatch: Patch) -> None:
    """A worker of a new version tries what the old one could not do; one of the same version does not."""
    _play_both(desk)
    with pytest.MonkeyPatch.context() as patch:
        _taking(patch)
        desk.agent.handle(desk.admitter.batches())
    places = [(batch.topic, batch.partition) for batch in desk.admitter.batches()]
    for program, left in ((program_of(Catalog.load()), 1), ("9.9.9 mended", 0)):
        monkeypatch.setattr(agent, "program_of", lambda _, program=program: program)
        monkeypatch.setattr(intake, "program_of", lambda _, program=program: program)
        worker = desk.new_agent()
        worker.assigned(places)  # type: ignore[arg-type]  # plain pairs will do
        worker.tick()
        assert len(desk.rows("SELECT 1 FROM recon_set_aside")) == left


@pytest.mark.parametrize("breaks", [_taking, _reading])
def test_repeats_and_forks_are_noticed_in_a_chain_that_is_set_aside(
    desk: Desk, breaks: Callable[[Patch], None], tmp_path: Any
) -> None:
    """What an arrival shows by itself is found all the same, once, and stays when the chain comes back."""
    other = Database(f"sqlite:///{tmp_path / 'sound.db'}")
    other.migrate()
    sound = Desk(other)
    for each in (desk, sound):
        with pytest.MonkeyPatch.context() as patch:
            if each is desk:
                breaks(patch)
            first = each.refer()
            each.admitter.admit(first)
            each.admitter.admit(first)
            each.admitter.speaker("csrc").heads.clear()
            each.admitter.admit(each.refer("2022-10-08"))
            each.agent.handle(each.admitter.batches())
            each.admitter.admit(first)
            each.agent.handle(each.admitter.batches())
    found = "SELECT id, rule, body FROM recon_finding WHERE rule IN ('R03', 'R05') ORDER BY id"
    assert desk.rows(found) == sound.rows(found)
    assert {row[1] for row in desk.rows(found)} == {"R03", "R05"}
    desk.agent._read_orders = lambda: {POISONED: 7}
    desk.agent.tick()
    sound.agent.tick()
    assert _state(desk) == _state(sound)
    other.close()


def test_a10_time_that_cannot_pass_in_a_chain_sets_it_aside(desk: Desk, monkeypatch: Patch) -> None:
    """The clocks of the others run on, and the chain is not woken again."""
    _play_both(desk)
    desk.agent.handle(desk.admitter.batches())
    names = lambda book, _: book.chain == POISONED  # noqa: E731
    monkeypatch.setattr(ChainBook, "advance", _raising(ChainBook.advance, names))
    desk.now_ms += 10**10
    desk.agent.tick()
    assert desk.rows("SELECT chain FROM recon_set_aside") == [(POISONED,)]
    assert ("finding.opened", "R10", "open", "csrc", "mps") in _words(desk, SOUND)
    assert desk.rows(f"SELECT wake_ms FROM recon_chain WHERE chain = '{POISONED}'") == [(None,)]


@pytest.mark.parametrize("error", [Divergence("x"), StopService("x"), RetryLater("x")])
def test_evidence_at_risk_still_stops_the_service(desk: Desk, monkeypatch: Patch, error: Exception) -> None:
    """What says that the evidence or the database is at fault sets nothing aside."""

    def raises(*_: object) -> None:
        raise error

    monkeypatch.setattr("casebus_services.reconciler.agent.PATIENCE_S", 0.001)
    monkeypatch.setattr(ChainBook, "take", raises)
    desk.play()
    with pytest.raises(type(error)):
        desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT 1 FROM recon_event UNION SELECT 1 FROM recon_set_aside") == []


def test_officers_are_told_that_a_case_is_set_aside(desk: Desk, accounts_url: str) -> None:
    """The screens say so and why, show what stood last, and never a trace of the program."""
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    with pytest.MonkeyPatch.context() as patch:
        _taking(patch)
        desk.admitter.admit(desk.refer("2022-10-08"))
        desk.agent.handle(desk.admitter.batches())
    reader = AccountsReader(accounts_url)
    try:
        assert [one["chain"] for one in reader.set_aside()] == [POISONED]
        assert reader.set_aside()[0]["events"] == 4
        assert reader.chains()[0]["set_aside"]["reason"].startswith("Poison")
        view = reader.case(POISONED, at("2022-10-09"))
        assert view["set_aside"]["reason"].startswith("Poison")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("casebus_consumers.accounts_reader.case_view", _raising(len, lambda *_: True))
            stood = reader.case(POISONED, at("2022-10-09"))
        assert stood["status"] == "filed"
        assert {duty["rule"] for duty in stood["obligations"]} == {"DL06", "DL10"}
        assert len(stood["events"]) == 4
        assert any("set aside" in line and "Poison" in line for line in case_lines(stood))
    finally:
        reader.close()
