"""Replay tells history in the order of time and what the ledger holds of it."""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaProducer
from kafka.admin import NewTopic
from sqlalchemy import text
from typer.testing import CliRunner, Result

from casebus_consumers.auditor.replay import Bound, gaps, in_time_order
from casebus_consumers.auditor.replay_cli import app
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.config import KafkaLogin, read_connection
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.compose import Composed
from casebus_schemas.wire.records import Batch, Record, TopicPartition
from casebus_services.ledger.store import LedgerStore
from support.cases.members import write_connection
from support.events.signed_events import Speaker
from support.ledger.ledgers import empty_sqlite

PLACES = TopicPartition("csrc.clue", 0), TopicPartition("csrc.clue", 1)


@pytest.mark.parametrize(
    ("first", "asked", "by_time", "said"),
    [
        ((0, 0), (), False, []),
        ((0, 5), (), False, ["csrc.clue/1 begins at 5"]),
        ((0, 5), (0, 4), False, ["csrc.clue/1 begins at 5"]),
        ((0, 5), (5, 5), False, []),
        ((0, 5), (2, 5), True, ["csrc.clue/1 begins at 5"]),
        ((0, 0), (9, 9), False, []),
        ((0, 0), (11, 11), False, []),
        ((0, 0), (13, 13), False, ["beyond the end, which is 12 at most"]),
    ],
)
def test_d12_what_cannot_be_replayed_is_said(
    first: tuple[int, ...], asked: tuple[int, ...], by_time: bool, said: list[str]
) -> None:
    """A beginning that Kafka has deleted, and a start behind the end of every partition."""
    ends = dict(zip(PLACES, (10, 12), strict=True))
    found = gaps(
        dict(zip(PLACES, first, strict=True)), ends, dict(zip(PLACES, asked, strict=False)), by_time=by_time
    )
    assert len(problems := [gap.en for gap in found]) == len(said)
    assert all(part in problem for part, problem in zip(said, problems, strict=True))


