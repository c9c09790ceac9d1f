"""After a restore: how far a rebuild is, and whether a refused record was said again."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.liaison import cases_cli, taken_in
from casebus_consumers.liaison.dead_letters import DeadLetter, parse_dead_letter
from casebus_consumers.liaison.said_since import said_since
from casebus_schemas.catalogue.topology import ADMISSION
from casebus_schemas.wire.records import TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from support.events.signed_events import Speaker, chain, seed_of, stored
from support.reconciler.desk import Desk, envelope_at
from support.router.router_writings import dead_letter


@pytest.fixture
def url(accounts_url: str) -> str:
    """Address of an accounts database."""
    return accounts_url


@pytest.fixture
def desk(database: Database) -> Desk:
    """A reconciler that has taken one case into it."""
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    return desk


@pytest.mark.parametrize(("more", "said"), [(0, "equal\n"), (920, "3 of 923 admissions are taken in")])
def test_d14_a_rebuild_says_how_far_the_accounts_are(
    desk: Desk, url: str, more: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they catch up nothing is called equal: so much of so much is taken in, exit 1."""
    (batch,) = desk.admitter.batches()
    ends = {TopicPartition(ADMISSION, number): 0 for number in range(4)}
    ends[TopicPartition(ADMISSION, batch.partition)] = 3 + more

    class Reader:
        """Stands for Kafka."""

        def __init__(self, *_: object) -> None:
            pass

        def __enter__(self) -> Any:
            return SimpleNamespace(ends=lambda: ends)

        def __exit__(self, *_: object) -> None:
            pass

    known = SimpleNamespace(databases={"accounts": url})
    monkeypatch.setattr(taken_in, "TopicReader", Reader)
    monkeypatch.setattr("casebus_producers.config.KafkaLogin.read", lambda *_: None)
    monkeypatch.setattr("casebus_producers.config.read_connection", lambda _: known)
    plain = CliRunner().invoke(cases_cli.app, ["rebuild"])
    found = json.loads(CliRunner().invoke(cases_cli.app, ["rebuild", "--json"]).stdout)
    assert said in plain.stdout
    assert plain.exit_code == (1 if more else 0)
    assert (found["ok"], found["behind"]) == (not more, more)


def _refused(desk: Desk, **envelope: Any) -> DeadLetter:
    """The first referral of the case as a second host says it, under a key that nobody knows."""
    speaker = Speaker("csrc", producer="csrc-2.1")
    data = {**_referral(desk), "envelope": envelope_at("2022-09-28", to=["mps"], **envelope)}
    event = speaker.say("referral.submitted", data, chain(1), key=SigningKey(seed_of("unknown")))
    return parse_dead_letter(stored(dead_letter(speaker, event)))


def _referral(desk: Desk) -> dict[str, Any]:
    from support.events.admissions import data_of

    return data_of(desk.refer().record)


def test_e8_a_redrive_knows_what_was_admitted_since(desk: Desk, url: str) -> None:
    """The same content in the same chain, under another number; other content is no reason to warn."""
    since = said_since(url, _refused(desk))
    assert since is not None
    assert (since.type, since.agency) == ("referral.submitted", "csrc")
    assert said_since(url, _refused(desk, cc=["spp"])) is None
