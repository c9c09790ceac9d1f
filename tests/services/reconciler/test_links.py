"""Findings across chains: found in one pass, stored and announced once, whatever was read first."""

import random
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.chain_keys import MOST_READ
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.rules.running import links_of, run_across
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.records import Outgoing, TopicPartition
from casebus_services.reconciler import announce, links
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import at, say
from support.events.admissions import data_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at


def test_one_id_in_two_chains_is_found_and_belongs_to_the_later() -> None:
    """The same agency and id, other contents, other chain: high, both shown with their chains."""
    events = [
        say("a", "referral.submitted", "2022-01-01", id_of="x", chain=chain(1)),
        say("b", "referral.submitted", "2022-01-02", id_of="x", chain=chain(2)),
        say("c", "referral.submitted", "2022-01-02", id_of="x", chain=chain(3), agency="mps"),
    ]
    (finding,) = run_across(events)
    assert (finding.rule, finding.cls, finding.severity, finding.chain) == (
        "R04",
        "arrival",
        "high",
        chain(2),
    )
    assert [a.value["chain"] for a in finding.accounts if isinstance(a.value, dict)] == [chain(1), chain(2)]
    assert finding.opened_at == at("2022-01-02")


def test_within_one_chain_or_of_two_agencies_there_is_nothing_across() -> None:
    """What the chain's own rules find is not found twice; ids belong to their agency."""
    events = [say(name, "clue.submitted", "2022-01-01", id_of="x") for name in "ab"]
    assert run_across(events) == []


@st.composite
def flows(draw: st.DrawFn) -> list[ChainEvent]:
    """Events of few ids, agencies and chains."""
    return [
        say(
            name,
            "clue.submitted",
            f"2022-01-{draw(st.integers(1, 9)):02d}",
            id_of=draw(st.sampled_from("xy")),
            agency=draw(st.sampled_from(("csrc", "mps"))),
            chain=chain(draw(st.integers(1, 3))),
        )
        for name in "abcdef"[: draw(st.integers(0, 6))]
    ]


@settings(max_examples=100, deadline=None)
@given(flows(), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events: Sequence[ChainEvent], chance: random.Random) -> None:
    """A replay in any order across partitions finds the same."""
    arrived = [*events, *events]
    chance.shuffle(arrived)
    assert [f.to_json() for f in run_across(arrived)] == [f.to_json() for f in run_across(events)]


def test_of_very_many_events_the_first_are_read_and_the_rest_is_counted_as_more() -> None:
    """However often an id is used, the text stays short and says that it names the least."""
    events = [
        say(
            f"e{n}",
            "clue.submitted",
            "2022-01-01",
            id_of="x",
            chain=chain(n),
            admitted=f"2022-01-01T10:{n:02d}",
        )
        for n in range(1, 60)
    ]
    many = [say(f"m{n}", "clue.submitted", "2022-01-02", id_of="x", chain=chain(n)) for n in range(MOST_READ)]
    (found,), (more,) = run_across(events), run_across([*events, *many])
    assert found.id == more.id
    assert len(found.accounts) == len(more.accounts) == 10
    assert "used in 59 chains by 59 events" in found.because.en
    assert f"by at least {MOST_READ} events" in more.because.en
    assert more.chain == chain(2)


def test_ids_across_chains_are_known_to_each_chain() -> None:
    """What could be found about an agency's events is told apart from what nobody ever found."""
    events = [
        say("a", "referral.submitted", "2022-01-01", id_of="x", chain=chain(1)),
        say("b", "referral.submitted", "2022-01-02", id_of="x", chain=chain(2)),
    ]
    (found,) = run_across(events)
    assert found.id in links_of(events[:1], "csrc")
    assert found.id not in links_of(events[:1], "mps")


# --- the pass ---------------------------------------------------------------------------------------------

