"""Statements of account against the bus: a case that one of them never saw is found, said and mended."""

from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.case.statements import Counting, Held, last_statements
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.across import r66
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import TopicPartition
from casebus_services.reconciler import statements
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.rebuild import rebuild
from support.cases.chains import at, say
from support.events.admissions import data_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at

ALL = [TopicPartition("bus.admission", partition) for partition in range(4)]
LEDGER, OTHER_LEDGER, UNSEEN = 91, 92, 77


@pytest.fixture
def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose worker owns every partition and waits no minute between two comparisons."""
    monkeypatch.setattr(statements, "_EVERY_S", 0.0)
    monkeypatch.setattr(statements, "_REST", 0)
    desk = Desk(database)
    desk.agent.assigned(ALL)
    return desk


def _refer(desk: Desk, number: int) -> Composed:
    facts: dict[str, Any] = {"suspects": [], "charges": [], "amounts": []}
    data = {"envelope": envelope_at("2022-09-28", to=["mps"]), **facts}
    return _admit(desk, desk.admitter.speaker("csrc").say("referral.submitted", data, chain(number)))


def _admit(desk: Desk, said: Composed) -> Composed:
    desk.admitter.now_ms += 1000
    desk.admitter.admit(said)
    return said


def _line(number: int, sent: int, received: int, *events: Composed) -> dict[str, Any]:
    digest = sha256(b"".join(sorted(event.digest for event in events))).digest()
    return {"chain": UUID(chain(number)), "sent": sent, "received": received, "digest": digest}


def _state(desk: Desk, agency: str, *lines: dict[str, Any], number: int = LEDGER) -> Composed:
    """What the agency holds, up to the time of the bus."""
    data = {
        "envelope": envelope_at("2022-09-30", to=[]),
        "as_of": at("2022-10-30"),
        "period": None,
        "chains": list(lines),
    }
    return _admit(desk, desk.admitter.speaker(agency).say("statement.account", data, chain(number)))


def _read(desk: Desk) -> None:
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()


def _found(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT chain, state FROM recon_finding WHERE rule = 'R66' ORDER BY chain")


def _heard(desk: Desk) -> list[tuple[list[str], str]]:
    """Who heard of each finding, and the words in which."""
    found: list[tuple[list[str], str]] = []
    for record in desk.sink.sent:
        if record.topic == "bus.finding" and EventHeaders.parse(record.headers).type == "finding.opened":
            body = data_of(record)
            found.extend(
                (body["envelope"]["to"], one["because"]["en"])
                for one in body["findings"]
                if one["rule"] == "R66"
            )
    return sorted(found)


def _closings(desk: Desk) -> list[list[str]]:
    records = [record for record in desk.sink.sent if record.topic == "bus.finding"]
    return [
        data_of(record)["envelope"]["to"]
        for record in records
        if EventHeaders.parse(record.headers).type == "finding.closed"
    ]


def test_a_case_that_the_bus_never_saw_is_found(desk: Desk, accounts_url: str) -> None:
    """It stands in one agency's ledger only: that agency hears of it, nobody else; a rebuild agrees."""
    referral = _refer(desk, 1)
    _state(desk, "csrc", _line(1, 1, 0, referral), _line(UNSEEN, 3, 2))
    _read(desk)
    assert _found(desk) == [(chain(LEDGER), "open")]
    ((to, words),) = _heard(desk)
    assert to == ["csrc"]
    assert f"chain {chain(UNSEEN)}: the bus never saw any of them" in words
    reader = AccountsReader(accounts_url)
    assert "R66" in [one["rule"] for one in reader.findings(chain=chain(LEDGER))]
    assert "R66" not in [one["rule"] for one in reader.findings(chain=chain(1))]
    assert "R66" not in [one["rule"] for one in reader.findings(agency="mps")]
    reader.close()
    desk.agent.tick()
    assert len(_heard(desk)) == 1
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_a_case_that_an_agency_does_not_have_is_found_and_closed(desk: Desk) -> None:
    """It hears what it lacks, who sent it that it did not arrive; the next statement closes it."""
    referral = _refer(desk, 1)
    first = _state(desk, "mps")
    _read(desk)
    assert _found(desk) == [(chain(1), "open")]
    heard = _heard(desk)
    assert [to for to, _ in heard] == [["csrc"], ["mps"]]
    assert "is not what you sent it" in heard[0][1]
    assert "does not hold this chain" in heard[1][1]
    assert rebuild(desk.database, Catalog.load()).differences == ()
    _state(desk, "mps", _line(1, 0, 1, referral), _line(LEDGER, 1, 0, first))
    _read(desk)
    assert _found(desk) == [(chain(1), "closed")]
    assert sorted(_closings(desk)) == [["csrc"], ["mps"]]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_a_statement_reveals_no_chain_to_who_was_not_told_of_it(desk: Desk) -> None:
    """Whoever states a chain of others hears the same as of one that does not exist, and nothing of it."""
    _refer(desk, 1)
    _state(desk, "court", _line(1, 1, 1), _line(UNSEEN, 1, 1), number=OTHER_LEDGER)
    _read(desk)
    assert _found(desk) == [(chain(OTHER_LEDGER), "open")] * 2
    heard = _heard(desk)
    assert [to for to, _ in heard] == [["court"], ["court"]]
    of, other = (words.replace(chain(1), "X").replace(chain(UNSEEN), "X") for _, words in heard)
    assert of == other


