"""An agency's own view is what the bus shows that agency, whatever happened on the way to it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from casebus_consumers.accounts_reader import AccountsReader
from casebus_consumers.liaison.cases_cli import app
from casebus_consumers.own.store import OwnStore
from casebus_consumers.own.view import OwnView
from casebus_schemas.case.as_of import AsOf
from casebus_schemas.errors import UsageError
from casebus_schemas.rules.case_view import EVERYTHING
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import at
from support.cases.members import write_connection
from support.cases.own_cases import play
from support.events import receipts
from support.events.signed_events import chain
from support.reconciler.desk import Desk, envelope_at
from support.scenes.own_scene import OwnScene, ProvenInbox

NOW = at("2022-10-20")
SAME = ("status", "suspects", "agencies", "amounts", "security", "obligations", "findings", "hash")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as place:
        yield Path(place)


def played(folder: Path, number: int = 1) -> OwnScene:
    """A referral of the regulator, its receipt and a filing with another figure by the police."""
    scene = OwnScene(folder)
    play(scene, number)
    return scene


def test_a_case_is_what_was_said_and_heard(folder: Path) -> None:
    """State, both figures and the finding about them: from the agency's own files alone."""
    view = played(folder).view()
    case = view.case(chain(1), NOW)
    assert case["status"] == "filed"
    assert [line["type"] for line in case["events"]] == [
        "referral.submitted",
        "referral.receipted",
        "referral.filed",
    ]
    (found,) = [one for one in case["findings"] if one["rule"] == "R30"]
    assert {account["agency"] for account in found["accounts"]} == {"csrc", "mps"}
    assert (found["from"], found["announced"]) == ("own", None)
    assert case["waiting"] == []
    assert case["names"]["suspects"] == ["姜某君", "柳某"]


def test_it_is_what_the_bus_shows_that_agency(folder: Path) -> None:
    """Accounts, duties, findings and hash of the bus's own database, as that agency may see them."""
    scene = played(folder)
    url = f"sqlite:///{folder / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    desk.admitter = scene.admitter
    desk.agent = desk.new_agent()
    desk.agent.handle(scene.admitter.batches())
    database.close()
    reader = AccountsReader(url)
    theirs = reader.case(chain(1), NOW, asked=AsOf(known_by="csrc"))
    reader.close()
    ours = scene.view().case(chain(1), NOW)
    for one in (*ours["obligations"], *ours["findings"]):
        assert one.pop("from") == "own"
        assert one.pop("announced") is None
    assert theirs["obligations"]
    by_id = {name: {one["id"]: one for one in theirs[name]} for name in ("obligations", "findings")}
    assert {one["id"]: one for one in ours["obligations"]} == by_id["obligations"]
    assert {one["id"]: one for one in ours["findings"]} == by_id["findings"]
    for name in SAME:
        if name not in by_id:
            assert ours[name] == theirs[name], name


def test_what_waits_and_what_was_refused(folder: Path) -> None:
    """An event without a verdict is shown and said to wait; a refused one is no part of the case."""
    scene = played(folder)
    data = {"envelope": envelope_at("2022-10-01", to=["mps"]), "reasons": "entered twice"}
    before = scene.view().case(chain(1), NOW)
    record = scene.queue("referral.withdrawn", data, chain(1))
    waiting = scene.view().case(chain(1), NOW)
    assert len(waiting["waiting"]) == 1
    assert len(waiting["events"]) == len(before["events"]) + 1
    scene.keep(receipts.refused(record, at("2022-10-01T10:00"), "not-authorised", "no"))
    after = scene.view().case(chain(1), NOW)
    assert after["waiting"] == []
    assert after["hash"] == before["hash"]


def test_another_agencys_view_is_not_there(folder: Path) -> None:
    """Whoever asks the regulator's files for what the police know is told whose they are."""
    view = played(folder).view()
    with pytest.raises(UsageError, match="the view of csrc"):
        view.case(chain(1), NOW, asked=AsOf(known_by="mps"))
    with pytest.raises(UsageError, match="the view of csrc"):
        view.findings(agency="mps")
    with pytest.raises(UsageError, match="no such chain"):
        view.case(chain(2), NOW)


def test_known_at_and_as_of_are_answered(folder: Path) -> None:
    """The day before the filing was heard the case was received."""
    view = played(folder).view()
    asked = AsOf(known_by="csrc", known_at=at("2022-09-29T12:00"))
    assert view.case(chain(1), NOW, asked=asked)["status"] == "received"


