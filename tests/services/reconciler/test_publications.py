"""Published figures that the events do not give: found chain by chain, announced once, closed when mended."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.accounts_reader import AccountsReader
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.rules.statistics import r61
from casebus_schemas.statistics import comparison, in_parts
from casebus_schemas.statistics.in_parts import InParts
from casebus_schemas.statistics.scopes import ANY, Scope
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import TopicPartition
from casebus_services.reconciler import publications
from casebus_services.reconciler.accounts_database import Database
from casebus_services.reconciler.fence import FIGURES
from casebus_services.reconciler.rebuild import rebuild
from casebus_services.reconciler.store import Work
from support.cases.chains import at
from support.events.admissions import data_of
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at, ms

ALL = [TopicPartition("bus.admission", partition) for partition in range(4)]
PRESS = chain(90)


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk whose worker owns every partition."""
    desk = Desk(database)
    desk.admitter.now_ms = ms("2023-03-01")
    desk.agent.assigned(ALL)
    return desk


def _say(desk: Desk, event: Composed) -> Composed:
    desk.admitter.now_ms += 1000
    desk.admitter.admit(event)
    return event


def _figure(value: str, **more: Any) -> dict[str, Any]:
    """How many cases were referred in 2022."""
    return {
        "ref": "F1",
        "measure": "cases_referred",
        "kind": "count",
        "value": Decimal(value),
        "unit": "cases",
        "scope": "any",
        "cohort": "referral.submitted",
        "period": {"from": at("2022-01-01").date(), "to": at("2022-12-31").date()},
        "version": 1,
        "numerator": None,
        "denominator": None,
        "mixed": False,
        "source_count": None,
        "source_set": None,
        **more,
    }


def _publish(
    desk: Desk,
    *figures: Mapping[str, Any],
    agency: str = "csrc",
    envelope: Mapping[str, Any] | None = None,
    **more: Any,
) -> Composed:
    """A publication of that agency, or with `causes` a restatement."""
    kind = "publication.statistic_restated" if "causes" in more else "publication.statistic_published"
    data = {
        "envelope": envelope_at(
            "2023-02-09" if "causes" in more else "2023-01-09", **{"to": ["mps"], **(envelope or {})}
        ),
        "title": "press",
        "published_on": None,
        "as_of": None,
        "figures": list(figures),
        **more,
    }
    return _say(desk, desk.admitter.speaker(agency).say(kind, data, PRESS))


def _look(desk: Desk) -> int:
    """Enters what came, lets a minute pass and then as many ticks as the comparison takes; how many."""
    desk.agent.handle(desk.admitter.batches())
    desk.agent._publications._next_s = 0.0
    for ticks in range(1, 50):
        desk.agent.tick()
        if desk.agent._publications._walk is None:
            return ticks
    raise AssertionError("it does not come to an end")


def _announced(desk: Desk, kind: str = "opened") -> list[tuple[str, list[str]]]:
    """Rule and hearers of each finding of a figure that was announced."""
    return [
        (found["rule"], data_of(record)["envelope"]["to"])
        for record in desk.sink.sent
        if EventHeaders.parse(record.headers).producer == "reconciler-figures.7"
        and EventHeaders.parse(record.headers).type == f"finding.{kind}"
        for found in data_of(record)["findings"]
    ]


def _found(desk: Desk) -> list[tuple[Any, ...]]:
    return desk.rows("SELECT rule, state FROM recon_finding WHERE link_kind = 'published' ORDER BY rule")


def test_a_figure_that_does_not_add_up_is_announced_once(desk: Desk, accounts_url: str) -> None:
    """Three cases are stated, two were referred: R61 to the publisher, whatever restarts or is emptied."""
    for number in (1, 2):
        _say(desk, desk.refer(number=number))
    _publish(desk, _figure("3"))
    _look(desk)
    assert _announced(desk) == [("R61", ["csrc"])]
    reader = AccountsReader(accounts_url)
    (shown,) = reader.findings(agency="csrc", chain=PRESS)
    assert [account["value"]["value"] for account in shown["accounts"]] == ["3", "2"]
    assert [f["rule"] for f in reader.findings(rule="R61")] == ["R61"]
    assert "R61" in [f["rule"] for f in reader.case(PRESS, at("2030-01-01"))["findings"]]
    assert reader.findings(agency="mps", rule="R61") == reader.findings(chain=chain(1), rule="R61") == []
    reader.close()
    assert rebuild(desk.database, Catalog.load()).differences == ()
    _look(desk)
    with desk.database.writing() as transaction:
        for table in ("recon_finding", "recon_published", "recon_obligation", "recon_chain"):
            transaction.run(f"DELETE FROM {table}")
    desk.agent = desk.new_agent()
    desk.agent.assigned(ALL)
    _look(desk)
    assert _found(desk) == [("R61", "open")]
    assert len(_announced(desk)) == 1


