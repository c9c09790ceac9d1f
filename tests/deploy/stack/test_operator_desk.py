"""The bus's operator signs in at a desk that knows no case, sees how the bus runs, and has records judged."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.desk.app import create_app
from casebus_consumers.liaison.dead_letters import parse_dead_letter
from casebus_deploy.stack import bus_letters, operator_desk
from casebus_deploy.stack.examined import Examined
from casebus_deploy.status_page.folder import disk_of, last_backup, note_backup
from casebus_deploy.status_page.status import Status, service_statuses
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.wire.records import Record, TopicPartition
from casebus_schemas.wire.signing import SigningKey
from casebus_services.reconciler.accounts_database import Database
from support.cases.chains import suspects
from support.events.admissions import data_of
from support.events.signed_events import Speaker, chain, seed_of, stored
from support.reconciler.desk import Desk, envelope_at
from support.router.router_writings import dead_letter
from support.scenes.desk_scene import QUICK, Browser
from support.scenes.waiting import eventually

PASSWORD = "password-of-operator"


class Orders:
    """Stands for the operator's voice."""

    said: list[tuple[Any, ...]]

    def __init__(self) -> None:
        self.said = []

    def redrive(self, origin: Origin, attempt: int, reasons: str) -> int:
        """Notes an order."""
        self.said.append((str(origin), attempt, reasons))
        return len(self.said) - 1

    def recompute(self, chain: UUID, reasons: str) -> int:
        """Notes an order."""
        self.said.append((str(chain), reasons))
        return len(self.said) - 1

    def close(self) -> None:
        """Nothing."""


