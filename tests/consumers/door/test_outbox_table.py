"""An agency's system writes rows into a table of its own PostgreSQL, and reads there what became of them."""

import json
import signal
import time
import uuid
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest

from casebus_consumers.door.door import Door
from casebus_consumers.door.settings import DoorSettings, TableSettings
from casebus_consumers.door.table.taking import AFTER_QUEUE, OutboxTable
from casebus_producers.private_files import write_private
from casebus_schemas.errors import RetryLater, UsageError
from casebus_schemas.wire.headers import EventHeaders
from support.cases.chains import at
from support.cases.members import door_event
from support.events import receipts
from support.events.signed_events import stored
from support.scenes.door_children import door_of, outbox_table, take_rows
from support.scenes.forked import forked
from support.scenes.kept import keep

pytestmark = pytest.mark.postgres

DDL = (files("casebus_consumers.door.table") / "outbox_table.sql").read_text(encoding="utf-8")
DEBEZIUM = """
CREATE TABLE casebus_outbox (id uuid NOT NULL, aggregatetype varchar(255), aggregateid varchar(255),
                             type varchar(255), payload text)
"""
IDS = [str(uuid.UUID(int=number + (4 << 76) + (8 << 60))) for number in range(100)]


class Table:
    """The agency's database and the door that reads it."""

    def __init__(self, url: str, folder: Path, ddl: str) -> None:
        self.folder = folder
        self.url_file = folder / "outbox.url"
        write_private(self.url_file, url)
        self.database = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self.database.execute(ddl.encode())
        self.door: Door = door_of(folder)
        self.worker: OutboxTable = outbox_table(self.door, self.url_file)

    def put(self, number: int, payload: Any, type: str = "referral.submitted") -> None:
        """A row as an agency's transaction writes it."""
        self.database.execute(
            "INSERT INTO casebus_outbox (id, aggregatetype, aggregateid, type, payload)"
            " VALUES (%s, 'case', 'A-7', %s, %s)",
            (IDS[number], type, json.dumps(payload) if not isinstance(payload, str) else payload),
        )

    def work(self) -> None:
        """Takes all that is there and brings what the bus answered."""
        with self.worker.connected() as connection:
            while self.worker.take(connection):
                pass
            self.worker.bring_receipts(connection)

    def answers(self) -> dict[str, tuple[str, Any]]:
        """State and refusal by the id of the row."""
        found = self.database.execute("SELECT id, state, refusal FROM casebus_outbox_answer")
        return {row[0]: (row[1], row[2]) for row in found}

    def said(self) -> list[str]:
        """Ids of the events in the outbox, oldest first."""
        return [str(row.id) for row in reversed(self.door._outbox.recent(1_000))]


@pytest.fixture
def table(postgres_url: str, tmp_path: Path) -> Iterator[Table]:
    table = Table(postgres_url, tmp_path, DDL)
    yield table
    table.database.close()
    table.door._outbox.close()


def payload(number: int, **changes: Any) -> dict[str, Any]:
    """Time and data of a lawful referral of its own case."""
    event = door_event(
        envelope={"local_refs": [{"issuer": "csrc", "scheme": "case", "value": f"row-{number}"}]}, **changes
    )
    return {"time": event["time"], "data": event["data"]}


def whole(number: int) -> dict[str, Any]:
    """The same as a CloudEvent."""
    return door_event(
        id=IDS[number],
        envelope={"local_refs": [{"issuer": "csrc", "scheme": "case", "value": f"row-{number}"}]},
    )


def test_rows_are_said_in_their_order_and_answered(table: Table) -> None:
    """The row's id is the event's; the payload is a whole event, or its time and data."""
    for number in (3, 1, 2):
        table.put(number, whole(number) if number == 1 else payload(number))
    table.work()
    assert table.said() == [IDS[3], IDS[1], IDS[2]]
    assert table.answers() == {IDS[number]: ("queued", None) for number in (1, 2, 3)}
    table.work()
    assert len(table.said()) == 3


def test_what_is_wrong_is_answered_with_field_and_law(table: Table) -> None:
    """Each mistake with its pointer in both languages, and the law of the type; rows behind it are said."""
    wrong = payload(1)
    wrong["data"]["envelope"]["precision"] = "hour"
    table.put(1, wrong)
    table.put(2, [])
    table.put(3, {**whole(4)})
    table.put(5, payload(5), type="referral.unheard_of")
    table.put(6, payload(6))
    table.work()
    answers = table.answers()
    state, refusal = answers[IDS[1]]
    assert (state, refusal["by"]) == ("refused", "door")
    (error,) = refusal["errors"]
    assert error["pointer"] == "#/data/envelope/precision"
    assert error["detail"]
    assert error["zh"]
    assert refusal["law"]
    assert [answers[IDS[number]][1]["errors"][0]["pointer"] for number in (2, 3, 5)] == [
        "#",
        "#/id",
        "#/type",
    ]
    assert answers[IDS[6]] == ("queued", None)
    assert table.said() == [IDS[6]]