def state_of(view: OwnView) -> Any:
    """All that a view answers."""
    return (
        view.chains(),
        [view.case(one["chain"], NOW) for one in view.chains()],
        view.obligations(NOW),
        view.findings(),
    )


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_crashes_repeats_and_restarts_change_nothing(data: st.DataObject) -> None:
    """Whatever ran are read together, repeated, interrupted after either file was written, or read again."""
    with TemporaryDirectory() as place:
        scene = OwnScene(Path(place))
        for number in (1, 2):
            play(scene, number)
        clean = OwnStore(Path(place) / "clean.db")
        scene.intake(clean).take(ProvenInbox(), scene.inbox)
        expected = state_of(scene.view(clean))
        for again in data.draw(st.lists(st.integers(0, len(scene.inbox) - 1), max_size=4), label="repeats"):
            record = scene.inbox[again]
            scene.inbox.append(record._replace(offset=len(scene.inbox)))
        store = OwnStore(Path(place) / "own.db")
        while (start := store.left_at("inbox.csrc")) < len(scene.inbox):
            end = data.draw(st.integers(start + 1, len(scene.inbox)), label="run")
            how = data.draw(st.sampled_from(("taken", "killed after the outbox", "killed after both")))
            if how == "killed after the outbox":
                scene.intake(Stillborn(store)).take(ProvenInbox(), scene.inbox[start:end])
                how = data.draw(st.sampled_from(("again", "later")))
            if how != "later":
                scene.intake(store).take(ProvenInbox(), scene.inbox[start:end])
            if how == "killed after both":
                store = OwnStore(Path(place) / "own.db")
            if data.draw(st.booleans(), label="looked at"):
                scene.view(store).findings()
        assert state_of(scene.view(store)) == expected


class Stillborn(OwnStore):
    """A store whose process is killed before it writes."""

    def __init__(self, of: OwnStore) -> None:
        self.file = of.file

    def add(self, *_: object) -> None:
        """Nothing reaches the disk."""


@settings(max_examples=8, deadline=None)
@given(hours=st.lists(st.integers(0, 24 * 400), min_size=2, max_size=6))
def test_a_kept_case_is_a_fresh_one(hours: list[int]) -> None:
    """Looked at in any order of times, what was kept gives what a new fold gives."""
    with TemporaryDirectory() as place:
        scene = played(Path(place))
        kept = scene.view()
        for number, hour in enumerate(hours):
            now = datetime(2022, 9, 28, tzinfo=UTC) + timedelta(hours=hour)
            fresh = OwnStore(Path(place) / f"{number}.db")
            scene.intake(fresh).take(ProvenInbox(), scene.inbox)
            assert kept.case(chain(1), now) == scene.view(fresh).case(chain(1), now, asked=EVERYTHING)


def test_the_commands_answer_from_the_agencys_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a connection.json that names no database of the bus, and no broker: what was known before."""
    monkeypatch.setattr("casebus_consumers.own.opening.CATCH_UP_S", 0.2)
    (tmp_path / "csrc.password").write_text("secret")
    connection = write_connection("127.0.0.1:9", tmp_path, tmp_path)
    folder = tmp_path / "agencies" / "csrc"
    folder.mkdir(parents=True)
    scene = played(folder)
    scene.view()
    scene.outbox.close()
    options = ("--agency", "csrc", "--connection", str(connection), "--json")
    cases = CliRunner().invoke(app, ["case", *options])
    assert cases.exit_code == 0, cases.output
    ((case),) = json.loads(cases.stdout)
    assert (case["chain"], case["status"], case["events"]) == (chain(1), "filed", 3)
    assert "Kafka" in cases.stderr
    found = CliRunner().invoke(app, ["findings", *options])
    assert {(one["rule"], one["from"]) for one in json.loads(found.stdout)} >= {("R30", "own")}
    due = CliRunner().invoke(app, ["obligations", *options, "--now", "2022-10-20"])
    assert {one["from"] for one in json.loads(due.stdout)} == {"own"}
    named = CliRunner().invoke(app, ["case", "姜某君", *options])
    assert json.loads(named.stdout)["status"] == "filed"
    other = CliRunner().invoke(app, ["case", "--agency", "mps", "--known-by", "csrc", *options[2:]])
    assert other.exit_code != 0
