"""Findings of chains that are kin: found on the real path, said once, rebuilt alike, closed when mended."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case import kin
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.running import kin_findings_of, run_across, run_kin
from casebus_schemas.rules.sight import hearers, seen_by
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import TopicPartition
from casebus_services.reconciler import kin_links, kin_store
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.book import ChainBook
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import amount, charges, say, suspects
from support.events.admissions import data_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at

ALL = [TopicPartition("bus.admission", partition) for partition in range(4)]


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk whose worker owns every partition."""
    desk = Desk(database)
    desk.agent.assigned(ALL)
    return desk


def _say(desk: Desk, agency: str, type: str, number: int, when: str, **data: Any) -> Composed:
    envelope = envelope_at(when, to=data.pop("to", ["csrc", "spp"]), **data.pop("envelope", {}))
    said = desk.admitter.speaker(agency).say(type, {"envelope": envelope, **data}, chain(number))
    desk.admitter.now_ms += 1000
    desk.admitter.admit(said)
    return said


def _whole(desk: Desk, number: int = 1) -> None:
    who = suspects("姜某君", "柳某", "孙某")
    against = charges(("S1", "180(1)"), ("S2", "180(1)"), ("S3", "182"))
    _say(desk, "mps", "referral.filed", number, "2022-09-28", suspects=who, charges=against, amounts=[])


def _part(number: int, *refs: str) -> dict[str, Any]:
    return {"into": {"chain": UUID(chain(number)), "ref": None}, "suspects": list(refs), "unit": None}


def _split(desk: Desk, number: int = 1, first: int = 11) -> Composed:
    parts = [_part(first, "S1"), _part(first + 1, "S2"), _part(first + 2)]
    return _say(desk, "mps", "referral.split", number, "2022-09-29", parts=parts, suspects=[])


def _read(desk: Desk) -> None:
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()


def _heard(desk: Desk, kind: str = "finding.opened", rule: str = "R44") -> list[list[str]]:
    """To whom each finding of the rule was said."""
    found: list[list[str]] = []
    for record in desk.sink.sent:
        if record.topic == "bus.finding" and EventHeaders.parse(record.headers).type == kind:
            body = data_of(record)
            found.extend(body["envelope"]["to"] for one in body["findings"] if one["rule"] == rule)
    return found