OTHER = next(
    n for n in range(2, 99) if partition_of(chain(n).encode(), 4) != partition_of(chain(1).encode(), 4)
)
ALL = [TopicPartition("bus.admission", partition) for partition in range(4)]


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk whose worker owns every partition."""
    desk = Desk(database)
    desk.agent.assigned(ALL)
    return desk


def _use(desk: Desk, number: int, first: Composed | None = None, agency: str = "csrc") -> Composed:
    """A referral in a chain, under the id of the first one if there is one."""
    said = desk.admitter.speaker(agency).say(
        "referral.submitted",
        {"envelope": envelope_at("2022-09-28", to=["mps"]), "suspects": [], "charges": [], "amounts": []},
        chain(number),
        id=EventHeaders.parse(first.record.headers).id if first else None,
    )
    desk.admitter.now_ms += 1000
    desk.admitter.admit(said)
    return said


def _announced(sent: Iterable[Outgoing]) -> list[dict[str, Any]]:
    """Each finding R04 that was announced."""
    bodies = [data_of(record) for record in sent if record.topic == "bus.finding"]
    return [found for body in bodies for found in body["findings"] if found["rule"] == "R04"]


def _rows(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT * FROM recon_finding ORDER BY id")


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("looks_between", [False, True])
def test_one_id_in_two_chains_is_announced_once(
    desk: Desk, accounts_url: str, last_first: bool, looks_between: bool
) -> None:
    """Whichever partition comes first: one finding of the later chain, shown in both, equal in a rebuild."""
    first = _use(desk, 1)
    _use(desk, OTHER, first)
    batches = desk.admitter.batches()
    for batch in reversed(batches) if last_first else batches:
        desk.agent.handle([batch])
        if looks_between:
            desk.agent.tick()
    assert rebuild(desk.database, Catalog.load()).differences == ()
    desk.agent.tick()
    desk.agent.tick()
    (found,) = _announced(desk.sink.sent)
    ((stored,),) = desk.rows("SELECT chain FROM recon_finding WHERE rule = 'R04'")
    assert (stored, len(found["accounts"])) == (chain(OTHER), 2)
    reader = AccountsReader(accounts_url)
    assert [f["rule"] for f in reader.findings()] == ["R04"]
    assert [f["rule"] for f in reader.findings(agency="csrc")] == ["R04"]
    assert reader.findings(agency="spp") == reader.findings(rule="R30") == []
    for number in (1, OTHER):
        assert [f["rule"] for f in reader.findings(chain=chain(number))] == ["R04"]
        assert [f["rule"] for f in reader.case(chain(number), at("2022-09-29T12:00"))["findings"]] == ["R04"]
    assert reader.findings(chain=chain(OTHER + 100)) == []
    reader.close()
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_the_announcement_has_a_stream_of_its_own(desk: Desk) -> None:
    """Whoever owns partition 0 speaks under one producer, addressed to the agency whose id it is."""
    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    (record,) = [record for record in desk.sink.sent if data_of(record)["findings"][0]["rule"] == "R04"]
    assert EventHeaders.parse(record.headers).producer == "reconciler-links.7"
    assert data_of(record)["envelope"]["to"] == ["csrc"]


def test_a_third_use_changes_the_finding_and_says_nothing_more(desk: Desk) -> None:
    """The same finding shows three events; nobody hears of it again, from a new worker neither."""
    first = _use(desk, 1)
    _use(desk, OTHER, first)
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    before = _rows(desk)
    _use(desk, OTHER + 1, first)
    worker = desk.new_agent()
    worker.assigned(ALL)
    worker.handle(desk.admitter.batches())
    worker.tick()
    after = _rows(desk)
    assert [row[:3] for row in after] == [row[:3] for row in before]
    assert "in 3 chains by 3 events" in after[0][7]
    assert len(_announced(desk.sink.sent)) == 1
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_what_was_committed_and_not_sent_is_sent_by_the_next_worker(desk: Desk) -> None:
    """A crash between commit and publish: the next owner of partition 0 says it, once; others do not."""

    class Broken:
        def send_all(self, outgoing: Iterable[Outgoing]) -> None:
            if list(outgoing):
                raise RetryLater("the broker is away")

    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    crashed = desk.new_agent(Broken())
    crashed.assigned(ALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("casebus_services.reconciler.agent.PATIENCE_S", 0.001)
        with pytest.raises(RetryLater):
            crashed.tick()
    assert _announced(desk.sink.sent) == []
    assert len(_rows(desk)) == 1
    for places, said in ((ALL[1:], 0), (ALL, 1), (ALL, 1)):
        worker = desk.new_agent()
        worker.assigned(places)
        worker.tick()
        assert len(_announced(desk.sink.sent)) == said


def test_only_the_worker_of_partition_0_looks(desk: Desk) -> None:
    """The others leave the keys to it: there is one pass."""
    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    other = desk.new_agent()
    other.assigned(ALL[1:])
    other.tick()
    assert _rows(desk) == []
    assert desk.rows("SELECT count(*) FROM recon_chain_key WHERE looked = 0") == [(2,)]
    desk.agent.revoked(ALL[:1])
    desk.agent.tick()
    assert _rows(desk) == []


def test_a_strangers_use_of_the_id_names_nobody(desk: Desk) -> None:
    """Another agency that takes an honest one's id in another chain brings nothing upon it."""
    _use(desk, OTHER, _use(desk, 1), agency="mps")
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    assert desk.rows("SELECT rule FROM recon_finding WHERE rule = 'R04'") == []


