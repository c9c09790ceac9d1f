"""Figures are the same from files, from the accounts database and from bus.admission."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.statistics.sources import from_accounts, from_files, of_admissions
from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Forged, UsageError
from casebus_schemas.wire.door import parse_event
from casebus_services.reconciler.accounts_database import Database
from support.cases.prosecutions import played
from support.cases.statistics_chains import count
from support.events.admissions import Admitter, unsigned
from support.events.signed_events import chain, referral
from support.reconciler.desk import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """The played set, signed by the procuratorate and admitted, and the accounts that came of it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('accounts') / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    for number, said in enumerate(played(), 1):
        event = parse_event(said, Catalog.load())
        composed = desk.admitter.speaker("spp").say(
            event.type, event.data, chain(number), id=event.id, source=event.source
        )
        record = desk.admitter.admit(composed)
        if number % 10 == 0:
            desk.admitter.again(record)
    desk.play(number=1000)
    desk.agent.handle(desk.admitter.batches())
    yield desk, url
    database.close()


def test_every_source_gives_the_same_figure(desk: tuple[Desk, str], events: list[ChainEvent]) -> None:
    """376 from accounts, admissions and files; the first two from the same set of signed events."""
    played_desk, url = desk
    records = [record for batch in played_desk.admitter.batches() for record in batch.records]
    accounts = count(from_accounts(url, Catalog.load()))
    admissions = count(of_admissions(records, Catalog.load(), played_desk.admitter.keyring))
    assert (accounts.value, admissions.value, count(events).value) == (376, 376, 376)
    assert accounts.source_set == admissions.source_set
    assert len(accounts.sources) == len(count(events).sources)


def test_refused_admissions_do_not_count() -> None:
    """What the router refused is no event of any figure."""
    admitter = Admitter()
    csrc = admitter.speaker("csrc")
    good = admitter.admit(csrc.refer(1))
    refused = admitter.admit(csrc.say("referral.submitted", referral(), chain(2), source="/mps/desk"))
    known = Catalog.load(), admitter.keyring
    assert [event.digest for event in of_admissions([refused, good], *known)] == [
        event.digest for event in of_admissions([good], *known)
    ]


def test_b2_a_figure_is_not_made_of_a_forged_admission() -> None:
    """An admission that is not under a key of the bus ends the count, naming its place."""
    admitter = Admitter()
    record = admitter.admit(admitter.speaker("csrc").refer(1))
    with pytest.raises(Forged, match="not the router's"):
        of_admissions([unsigned(record)], Catalog.load(), admitter.keyring)


def _file(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    return file


def test_a_line_may_give_digest_and_admission(tmp_path: Path) -> None:
    """Notices and replayed records carry their digest and time of admission; refused ones are left out."""
    first, second, third = list(played())[:3]
    wrapped = {"event": first, "digest": "ab" * 32, "admitted_at": "2022-07-05T09:00:00+08:00"}
    replayed = {
        "event": second,
        "admission": {"verdict": "admitted", "admitted_at": "2022-07-06T01:00:00.000Z"},
    }
    refused = {"event": third, "admission": {"verdict": "refused"}}
    found = from_files([_file(tmp_path, wrapped, replayed, refused)], Catalog.load())
    assert [event.id for event in found] == [UUID(first["id"]), UUID(second["id"])]
    assert found[0].digest.hex() == "ab" * 32
    assert [event.admitted_at.isoformat() for event in found] == [
        "2022-07-05T01:00:00+00:00",
        "2022-07-06T01:00:00+00:00",
    ]


def test_events_of_one_matter_meet_in_one_chain(tmp_path: Path) -> None:
    """A shared case number or an answer puts events into one chain, other numbers into another."""
    first, second, *_ = played()
    same = {
        **second,
        "source": first["source"],
        "data": {**second["data"], "envelope": {**first["data"]["envelope"], "message_no": "x"}},
    }
    answer = {**second["data"]["envelope"], "in_reply_to": first["id"], "message_no": "y"}
    replied = {**second, "id": None, "data": {**second["data"], "envelope": answer}}
    found = from_files([_file(tmp_path, first, same, replied)], Catalog.load())
    assert len({event.chain for event in found}) == 1
    assert len({event.chain for event in from_files([_file(tmp_path, first, second)], Catalog.load())}) == 2


def test_what_is_no_event_names_its_line(tmp_path: Path) -> None:
    """A wrong event is refused with file and line."""
    wrong = {**next(played()), "type": "outcome.unheard"}
    with pytest.raises(UsageError, match=r"events\.jsonl, line 2: .*unknown event type"):
        from_files([_file(tmp_path, next(played()), wrong)], Catalog.load())
