"""Findings across chains: one id in several chains, whatever was read first."""

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.running import run_across
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.partitioning import partition_of
from casebus_services.reconciler.database import Database
from casebus_services.reconciler.rebuild import rebuild
from support.chains import at, say
from support.desk import Desk, envelope_at
from support.signed_events import chain


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


def test_readers_see_it_in_each_chain_concerned(database: Database, accounts_url: str) -> None:
    """Chains on different partitions: listed once in all, shown in both cases, and a rebuild stays equal."""
    other = next(n for n in range(2, 99) if _partition(n) != _partition(1))
    desk = Desk(database)
    first = desk.refer(number=1)
    again = desk.admitter.speaker("csrc").say(
        "referral.submitted",
        {"envelope": envelope_at("2022-09-28", to=["mps"]), "suspects": [], "charges": [], "amounts": []},
        chain(other),
        id=EventHeaders.parse(first.record.headers).id,
    )
    desk.admitter.admit(first)
    desk.admitter.admit(again)
    desk.agent.handle(desk.admitter.batches())
    reader = AccountsReader(accounts_url)
    assert [f["rule"] for f in reader.findings()] == ["R04"]
    assert reader.findings(rule="R30") == []
    for number in (1, other):
        assert [f["rule"] for f in reader.findings(chain=chain(number))] == ["R04"]
        assert [f["rule"] for f in reader.case(chain(number), at("2030-01-01"))["findings"]] == ["R04"]
    assert reader.findings(chain=chain(other + 100)) == []
    reader.close()
    assert rebuild(database, Catalog.load()).ok


def _partition(number: int) -> int:
    return partition_of(chain(number).encode(), 4)