def test_a_restatement_closes_it_and_a_later_event_opens_it_again(desk: Desk) -> None:
    """A late referral makes the figure R64, its restatement closes that, one more opens another."""
    _say(desk, desk.refer(number=1))
    _publish(desk, _figure("1"))
    _look(desk)
    assert _found(desk) == []
    late = _say(desk, desk.refer(number=2))
    _look(desk)
    assert _announced(desk) == [("R64", ["csrc"])]
    _publish(desk, _figure("2", version=2), previous=[_figure("1")], reasons="late", causes=[late.digest])
    _look(desk)
    assert (_found(desk), _announced(desk, "closed")) == ([("R64", "closed")], [("R64", ["csrc"])])
    assert rebuild(desk.database, Catalog.load()).differences == ()
    _say(desk, desk.refer(number=3))
    _look(desk)
    assert _found(desk) == [("R64", "closed"), ("R64", "open")]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_what_is_wrong_again_is_said_again(desk: Desk) -> None:
    """A figure that was wrong, then right by a later event, then wrong again is announced twice."""
    _publish(desk, _figure("1"))
    _look(desk)
    for number in (1, 2):
        _say(desk, desk.refer(number=number))
        _look(desk)
    assert [rule for rule, _ in _announced(desk)] == ["R61", "R61"]
    assert [rule for rule, _ in _announced(desk, "closed")] == ["R61"]


def test_a_correction_or_withdrawal_closes_it(desk: Desk) -> None:
    """The publisher takes the publication back: nothing is open, and all who heard of it hear that."""
    published = _publish(desk, _figure("5"))
    _look(desk)
    _publish(desk, causes=[], previous=[], reasons="wrong", envelope={"withdraws": published.digest})
    _look(desk)
    assert (_found(desk), _announced(desk, "closed")) == ([("R61", "closed")], [("R61", ["csrc"])])


def test_who_was_not_told_of_every_event_hears_no_figure(desk: Desk) -> None:
    """The police count what others asked among themselves: they hear that it differs, and the others all."""
    for number, to in ((1, "mps"), (2, "spp")):
        asked = {"envelope": envelope_at("2022-09-28", to=[to]), "question": "?"}
        _say(desk, desk.admitter.speaker("csrc").say("consultation.requested", asked, chain(number)))
    asked_for = {
        "measure": "consultations_requested",
        "unit": "events",
        "cohort": "consultation.requested",
    }
    _publish(desk, _figure("1", **asked_for), agency="mps", envelope={"to": ["csrc"]})
    _look(desk)
    assert sorted(_announced(desk)) == [("R61", ["csrc"]), ("R61", ["mps"])]
    shown = {
        data_of(record)["envelope"]["to"][0]: data_of(record)["findings"][0]
        for record in desk.sink.sent
        if EventHeaders.parse(record.headers).producer == "reconciler-figures.7"
    }
    assert shown["mps"]["because"]["en"] == r61.NOT_TOLD.en
    assert [account["agency"] for account in shown["mps"]["accounts"]] == ["mps"]
    assert "give 2" in shown["csrc"]["because"]["en"]