def _states(desk: Desk, rule: str = "R44") -> list[tuple[Any, ...]]:
    return desk.rows(f"SELECT chain, state FROM recon_finding WHERE rule = '{rule}' ORDER BY id")


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("looks_between", [False, True])
def test_a_suspect_lost_by_a_split_is_found_and_said_once(
    desk: Desk, accounts_url: str, last_first: bool, looks_between: bool
) -> None:
    """1 -> 3 chains losing one: whichever partition comes first it is said once, and rebuilt alike."""
    _whole(desk)
    _split(desk)
    for number in (11, 12):
        name = {11: "姜某君", 12: "柳某"}[number]
        _say(desk, "mps", "referral.filed", number, "2022-09-30", suspects=suspects(name), charges=[])
    batches = desk.admitter.batches()
    for batch in reversed(batches) if last_first else batches:
        desk.agent.handle([batch])
        if looks_between:
            desk.agent.tick()
    desk.agent.tick()
    desk.agent.tick()
    assert _states(desk) == [(chain(1), "open")]
    assert _heard(desk) == [["mps"]]
    reader = AccountsReader(accounts_url)
    for number in (1, 11, 12, 13):
        assert "R44" in [one["rule"] for one in reader.findings(chain=chain(number))]
    assert reader.findings(chain=chain(14)) == []
    reader.close()
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_what_a_part_says_later_closes_it_and_it_opens_again(desk: Desk) -> None:
    """An event of another chain mends it, its withdrawal opens it again: each is said, and rebuilt alike."""
    _whole(desk)
    _split(desk)
    _read(desk)
    assert _states(desk) == [(chain(1), "open")]
    listed = _say(desk, "mps", "referral.filed", 13, "2022-09-30", suspects=suspects("孙某"), charges=[])
    _read(desk)
    assert _states(desk) == [(chain(1), "closed")]
    assert _heard(desk, "finding.closed") == [["mps"]]
    assert rebuild(desk.database, Catalog.load()).differences == ()
    _say(
        desk,
        "mps",
        "referral.corrected",
        13,
        "2022-10-01",
        envelope={"withdraws": listed.digest},
        reasons="笔误",
    )
    _read(desk)
    assert _states(desk) == [(chain(1), "open")]
    assert _heard(desk) == [["mps"], ["mps"]]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_a_penalty_shows_by_itself_that_its_party_is_referred_nowhere(desk: Desk) -> None:
    """One chain alone gives R46; a referral of the party in any other closes it; both are rebuilt alike."""
    who = suspects("甲", tokens={"甲": (b"1" * 32,)})
    gain = [amount("illegal_gain", "1000000", "2022-06-01", "2022-06-30")]
    _say(desk, "csrc", "administrative.penalty_decided", 31, "2022-09-28", suspects=who, amounts=gain)
    _read(desk)
    assert _states(desk, "R46") == [(chain(31), "open")]
    assert rebuild(desk.database, Catalog.load()).differences == ()
    _say(
        *(desk, "csrc", "referral.submitted", 32, "2022-09-29"),
        to=["mps", "spp"],
        suspects=who,
        charges=charges(("S1", "182")),
        amounts=gain,
    )
    _read(desk)
    assert _states(desk, "R46") == [(chain(31), "closed")]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_who_was_not_told_of_all_hears_nothing(desk: Desk) -> None:
    """What rests on a list that an agency was not told of is not said to it, though it knows of the split."""
    who = suspects("姜某君", "柳某")
    _say(desk, "mps", "referral.filed", 1, "2022-09-28", to=["csrc"], suspects=who, charges=[], amounts=[])
    _say(
        desk, "mps", "referral.split", 1, "2022-09-29", parts=[_part(11, "S1"), _part(12, "S2")], suspects=[]
    )
    _say(desk, "mps", "referral.filed", 12, "2022-09-30", to=[], suspects=suspects("钱某"), charges=[])
    _read(desk)
    ((body,),) = desk.rows("SELECT body FROM recon_finding WHERE rule = 'R44'")
    assert '"told":["mps","spp"]' in body  # spp hears of a filing by law
    assert _heard(desk) == [["mps"]]


def test_an_agencys_split_brings_nothing_of_chains_that_it_was_not_told_of(desk: Desk) -> None:
    """Whoever names a chain of others as a part learns nothing of what stands in it."""
    who = suspects("姜某君", "柳某")
    _say(
        desk, "csrc", "referral.submitted", 1, "2022-09-28", to=["mps"], suspects=who, charges=[], amounts=[]
    )
    _say(desk, "mps", "referral.filed", 12, "2022-09-28", to=[], suspects=suspects("钱某"), charges=[])
    parts = [_part(11, "S1"), _part(12, "S2")]
    _say(desk, "csrc", "referral.split", 1, "2022-09-29", to=["mps"], parts=parts, suspects=[])
    _read(desk)
    assert _states(desk) == []


def test_a_crash_before_the_commit_loses_and_doubles_nothing(desk: Desk, monkeypatch: Any) -> None:
    """What a worker did not commit the next one finds; what it committed is not said again."""

    def crash(_place: str, _count: int) -> None:
        raise RuntimeError("killed")

    _whole(desk)
    _split(desk)
    desk.agent.handle(desk.admitter.batches())
    with monkeypatch.context() as patch:
        patch.setattr(kin_links, "fault_point", crash)
        with pytest.raises(RuntimeError):
            desk.agent.tick()
    assert _states(desk) == []
    for _ in range(2):
        worker = desk.new_agent()
        worker.assigned(ALL)
        worker.tick()
    assert _states(desk) == [(chain(1), "open")]
    assert _heard(desk) == [["mps"]]