class Scene:
    """A desk of the operator over accounts of one case, and a refused record of it."""

    def __init__(self, folder: Path, url: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.orders = Orders()
        self.records = [refused(desk)]
        self.examined = [Examined("broker", "bad", "no broker", "casebus up"), Examined("java", "ok", "java")]
        scene = self

        class Reader:
            """Stands for Kafka."""

            def __init__(self, *_: object) -> None:
                self._read = 0

            def ends(self) -> dict[TopicPartition, int]:
                return {}

            def read_to(self, _ends: object) -> Iterator[Record]:
                found = scene.records[self._read :]
                self._read += len(found)
                yield from found

            def close(self) -> None:
                pass

        monkeypatch.setattr(bus_letters, "TopicReader", Reader)
        monkeypatch.setattr(bus_letters, "LOOK_S", 0.0)
        monkeypatch.setattr(bus_letters, "one_dead_letter", lambda *_: scene.letter())
        monkeypatch.setattr("casebus_deploy.stack.operations.Operator.connect", lambda _file: scene.orders)
        monkeypatch.setattr("casebus_producers.config.KafkaLogin.read", lambda *_: None)
        monkeypatch.setattr("casebus_deploy.stack.doctor.examine", lambda _file: scene.examined)
        monkeypatch.setattr(
            "casebus_deploy.stack.bus_operation.read_keyring", lambda *_: SimpleNamespace(entries={})
        )
        known: Any = SimpleNamespace(databases={"accounts": url})
        self.office = operator_desk.OperatorDesk(folder / "connection.json", known, self.status, hasher=QUICK)
        self.office.officers.add("operator", PASSWORD, "operator", shown="Operator Li")
        self.browser = Browser(create_app(self.office, hosts=frozenset({"testserver"})))
        assert self.browser.sign_in("operator", PASSWORD).status_code == 303

    def letter(self) -> Any:
        """The refused record whole."""
        return parse_dead_letter(self.records[-1])

    def status(self) -> Status:
        """As the page shows it."""
        now = time.time()
        beats: dict[str, dict[str, Any]] = {
            "router": {"at": now, "last_batch_at": now, "last_batch_records": 7}
        }
        processes: dict[str, dict[str, Any]] = {
            "router": {"running": True, "pid": 4},
            "ledger": {"running": False},
        }
        return Status(
            at=now,
            broker="127.0.0.1:9092",
            broker_up=True,
            services=service_statuses(processes, beats, {"router": 1_234}, now),
            topics=(("csrc.referral", 12),),
            denials=("mps was refused Read on csrc.record",),
            failed_logins=(),
            disk=disk_of(self.folder),
            backup=last_backup(self.folder),
        )


def refused(desk: Desk) -> Record:
    """The first referral of the case as a second host says it, under a key that nobody knows."""
    speaker = Speaker("csrc", producer="csrc-2.1")
    data = {
        **data_of(desk.refer().record),
        "suspects": suspects("王小二"),
        "envelope": envelope_at("2022-09-28", to=["mps"]),
    }
    event = speaker.say("referral.submitted", data, chain(1), key=SigningKey(seed_of("unknown")))
    return stored(dead_letter(speaker, event))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Accounts."""
    found = Database(f"sqlite:///{tmp_path / 'accounts.db'}")
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def scene(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Scene:
    desk = Desk(database)
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    (tmp_path / "state.json").write_text(json.dumps({"services": {"router": {"running": True}}}))
    beat = tmp_path / "services" / "router" / "heartbeat.json"
    beat.parent.mkdir(parents=True)
    beat.write_text(json.dumps({"at": 1.0, "ignored_keys": ["csrc.key/0/9"]}))
    return Scene(tmp_path, f"sqlite:///{tmp_path / 'accounts.db'}", desk, monkeypatch)


def test_a_refused_record_is_judged_again_by_who_says_why(scene: Scene) -> None:
    """After a dry run that orders nothing; name and reason go into the order."""
    listed = scene.browser.get("/dead-letters").text
    assert "密钥事件" in listed
    (tag,) = {part[:24] for part in listed.split('name="pick-')[1:]}
    tried = scene.browser.submit("/dead-letters", step="try", **{f"pick-{tag}": "1"}).text
    assert "作第 3 次判断" in tried
    assert scene.orders.said == []
    done = scene.browser.submit("/dead-letters", step="do", reason="密钥已公告", **{f"pick-{tag}": "1"}).text
    assert "bus.command/0/0" in done
    ((origin, attempt, reasons),) = scene.orders.said
    assert (attempt, reasons) == (3, "密钥已公告 (operator)")
    assert origin == str(scene.letter().origin)
    (noted,) = [one for one in scene.office.accesses.before(10**9, 50) if one["act"] == "redrove"]
    assert (noted["officer"], noted["object"], noted["reason"]) == (
        "operator",
        f"record:{origin}",
        "密钥已公告",
    )
    again = scene.browser.get("/dead-letters").text
    assert "尚无结果" in again
    assert f"pick-{tag}" not in again


def test_a_record_that_was_admitted_since_is_no_dead_letter(scene: Scene, database: Database) -> None:
    """The verdict on a later attempt takes it off the list."""
    origin = scene.letter().origin
    with database.writing() as transaction:
        transaction.run(
            "INSERT INTO recon_admission (topic, partition, koffset, attempt, bus_partition, bus_offset, "
            "verdict, admitted_ms) VALUES (?, ?, ?, 3, 0, 99999, 'admitted', 1)",
            (origin.topic, origin.partition, origin.offset),
        )
    assert str(origin) not in scene.browser.get("/dead-letters").text


def test_the_content_of_a_record_is_masked(scene: Scene) -> None:
    """The operator sees facts of the case by the schema, and no name."""
    page = scene.browser.get("/dead-letters").text
    address = page.split('href="/dead-letters/')[1][:24]
    shown = scene.browser.get(f"/dead-letters/{address}").text
    assert "unknown-key" in shown
    assert "王＊＊" in shown
    assert "王小二" not in shown


def test_the_page_shows_what_page_and_doctor_say(scene: Scene) -> None:
    """Services with lag and last batch, refused accesses, disk, backup, and the doctor's findings."""
    first = scene.browser.get("/operate").text
    for words in ("router", "1,234", "停止", "mps was refused", "尚无备份", "剩余"):
        assert words in first, words
    eventually(lambda: "no broker" in scene.browser.get("/operate").text, 30)
    note_backup(scene.folder, scene.folder / "backup", 7, keys=True)
    scene.browser.english()
    page = scene.browser.get("/operate").text
    for words in ("7 files", "with keys", "casebus up", "Refused accesses", "Nobody was held back"):
        assert words in page, words


def test_the_operators_desk_knows_no_case(scene: Scene) -> None:
    """Its head leads to the two pages; an agency's pages are refused."""
    page = scene.browser.get("/").headers["location"]
    assert page == "/operate"
    for path in ("/inbox", "/cases", "/findings", "/due", "/live"):
        assert scene.browser.get(path).status_code in (401, 403, 404), path
