"""What readers see: a case with reasons, lists with filters, a rebuild."""

from typing import Any

import pytest

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.arrivals import arrival
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import amount, at, suspects
from support.reconciler.desk import STORY_CHAIN, Desk, envelope_at, ms

NOW = at("2022-10-01T12:00")


@pytest.fixture
def reader(database: Database, accounts_url: str) -> AccountsReader:
    """A reader of the accounts of one played case."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    return AccountsReader(accounts_url)


def test_a_case_shows_accounts_side_by_side(reader: AccountsReader) -> None:
    """State by suspect and charge, both figures in one row, clocks and findings."""
    case = reader.case(STORY_CHAIN, NOW)
    assert case["status"] == "filed"
    assert [(s["name"], [(c["article"], c["status"]) for c in s["charges"]]) for s in case["suspects"]] == [
        ("姜某君", [("180(4)", "filed")]),
        ("柳某", [(None, "filed")]),
    ]
    assert [(row["comparison"], [a["value"] for a in row["accounts"]]) for row in case["amounts"]] == [
        ("differ", ["46190000.00", "4619.00"])
    ]
    assert [duty["rule"] for duty in case["obligations"]] == ["DL06", "DL10"]
    assert [finding["rule"] for finding in case["findings"]] == ["R30"]
    assert "why" not in case


def test_as_of_leaves_out_what_happened_later(reader: AccountsReader) -> None:
    """On the day of the receipt the clock is open; before the first event nothing is known."""
    case = reader.case(STORY_CHAIN, NOW, asked=AsOf(until=at("2022-09-29T12:00")))
    assert (case["status"], [duty["state"] for duty in case["obligations"]], case["findings"]) == (
        "received",
        ["open"],
        [],
    )
    with pytest.raises(UsageError):
        reader.case(STORY_CHAIN, NOW, asked=AsOf(until=at("2020-01-01")))


def test_why_names_the_reason_of_each_place(reader: AccountsReader) -> None:
    """Every event says after what it stands."""
    why = reader.case(STORY_CHAIN, NOW, why=True)["why"]
    first = why[0]["event"]
    assert [(line["type"], line["after"].get("answers")) for line in why] == [
        ("referral.submitted", None),
        ("referral.receipted", first),
        ("referral.filed", first),
    ]


def test_lists_are_filtered_and_states_computed_when_read(reader: AccountsReader) -> None:
    """The same rows read at a later time are overdue; filters are by agency, chain, state and due date."""

    def rules(now: Any, **filters: Any) -> list[tuple[str, str]]:
        return [(duty["rule"], duty["state"]) for duty in reader.obligations(now, **filters)]

    assert rules(NOW) == [("DL10", "open"), ("DL06", "met")]
    assert rules(at("2023-01-01")) == [("DL10", "overdue"), ("DL06", "met")]
    assert rules(NOW, states=["met"]) == [("DL06", "met")]
    assert rules(NOW, agency="spp") == []
    assert rules(NOW, due_before=at("2022-10-05")) == [("DL10", "open")]
    assert rules(NOW, chain="none") == []
    assert [f["rule"] for f in reader.findings(agency="mps", states=["open"])] == ["R30"]
    assert reader.findings(agency="spp") == []


def test_an_unknown_chain_is_refused(reader: AccountsReader) -> None:
    """There is no case of that id."""
    with pytest.raises(UsageError, match="no such chain"):
        reader.case("7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c45", NOW)


def test_a_missing_database_is_not_created_by_reading(tmp_path: Any) -> None:
    """Reading where nothing is says so and leaves nothing behind."""
    with pytest.raises(UsageError, match="no such accounts file"):
        AccountsReader(f"sqlite:///{tmp_path / 'none.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_rebuild_equals_what_has_grown(database: Database) -> None:
    """From the stored admissions or from Kafka's records: row for row the same, ticks included."""
    desk = Desk(database)
    desk.play()
    desk.admitter.admit(desk.refer(number=2))
    desk.agent.handle(desk.admitter.batches())
    desk.now_ms = int(at("2022-12-01").timestamp() * 1000)
    desk.agent.tick()
    stored = rebuild(database, Catalog.load())
    given = rebuild(
        database, Catalog.load(), (arrival(r) for b in desk.admitter.batches() for r in b.records)
    )
    assert (stored.differences, stored.chains, stored.events) == ((), 2, 4)
    assert given == stored


@pytest.mark.parametrize(
    ("damage", "table"),
    [
        ("UPDATE recon_finding SET severity = 'info'", "recon_finding"),
        ("DELETE FROM recon_obligation WHERE rule = 'DL06'", "recon_obligation"),
        ("UPDATE recon_chain SET status = 'judged'", "recon_chain"),
    ],
)
def test_a_rebuild_names_the_row_that_was_changed(database: Database, damage: str, table: str) -> None:
    """A row that the arrivals do not give is named with its table."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    with database.writing() as transaction:
        transaction.run(damage)
    (difference,) = rebuild(database, Catalog.load()).differences
    assert difference.startswith(table)


def test_b5_screens_of_an_agency_show_what_it_may_see(database: Database, accounts_url: str) -> None:
    """With an agency its findings, duties and chains are shown as they are told to it; without it all are."""
    desk = Desk(database)
    referral = desk.refer()
    desk.admitter.admit(referral, at_ms=ms("2022-09-28T10:00"))
    secret = {
        "envelope": envelope_at("2022-09-29T10:00", to=["spp"], handling="H3"),
        "suspects": suspects("丙某"),
        "amounts": [amount("illegal_gain", "4619.00", "2009-04-01", "2013-02-28")],
    }
    said = desk.admitter.speaker("mps").say("progress.transferred_for_prosecution", secret, STORY_CHAIN)
    desk.admitter.admit(said, at_ms=ms("2022-09-29T10:01"))
    desk.agent.handle(desk.admitter.batches())
    reader = AccountsReader(accounts_url)
    assert sorted(found["rule"] for found in reader.findings()) == ["R30", "R31"]
    shown = reader.findings(agency="csrc")
    assert sorted(found["rule"] for found in shown) == ["R30", "R31"]
    assert all(found["accounts"][0]["agency"] == "csrc" for found in shown)
    for text in (repr(shown), repr(reader.case(STORY_CHAIN, NOW, asked=AsOf(known_by="csrc")))):
        assert "丙某" not in text
        assert "4619.00" not in text
    states = {who: [(one["events"], one["status"]) for one in reader.chains(who)] for who in ("csrc", "spp")}
    assert states == {"csrc": [(1, "referred")], "spp": [(2, "under_review")]}
    assert reader.chains("court") == []
    rebuilt = rebuild(database, Catalog.load())
    assert rebuilt.differences == ()