def test_a_key_that_cannot_be_computed_stops_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left behind with a line in the log, and looked at again once its chains move."""
    _whole(desk)
    _split(desk)
    _whole(desk, 2)
    _split(desk, 2, first=21)
    desk.agent.handle(desk.admitter.batches())

    def fails(related: kin.Kin) -> Any:
        if related.key.text == chain(1):
            raise RecursionError
        return run_kin(related)

    with monkeypatch.context() as patch:
        patch.setattr(kin_links, "run_kin", fails)
        desk.agent.tick()
    assert _states(desk) == [(chain(2), "open")]
    assert desk.rows("SELECT count(*) FROM recon_kin_chain WHERE changed <> looked") == [(0,)]
    _say(desk, "mps", "referral.filed", 11, "2022-09-30", suspects=suspects("姜某君"), charges=[])
    _read(desk)
    assert sorted(_states(desk)) == sorted([(chain(1), "open"), (chain(2), "open")])


def test_nobody_makes_kin_too_large_for_those_who_came_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain behind the bound is left out and that is said; what came before it is compared as before."""
    monkeypatch.setattr(kin, "MOST_EVENTS", 5)
    _whole(desk)
    _split(desk)
    for day in range(1, 9):
        _say(desk, "mps", "progress.supervised", 13, f"2022-10-0{day}")
    _read(desk)
    assert _states(desk) == [(chain(1), "open")]
    assert _states(desk, "R09") == [(chain(1), "open")]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_very_many_keys_are_looked_through_in_steps_and_hold_up_no_other_chain(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event of a chain counts up one row; its keys are looked through between those of others."""
    monkeypatch.setattr(kin_store, "KEYS_AT_ONCE", 3)
    many = [f"人{number}" for number in range(20)]
    tokens = {name: (name.encode().ljust(32, b"."),) for name in many}
    who = suspects(*many, tokens=tokens)
    for number in (2, 3):
        _say(desk, "mps", "referral.filed", number, "2022-09-28", suspects=who, charges=[], amounts=[])
    _whole(desk)
    _split(desk)
    before = desk.rows("SELECT count(*) FROM recon_kin_chain")
    desk.agent.handle(desk.admitter.batches())
    assert before == [(0,)]
    assert desk.rows("SELECT count(*) FROM recon_kin") == [(44,)]
    assert desk.rows("SELECT count(*) FROM recon_kin_chain") == [(6,)]
    steps = 0
    while desk.agent._kin._moved() and steps < 100:
        desk.agent._kin._step()
        steps += 1
    assert 40 < steps < 100  # one comparison a step, two chains of twenty keys
    assert _states(desk) == [(chain(1), "open")]
    assert desk.agent._kin._places == {}


def test_a_chain_that_is_set_aside_is_compared_once_it_can_be_computed(desk: Desk) -> None:
    """Its key waits with it: the finding comes when the chain is computed again, and a rebuild agrees."""
    _whole(desk)
    _split(desk)
    with pytest.MonkeyPatch.context() as patch:
        take = ChainBook.take

        def fails(book: ChainBook, event: ChainEvent) -> Any:
            if book.chain == chain(13):
                raise RecursionError
            return take(book, event)

        patch.setattr(ChainBook, "take", fails)
        _say(desk, "mps", "referral.filed", 13, "2022-09-30", suspects=suspects("孙某"), charges=[])
        _read(desk)
    assert rebuild(desk.database, Catalog.load()).differences == ()
    desk.agent._read_orders = lambda: {chain(13): 1}
    desk.agent.tick()
    desk.agent.tick()
    assert _states(desk) in ([], [(chain(1), "closed")])
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_a_word_on_it_counts_and_is_no_word_on_nothing(desk: Desk) -> None:
    """Who is concerned explains it in its chain: it stands as explained, and nobody is accused (R40)."""
    _whole(desk)
    _split(desk)
    _read(desk)
    ((id,),) = desk.rows("SELECT id FROM recon_finding WHERE rule = 'R44'")
    data = {"finding": UUID(id), "explanation": "另案处理", "officer": None}
    _say(desk, "mps", "finding.explained", 1, "2022-10-02", **data)
    _read(desk)
    assert _states(desk) == [(chain(1), "explained")]
    assert _states(desk, "R40") == []
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_keys_of_an_old_database_are_those_of_a_new_one(desk: Desk) -> None:
    """The revision that makes the table fills it from the stored events."""
    _whole(desk)
    _split(desk)
    desk.agent.handle(desk.admitter.batches())
    columns = "kind, key, chain, since_ms, digest"
    keys = desk.rows(f"SELECT {columns} FROM recon_kin ORDER BY kind, key, chain")
    with desk.database.writing() as transaction:
        for statement in (
            "DROP TABLE recon_stated",
            "DROP INDEX recon_event_stated",
            "DROP INDEX recon_event_stated_place",
            "DROP TABLE recon_emptied",
            "DROP TABLE recon_kin",
            "DROP TABLE recon_kin_chain",
            "DROP INDEX recon_finding_kin",
            "UPDATE recon_revision SET version_num = '0010'",
        ):
            transaction.run(statement)
    desk.database.migrate()
    assert len(keys) == 4
    assert desk.rows(f"SELECT {columns} FROM recon_kin ORDER BY kind, key, chain") == keys
    desk.agent.tick()
    assert _states(desk) == [(chain(1), "open")]


# --- the rules by themselves ------------------------------------------------------------------------------


def test_a_guessed_referral_learns_nothing_of_an_earlier_one() -> None:
    """Who refers later, untold of the first, hears nothing; who came first hears only that there is another.

    Whoever was told of both hears of both.
    """
    about: dict[str, Any] = {
        "security": {"market": "SSE", "code": "600001", "name": None},
        "suspects": suspects("甲", tokens={"甲": (b"t" * 32,)}),
        "charges": charges(("S1", "180(1)")),
        "told": ("mps",),
    }
    events = [
        say("a", "referral.submitted", "2022-01-04", agency="csrc", chain=chain(1), **about),
        say("b", "referral.submitted", "2022-01-25", agency="court", chain=chain(2), **about),
    ]
    (finding,) = run_across(events)
    assert hearers(finding) == ("csrc", "mps")
    assert seen_by("court", finding) is None
    seen = seen_by("csrc", finding)
    assert seen is not None
    assert [account.agency for account in seen.accounts] == ["csrc"]
    assert "600001" not in seen.because.en + str(seen.to_json()["accounts"])


@st.composite
def flows(draw: st.DrawFn) -> list[ChainEvent]:
    """Filings, splits and mergers in few chains."""
    events = []
    for name in "abcdefg"[: draw(st.integers(1, 7))]:
        of = draw(st.integers(1, 3))
        type = draw(
            st.sampled_from(("referral.filed", "referral.split", "referral.merged", "referral.submitted"))
        )
        other = {"chain": UUID(chain(draw(st.integers(1, 3)))), "ref": None}
        facts: dict[str, dict[str, Any]] = {
            "referral.split": {"parts": [{"into": other, "suspects": ["S1"], "unit": None}]},
            "referral.merged": {"merged": [], "into": other},
        }
        data = facts.get(type, {"suspects": suspects(*draw(st.sampled_from((("甲",), ("甲", "乙")))))})
        day = f"2022-01-{draw(st.integers(1, 9)):02d}"
        events.append(say(name, type, day, agency="mps", to=("csrc",), chain=chain(of), **data))
    return events


@settings(max_examples=100, deadline=None)
@given(flows(), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events: Sequence[ChainEvent], chance: random.Random) -> None:
    """A replay in any order across partitions finds the same."""
    arrived = [*events, *events]
    chance.shuffle(arrived)
    assert [f.to_json() for f in run_across(arrived)] == [f.to_json() for f in run_across(events)]


@settings(max_examples=100, deadline=None)
@given(flows())
def test_whoever_was_told_of_what_made_them_kin_may_speak_of_it(events: Sequence[ChainEvent]) -> None:
    """In the chain of a finding its id follows from the events that its hearers know."""
    for finding in run_across(events):
        own = [event for event in events if event.chain == finding.chain]
        for agency in finding.concerned():
            assert finding.id in kin_findings_of(own, agency)