def test_statements_that_agree_say_nothing(desk: Desk) -> None:
    """Both hold what the bus has of them, in another order of lines."""
    one, two = _refer(desk, 1), _refer(desk, 2)
    _state(desk, "csrc", _line(2, 1, 0, two), _line(1, 1, 0, one))
    _state(desk, "mps", _line(1, 0, 1, one), _line(2, 0, 1, two), number=OTHER_LEDGER)
    _read(desk)
    assert _found(desk) == []
    ((looked,),) = desk.rows("SELECT count(*) FROM recon_stated")
    assert looked > 0


def test_only_a_new_statement_makes_the_chains_be_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick costs one look at the statements, however many chains there are."""
    referral = _refer(desk, 1)
    _state(desk, "csrc", _line(1, 1, 0, referral))
    _read(desk)
    begun: list[int] = []

    def go_on(*_: Any) -> bool:
        begun.append(1)
        return False

    monkeypatch.setattr(statements.Statements, "_go_on", go_on)
    _refer(desk, 2)
    _read(desk)
    assert begun == []
    _state(desk, "csrc")
    _read(desk)
    assert begun == [1]


def test_a_partition_that_lags_accuses_nobody(desk: Desk) -> None:
    """The comparison begins when all is entered that stood in bus.admission."""
    referral = _refer(desk, 1)
    _state(desk, "csrc", _line(1, 1, 0, referral))
    batches = desk.admitter.batches()
    ends = {batch.partition: batch.records[-1].offset + 1 for batch in batches}
    desk.agent._statements._ends = lambda: ends
    last = next(batch for batch in batches if any(r.key == chain(1).encode() for r in batch.records))
    desk.agent.handle([batch for batch in batches if batch is not last])
    desk.agent.tick()
    assert desk.rows("SELECT count(*) FROM recon_stated") == [(0,)]
    desk.agent.handle([last])
    desk.agent.tick()
    ((looked,),) = desk.rows("SELECT count(*) FROM recon_stated")
    assert looked == len(ends)
    assert _found(desk) == []


def test_many_chains_are_counted_in_steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step, a chain may end in another step than it began: nothing is lost or counted twice."""
    monkeypatch.setattr(statements, "_ROWS_AT_ONCE", 1)
    monkeypatch.setattr(statements, "_LONGEST_S", 0.0)
    events = [_refer(desk, 1 + number % 2) for number in range(6)]
    lines = [_line(number, 3, 0, *events[number - 1 :: 2]) for number in (1, 2)]
    _state(desk, "csrc", *lines, _line(UNSEEN, 1, 0))
    desk.agent.handle(desk.admitter.batches())
    monkeypatch.setattr(statements, "_LONGEST_S", 0.001)
    for _ in range(200):
        desk.agent.tick()
        if _found(desk):
            break
    assert _found(desk) == [(chain(LEDGER), "open")]


def test_a_word_on_it_is_no_word_on_nothing(desk: Desk) -> None:
    """Who is concerned may explain what was found of its statement without being accused (R40)."""
    _refer(desk, 1)
    _state(desk, "mps", _line(UNSEEN, 1, 0))
    _read(desk)
    for id, where in desk.rows("SELECT id, chain FROM recon_finding WHERE rule = 'R66'"):
        facts = {"finding": UUID(id), "explanation": "另案登记", "officer": None}
        data = {"envelope": envelope_at("2022-10-01", to=["csrc"]), **facts}
        _admit(desk, desk.admitter.speaker("mps").say("finding.explained", data, where))
    _read(desk)
    assert desk.rows("SELECT count(*) FROM recon_finding WHERE rule = 'R40'") == [(0,)]


# --- by themselves ----------------------------------------------------------------------------------------


def _statement(
    name: str, when: str, as_of: str, chains: Iterable[dict[str, Any]], **period: Any
) -> ChainEvent:
    span = period or None
    return say(
        name, "statement.account", when, chain=chain(9), as_of=at(as_of), period=span, chains=list(chains)
    )


def test_the_latest_time_counts_and_nobody_states_what_is_to_come() -> None:
    """Of two statements the later time, not the later arrival; a time ahead is that of the arrival."""
    old = _statement("a", "2022-01-20", "2022-01-05", [])
    new = _statement("b", "2022-01-19", "2022-01-15", [])
    assert last_statements([old, new])["csrc"].events == (new,)
    ahead = _statement("c", "2022-01-21", "2030-01-01", [])
    assert last_statements([old, new, ahead])["csrc"].as_of == at("2022-01-21")


def test_a_period_counts_its_days_only() -> None:
    """From the midnight of its first day to that behind its last one, in Beijing."""
    days = {"from": date(2022, 1, 5), "to": date(2022, 1, 6)}
    stated = last_statements([_statement("a", "2022-01-20", "2022-01-15", [], **days)])["csrc"]
    told = [
        stated.counts(at(when))
        for when in ("2022-01-04T23:59", "2022-01-05T00:00", "2022-01-06T23:59", "2022-01-07T00:00")
    ]
    assert told == [False, True, True, False]


def test_of_very_many_differences_the_first_are_shown() -> None:
    """A statement of made-up chains fills no list without end."""
    lines = [
        {"chain": UUID(int=number), "sent": 1, "received": 0, "digest": bytes(32)}
        for number in range(1, r66.MOST_SHOWN + 50)
    ]
    found = r66.compare_all([_statement("a", "2022-01-20", "2022-01-15", lines)])
    assert len(found) == r66.MOST_SHOWN


def test_counting_takes_no_part_of_order() -> None:
    """SHA-256 over the sorted digests, numbers apart."""
    counting = Counting()
    for digest, own in ((b"b" * 32, True), (b"a" * 32, False)):
        counting.add(digest, own=own)
    assert counting.held() == Held(1, 1, sha256(b"a" * 32 + b"b" * 32).digest())