class Pages:
    """Stands for a reader: gives each partition's records page by page, unless it is paused.

    The real reader does the same on a broker in the tests below.
    """

    def __init__(self, records: Mapping[TopicPartition, list[Record]], page: int) -> None:
        self._records = records
        self._page = page
        self._paused: set[TopicPartition] = set()

    def seek(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Begins there."""
        self._at = dict(offsets)

    def pause(self, places: Iterable[TopicPartition]) -> None:
        """Stops giving of these."""
        self._paused.update(places)

    def resume(self, places: Iterable[TopicPartition]) -> None:
        """Gives of these again."""
        self._paused.difference_update(places)

    def runs_to(
        self, ends: Mapping[TopicPartition, int]
    ) -> Iterator[tuple[list[Record], list[TopicPartition]]]:
        """Pages of the first partition that has more and is not paused, and which have reached their ends."""
        left = list(ends)
        while True:
            done = [place for place in left if self._at[place] >= ends[place]]
            left = [place for place in left if place not in done]
            if not left:
                yield [], done
                return
            place = next(place for place in left if place not in self._paused)
            at = self._at[place]
            self._at[place] = min(at + self._page, ends[place])
            yield self._records[place][at : self._at[place]], done


def record(place: TopicPartition, offset: int, at: int) -> Record:
    """An empty record with a time."""
    return Record(*place, offset, at, 1, None, None, ())


def test_history_is_told_by_time_and_in_each_partitions_order() -> None:
    """Records of many partitions come by time stamp; a partition read far ahead waits for the others."""
    places = [TopicPartition("csrc.referral", number) for number in range(3)]
    records = {
        place: [record(place, offset, 10 * offset + number) for offset in range(3000)]
        for number, place in enumerate(places)
    }
    pages = cast(TopicReader, Pages(records, 100))
    told = list(in_time_order(pages, dict.fromkeys(places, 0), dict.fromkeys(places, 3000)))
    assert told == sorted((r for some in records.values() for r in some), key=lambda r: r.timestamp_ms)


def test_d5_a_partition_that_ends_without_a_record_holds_up_nobody() -> None:
    """Where markers of transactions stand at an end, or alone, the others are told to theirs, by time."""
    places = [TopicPartition("csrc.referral", number) for number in range(3)]
    counts = dict(zip(places, (0, 40, 3000), strict=True))
    records = {place: [record(place, n, 10 * n) for n in range(count)] for place, count in counts.items()}
    pages = cast(TopicReader, Pages(records, 100))
    ends = {place: count + 1 for place, count in counts.items()}
    told = list(in_time_order(pages, dict.fromkeys(places, 0), ends))
    assert [one.timestamp_ms for one in told] == sorted(
        10 * n for count in counts.values() for n in range(count)
    )


def test_a_partition_keeps_its_order_even_where_time_runs_back() -> None:
    """A time stamp that runs back does not reorder a partition."""
    place = TopicPartition("csrc.referral", 0)
    records = [record(place, offset, at) for offset, at in enumerate([5, 3, 4, 1])]
    pages = cast(TopicReader, Pages({place: records}, 2))
    assert list(in_time_order(pages, {place: 1}, {place: 4})) == records[1:]


def test_bounds_are_offsets_or_times() -> None:
    """A number is an offset, a day or time a time, Beijing's unless it says otherwise."""
    assert Bound.parse("41") == Bound(offset=41)
    assert Bound.parse("2016-10-18") == Bound(time_ms=1_476_720_000_000)
    assert Bound.parse("2016-10-17T16:00:00Z") == Bound(time_ms=1_476_720_000_000)
    with pytest.raises(UsageError, match="neither an offset nor a time"):
        Bound.parse("yesterday")


@pytest.fixture
def connection(broker: EmbeddedBroker, credentials: Path, tmp_path: Path) -> Path:
    """The connection.json of the broker."""
    return write_connection(broker.bootstrap_servers, credentials, tmp_path)


@pytest.fixture
def spoken(broker: EmbeddedBroker) -> list[tuple[Composed, int]]:
    """Eight new events of the regulator in Kafka, with their offsets."""
    speaker = Speaker("csrc", producer=f"csrc-1.{secrets.randbits(60) + 1}")
    producer: Any = KafkaProducer(**broker.admin_settings())
    found = []
    for number in range(8):
        event = speaker.refer(number)
        record = event.record
        headers = [(name, value or b"") for name, value in record.headers]
        future = producer.send(
            record.topic, key=record.key, value=record.value, headers=headers, partition=record.partition
        )
        found.append((event, int(future.get(30).offset)))
    producer.close()
    return found


@pytest.fixture
def ledger(connection: Path, spoken: object, tmp_path: Path) -> str:
    """A ledger that holds all of `csrc.referral`."""
    url = empty_sqlite(tmp_path)
    store = LedgerStore(url)
    login = KafkaLogin.read("auditor", read_connection(connection))
    with TopicReader(login, ["csrc.referral"]) as reader:
        ends = reader.ends()
        runs: dict[int, list[Record]] = {}
        for each in reader.read_to(ends):
            runs.setdefault(each.partition, []).append(each)
    for partition, records in runs.items():
        store.append([Batch("csrc.referral", partition, records, records[-1].offset + 1)])
    store.close()
    return url


def run(connection: Path, *arguments: str) -> Result:
    """Runs `replay` of the regulator's referrals."""
    return CliRunner().invoke(app, ["--connection", str(connection), "--topic", "csrc.referral", *arguments])


def lines(result: Result) -> list[dict[str, Any]]:
    """Its JSON lines."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.broker
def test_a_partition_that_had_to_wait_is_read_on(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """Partitions of very different size and pace are all told to their ends, whole and by time."""
    topic = f"replay-{secrets.token_hex(4)}"
    broker_admin.create_topics([NewTopic(topic, 4, 1)], wait_for_metadata=True)
    producer: Any = KafkaProducer(**broker.admin_settings(), batch_size=262_144)
    for size, count, places in ((600, 2400, (0, 1, 1, 2, 3, 3, 3)), (50_000, 600, (0, 1, 2, 3))):
        for number in range(count):
            producer.send(topic, value=bytes(size), partition=places[number % len(places)])
        producer.flush()
    producer.close()
    login = KafkaLogin(
        bootstrap_servers=broker.bootstrap_servers,
        sasl_username=broker.admin_username,
        sasl_password_file=broker.admin_password_file,
    )
    with TopicReader(login, [topic]) as reader:
        told = list(in_time_order(reader, reader.first(), reader.ends()))
    broker_admin.delete_topics([topic])
    for partition in range(4):
        offsets = [each.offset for each in told if each.partition == partition]
        assert offsets == list(range(len(offsets)))
    assert len(told) == 3000


@pytest.mark.broker
def test_everything_in_kafka_is_told(connection: Path, spoken: list[tuple[Composed, int]]) -> None:
    """Every record is told with place, digest, type and chain, oldest first."""
    result = run(connection)
    assert result.exit_code == 0, result.output
    found = lines(result)
    assert [line["at"] for line in found] == sorted(line["at"] for line in found)
    told = {(line["partition"], line["offset"]): (line["digest"], line["chain"]) for line in found}
    for event, offset in spoken:
        key = event.record.key or b""
        assert told[(event.record.partition, offset)] == (event.digest.hex(), key.decode())


@pytest.mark.broker
def test_offsets_bound_it(connection: Path, spoken: list[tuple[Composed, int]]) -> None:
    """--from and --to take offsets of each partition."""
    event, offset = spoken[-1]
    found = lines(run(connection, "--from", str(offset), "--to", str(offset + 1), "--events"))
    assert {line["offset"] for line in found} == {offset}
    [mine] = [line for line in found if line["partition"] == event.record.partition]
    assert mine["event"]["type"] == "referral.submitted"


@pytest.mark.broker
def test_times_bound_it(connection: Path, spoken: list[tuple[Composed, int]]) -> None:
    """--from a time after everything tells nothing; --to such a time tells all."""
    assert lines(run(connection, "--from", "2200-01-01")) == []
    assert len(lines(run(connection, "--to", "2200-01-01"))) == len(lines(run(connection)))


@pytest.mark.broker
def test_a_ledger_that_agrees_is_said(
    connection: Path, ledger: str, spoken: list[tuple[Composed, int]]
) -> None:
    """Each record that the ledger holds alike is equal, exit code 0."""
    result = run(connection, "--database-url", ledger)
    assert result.exit_code == 0, result.output
    assert {line["ledger"] for line in lines(result)} == {"equal"}


@pytest.mark.broker
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE entry SET leaf_hash = zeroblob(32) WHERE", "different"),
        ("DELETE FROM entry WHERE", "missing"),
    ],
)
def test_a_ledger_that_differs_is_named(
    connection: Path, ledger: str, spoken: list[tuple[Composed, int]], damage: str, said: str
) -> None:
    """A record that the ledger holds differently or not at all is named, exit code 1."""
    event, offset = spoken[0]
    store = LedgerStore(ledger)
    with store.database.engine.begin() as transaction:
        names = (
            transaction.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        )
        for name in names:
            transaction.execute(text(f"DROP TRIGGER {name}"))
        log = "(SELECT log_id FROM log WHERE partition = :partition)"
        place = {"partition": event.record.partition, "offset": offset}
        transaction.execute(text(f"{damage} log_id = {log} AND koffset = :offset"), place)
    store.close()
    result = run(connection, "--database-url", ledger)
    assert result.exit_code == 1
    wrong = [line for line in lines(result) if line["ledger"] != "equal"]
    assert [(line["partition"], line["offset"], line["ledger"]) for line in wrong] == [
        (event.record.partition, offset, said)
    ]


@pytest.mark.broker
def test_who_may_not_read_is_told(connection: Path) -> None:
    """An agency cannot replay another's topic."""
    error = run(connection, "--as", "mps").exception
    assert "mps cannot read csrc.referral" in str(error)