def test_it_counts_some_chains_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few events are read at a tick, the figure is compared once all chains are counted."""
    monkeypatch.setattr(publications, "_EVENTS_AT_ONCE", 1)
    for number in (1, 2, 3):
        _say(desk, desk.refer(number=number))
    _publish(desk, _figure("4"))
    assert _look(desk) > 3
    assert _found(desk) == [("R61", "open")]


def test_it_looks_once_a_minute(desk: Desk) -> None:
    """What comes right after a comparison waits for the next."""
    _publish(desk, _figure("0"))
    _look(desk)
    _say(desk, desk.refer(number=1))
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    assert _found(desk) == []
    _look(desk)
    assert _found(desk) == [("R64", "open")]


def test_it_waits_for_what_stands_before_it_on_the_bus(desk: Desk) -> None:
    """A partition that lags accuses nobody; while the broker is away nothing is compared."""
    ends: list[Any] = [RetryLater("the broker is away"), {}]

    def asked() -> Mapping[int, int]:
        answer = ends.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {batch.partition: batch.next_offset for batch in desk.admitter.batches()}

    desk.agent._publications._ends = asked
    counted = _say(desk, desk.refer(number=1))
    _publish(desk, _figure("1"))
    behind = [batch for batch in desk.admitter.batches() if batch.partition != counted.record.partition]
    desk.agent.handle(behind)
    for _ in range(3):
        desk.agent._publications._next_s = 0.0
        desk.agent.tick()
    assert (_found(desk), ends) == ([], [])
    desk.agent.handle(desk.admitter.batches())
    desk.agent.tick()
    assert (_found(desk), desk.rows("SELECT count(*) FROM recon_published")[0][0] > 0) == ([], True)


def test_an_older_worker_enters_nothing_over_a_newer_one(desk: Desk) -> None:
    """Who has looked less far than what is entered leaves it as it is."""
    _publish(desk, _figure("1"))
    desk.agent.handle(desk.admitter.batches())
    with desk.database.writing() as transaction:
        transaction.many("INSERT INTO recon_published VALUES (?,?)", [(n, 1000) for n in range(4)])
        work = Work(transaction, Catalog.load())
        work.release(work.fences([FIGURES], 7).values())
    desk.agent.tick()
    assert (_found(desk), _announced(desk)) == ([], [])


def test_a_figure_that_cannot_be_compared_is_said_and_hides_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the program fails at one figure there is R09, and the wrong figure beside it is found."""

    def fails_at_odd(text: str) -> Scope:
        return {"any": ANY}[text]

    monkeypatch.setattr(comparison, "find_scope", fails_at_odd)
    _publish(desk, _figure("7"), _figure("1", ref="F2", scope="odd"))
    _look(desk)
    assert _found(desk) == [("R09", "open"), ("R61", "open")]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_new_who_publishes_too_much_to_hold_takes_nobodys_room(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its share an agency's figures are said not to be computed; those of others are compared."""
    monkeypatch.setattr(in_parts, "MOST_HELD", 20)
    for number in (1, 2, 3):
        _say(desk, desk.refer(number=number))
    days = [{"from": at("2022-01-01").date(), "to": at(f"2022-12-{day}").date()} for day in (29, 30, 31)]
    _publish(desk, *(_figure("9", ref=f"F{n}", period=period) for n, period in enumerate(days)))
    _publish(desk, _figure("9"), agency="spp")
    _look(desk)
    assert _found(desk) == [("R09", "open"), ("R61", "open")]
    assert rebuild(desk.database, Catalog.load()).differences == ()


def test_a_chain_that_cannot_be_counted_leaves_all_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is accused by a count that leaves something out; events and time go on."""
    _say(desk, desk.refer(number=1))
    _publish(desk, _figure("7"))
    monkeypatch.setattr(InParts, "steps", lambda *_: 1 // 0)
    _look(desk)
    assert _found(desk) == []


def test_a_rebuild_shows_a_changed_or_missing_finding(desk: Desk) -> None:
    """What was found of published figures is compared like everything else."""
    _publish(desk, _figure("7"))
    _look(desk)
    with desk.database.writing() as transaction:
        transaction.run("DELETE FROM recon_finding WHERE rule = 'R61'")
    (difference,) = rebuild(desk.database, Catalog.load()).differences
    assert difference.startswith("recon_finding ")


def test_a_word_on_it_is_no_word_on_nothing(desk: Desk) -> None:
    """Who was told of the publication may explain what is found of it without being accused (R40)."""
    _publish(desk, _figure("7"))
    _look(desk)
    ((id,),) = desk.rows("SELECT id FROM recon_finding WHERE rule = 'R61'")
    for named in (UUID(id), UUID(int=7)):
        data = {
            "envelope": envelope_at("2023-01-10", to=["mps"]),
            "finding": named,
            "explanation": "口径",
            "officer": None,
            "sealed": None,
        }
        _say(desk, desk.admitter.speaker("csrc").say("finding.explained", data, PRESS))
    _look(desk)
    assert desk.rows("SELECT count(*) FROM recon_finding WHERE rule = 'R40'") == [(1,)]