def test_more_keys_than_a_step_takes_are_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step until nothing is left; no step reads more than its share of events by far."""
    monkeypatch.setattr(links, "_KEYS_AT_ONCE", 3)
    monkeypatch.setattr(links, "_EVENTS_AT_ONCE", 2)
    monkeypatch.setattr(links, "_LONGEST_S", 60)
    for number in range(1, 5):
        _use(desk, number + 10, _use(desk, number))
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    assert desk.rows("SELECT count(*) FROM recon_chain_key WHERE looked = 0") == [(0,)]
    assert len(_announced(desk.sink.sent)) == 4


def test_a_key_that_cannot_be_computed_stops_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left behind with a line in the log; what the others show is found."""
    _use(desk, 11, _use(desk, 1))
    _use(desk, 12, _use(desk, 2))
    desk.agent.handle(desk.admitter.batches())
    said = announce.said

    def fails(announcement: Any, catalog: Catalog) -> Any:
        if announcement.chain == chain(11):
            raise RecursionError
        return said(announcement, catalog)

    monkeypatch.setattr(links, "said", fails)
    desk.agent.tick()
    assert desk.rows("SELECT chain FROM recon_finding WHERE rule = 'R04'") == [(chain(12),)]
    assert desk.rows("SELECT count(*) FROM recon_chain_key WHERE looked = 0") == [(0,)]


def test_a_chain_that_is_set_aside_keeps_what_was_found_across(desk: Desk) -> None:
    """Its stored events count, and when it is computed again the finding stays as it was."""
    first = _use(desk, 1)
    with pytest.MonkeyPatch.context() as patch:
        take = ChainBook.take

        def fails(book: ChainBook, event: ChainEvent) -> Any:
            if book.chain == chain(OTHER):
                raise RecursionError
            return take(book, event)

        patch.setattr(ChainBook, "take", fails)
        _use(desk, OTHER, first)
        desk.agent.handle(desk.admitter.batches())
        desk.agent.tick()
    found = desk.rows("SELECT * FROM recon_finding WHERE rule = 'R04'")
    assert len(found) == 1
    assert rebuild(desk.database, Catalog.load()).differences == ()
    desk.agent._read_orders = lambda: {chain(OTHER): 1}
    desk.agent.tick()
    assert desk.rows("SELECT count(*) FROM recon_set_aside") == [(0,)]
    assert desk.rows("SELECT * FROM recon_finding WHERE rule = 'R04'") == found
    _use(desk, OTHER)
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    assert desk.rows("SELECT * FROM recon_finding WHERE rule = 'R04'") == found
    assert rebuild(desk.database, Catalog.load()).differences == ()
    assert len(_announced(desk.sink.sent)) == 1


@pytest.mark.parametrize(
    "change", ["UPDATE recon_finding SET severity = 'info'", "DELETE FROM recon_finding WHERE rule = 'R04'"]
)
def test_a_rebuild_shows_a_changed_or_missing_finding(desk: Desk, change: str) -> None:
    """What was found across chains is compared like everything else."""
    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    with desk.database.writing() as transaction:
        transaction.run(change)
    (difference,) = rebuild(desk.database, Catalog.load()).differences
    assert difference.startswith("recon_finding ")


def test_a_word_on_it_is_no_word_on_nothing(desk: Desk) -> None:
    """Whom it concerns may accept or explain it in its own chain without being accused (R40)."""
    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    ((id,),) = desk.rows("SELECT id FROM recon_finding WHERE rule = 'R04'")
    for named in (UUID(id), UUID(int=7)):
        data = {
            "envelope": envelope_at("2022-09-28", to=["mps"]),
            "finding": named,
            "explanation": "重装",
            "officer": None,
            "sealed": None,
        }
        desk.admitter.admit(desk.admitter.speaker("csrc").say("finding.explained", data, chain(1)))
    desk.agent.handle(desk.admitter.batches())
    assert desk.rows("SELECT count(*) FROM recon_finding WHERE rule = 'R40'") == [(1,)]


def test_keys_of_an_old_database_are_those_of_a_new_one(desk: Desk) -> None:
    """The revision that made the table fills it from the stored events."""
    _use(desk, OTHER, _use(desk, 1))
    desk.agent.handle(desk.admitter.batches())
    keys = desk.rows("SELECT * FROM recon_chain_key ORDER BY key, digest")
    with desk.database.writing() as transaction:
        for statement in (
            "DROP TABLE recon_stated",
            "DROP INDEX recon_event_stated",
            "DROP INDEX recon_event_stated_place",
            "DROP TABLE recon_emptied",
            "DROP TABLE recon_kin",
            "DROP TABLE recon_kin_chain",
            "DROP INDEX recon_finding_kin",
            "DROP TABLE recon_notice",
            "DROP TABLE recon_taken_up",
            "DROP TABLE recon_published",
            "DROP INDEX recon_event_published",
            "DROP TABLE recon_chain_key",
            "DROP INDEX recon_finding_link",
            "ALTER TABLE recon_finding DROP COLUMN link_kind",
            "ALTER TABLE recon_finding DROP COLUMN link_key",
            "CREATE INDEX recon_event_id ON recon_event (event_id)",
            "UPDATE recon_revision SET version_num = '0006'",
        ):
            transaction.run(statement)
    desk.database.migrate()
    assert len(keys) == 2
    assert desk.rows("SELECT * FROM recon_chain_key ORDER BY key, digest") == keys