def test_what_the_bus_answers_comes_to_the_row(table: Table) -> None:
    """Admitted, ledgered; a refusal with its code, which the ledger's receipt does not hide."""
    for number in (1, 2):
        table.put(number, payload(number))
    table.work()
    records = [stored(row.record, 7 + at) for at, row in enumerate(table.door._outbox.pending(0, 2, 10**7))]
    keep(table.door, receipts.admitted(records[0], at("2016-10-19"), "mps"))
    table.work()
    assert table.answers()[IDS[1]] == ("admitted", None)
    keep(table.door, receipts.ledgered(records[0], at("2016-10-19"), 0))
    keep(table.door, receipts.refused(records[1], at("2016-10-19"), "bad-body", "not a body"))
    keep(table.door, receipts.ledgered(records[1], at("2016-10-19"), 1))
    table.work()
    assert table.answers()[IDS[1]] == ("ledgered", None)
    state, refusal = table.answers()[IDS[2]]
    assert (state, refusal["by"], refusal["code"]) == ("refused", "bus", "bad-body")


def test_debezium_s_columns_are_enough(postgres_url: str, tmp_path: Path) -> None:
    """A table as its outbox router has it, payload as text; only the answers are ours."""
    answers = DDL.replace("CREATE TABLE casebus_outbox (", "CREATE TABLE unused (", 1)
    answers = answers.replace("AFTER INSERT ON casebus_outbox\n", "AFTER INSERT ON unused\n")
    table = Table(postgres_url, tmp_path, DEBEZIUM + ";" + answers)
    table.put(1, payload(1))
    table.put(2, "{")
    table.work()
    assert {id: state for id, (state, _) in table.answers().items()} == {IDS[1]: "queued", IDS[2]: "refused"}
    table.database.close()
    table.door._outbox.close()


def test_rows_go_where_the_agency_says_so(table: Table) -> None:
    """With `delete: true` a row goes with the answer; written again it is the same event."""
    table.worker._settings = TableSettings(table.url_file, delete=True)
    table.put(1, payload(1))
    table.work()
    assert table.database.execute("SELECT count(*) FROM casebus_outbox").fetchone() == (0,)
    table.put(1, payload(1))
    table.work()
    assert table.said() == [IDS[1]]
    assert table.answers() == {IDS[1]: ("queued", None)}


def test_one_door_reads_a_table(table: Table) -> None:
    """A second one waits until the first has left."""
    with (
        table.worker.connected(),
        pytest.raises(RetryLater),
        outbox_table(table.door, table.url_file).connected(),
    ):
        pass
    with outbox_table(table.door, table.url_file).connected():
        pass


def test_a_row_wakes_the_door(table: Table) -> None:
    """The trigger of the documented table notifies: a row is not waited for."""
    with table.worker.connected() as connection:
        table.put(1, payload(1))
        began = time.monotonic()
        assert [one.channel for one in connection.notifies(timeout=20, stop_after=1)] == ["casebus_outbox"]
        assert time.monotonic() - began < 15


def test_a_table_that_is_missing_is_said(table: Table) -> None:
    """By name, as an error of the settings; a database that is away as one that passes."""
    table.database.execute("DROP TABLE casebus_outbox_answer")
    with pytest.raises(UsageError, match="casebus_outbox_answer"):
        table.work()
    write_private(table.url_file, "postgresql://nobody:secret-word@127.0.0.1:1/none")
    with pytest.raises(RetryLater) as raised:
        table.work()
    assert "secret-word" not in raised.value.detail


def test_killed_between_outbox_and_table_it_says_each_row_once(table: Table) -> None:
    """Killed when the events are in the outbox and the answers are not, and by signal: every row is
    answered, and is one event."""
    count = 60
    for number in range(count // 2):
        table.put(number, payload(number))
    for _ in range(2):
        child = forked(take_rows, table.folder, table.url_file, {AFTER_QUEUE: 1})
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        assert len(table.said()) == count // 2
        assert table.answers() == {}
    child = forked(take_rows, table.folder, table.url_file, {})
    for number in range(count // 2, count):
        table.put(number, payload(number))
    _until(lambda: len(table.answers()) > count // 2)
    child.kill()
    child.join()
    _until(lambda: not _held(table))
    table.work()
    assert set(table.answers().values()) == {("queued", None)}
    assert sorted(table.said()) == sorted(IDS[:count])
    pending = table.door._outbox.pending(0, 1_000, 10**8)
    numbers = [(one.record.topic, one.record.partition, _seq(one.record.headers)) for one in pending]
    assert len(set(numbers)) == count


def _seq(headers: Any) -> int:
    return EventHeaders.parse(headers).seq


def _held(table: Table) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    row = table.database.execute(query).fetchone()
    return row is not None and row[0] > 0


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_table_is_a_setting(tmp_path: Path) -> None:
    """Named in door.yaml; what is no name of a table is refused."""
    (tmp_path / "door.yaml").write_text("table: {url_file: outbox.url, name: cases.outbox}\n")
    assert DoorSettings.read(tmp_path).table == TableSettings(tmp_path / "outbox.url", "cases.outbox")
    (tmp_path / "door.yaml").write_text("table: {url_file: outbox.url, name: 'x; DROP TABLE y'}\n")
    with pytest.raises(UsageError):
        DoorSettings.read(tmp_path)
