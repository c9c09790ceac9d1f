"""The topic reader reads all there is, says what it may not see, and survives the broker's restart."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.config import KafkaLogin
from casebus_producers.topic_reader import AccessDenied, TopicReader
from casebus_schemas.errors import RetryLater
from casebus_schemas.wire.records import Record, TopicPartition

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def topic(broker_admin: Any) -> Iterator[str]:
    """A topic of this test's own with two partitions."""
    name = f"reader-{secrets.token_hex(4)}"
    broker_admin.create_topics([NewTopic(name, 2, 1)], wait_for_metadata=True)
    yield name
    # After a restart the admin's old connection may be gone; the topic goes with the broker's folder.
    with contextlib.suppress(KafkaError):
        broker_admin.delete_topics([name])


@pytest.fixture
def login(broker: EmbeddedBroker) -> KafkaLogin:
    """The super user's login."""
    return KafkaLogin(
        bootstrap_servers=broker.bootstrap_servers,
        sasl_username=broker.admin_username,
        sasl_password_file=broker.admin_password_file,
    )


def write(broker: EmbeddedBroker, topic: str, *values: bytes, partition: int = 0) -> None:
    """Writes values in order."""
    producer: Any = KafkaProducer(**broker.admin_settings(), bootstrap_timeout_ms=30_000)
    for value in values:
        producer.send(topic, value=value, partition=partition, headers=[("name", b"x")]).get(30)
    producer.close()


def values(records: list[Record]) -> list[bytes | None]:
    """Their values."""
    return [record.value for record in records]


def test_everything_before_the_ends_is_read(broker: EmbeddedBroker, topic: str, login: KafkaLogin) -> None:
    """Reading to the ends gives every record with key, headers, time and place, and then ends."""
    write(broker, topic, b"a", b"b")
    write(broker, topic, b"c", partition=1)
    with TopicReader(login, [topic]) as reader:
        ends = reader.ends()
        assert ends == {TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 1}
        assert reader.first() == dict.fromkeys(ends, 0)
        records = list(reader.read_to(ends))
    assert sorted((r.partition, r.offset, r.value) for r in records) == [
        (0, 0, b"a"),
        (0, 1, b"b"),
        (1, 0, b"c"),
    ]
    assert {r.headers for r in records} == {(("name", b"x"),)}


def test_reading_starts_and_ends_where_asked(broker: EmbeddedBroker, topic: str, login: KafkaLogin) -> None:
    """Start offsets and ends bound what is read."""
    write(broker, topic, b"a", b"b", b"c", b"d")
    place = TopicPartition(topic, 0)
    with TopicReader(login, [topic], {place: 1}) as reader:
        assert values(list(reader.read_to({place: 3}))) == [b"b", b"c"]


def test_times_lead_to_offsets(broker: EmbeddedBroker, topic: str, login: KafkaLogin) -> None:
    """A time gives the first record not older, or the end."""
    write(broker, topic, b"a", b"b")
    place = TopicPartition(topic, 0)
    with TopicReader(login, [topic]) as reader:
        second = list(reader.read_to({place: 2}))[1]
        assert reader.offsets_at(second.timestamp_ms)[place] in (0, 1)  # both may be of one millisecond
        assert reader.offsets_at(second.timestamp_ms + 3_600_000)[place] == 2


def test_a_topic_that_cannot_be_seen_is_an_error(
    broker: EmbeddedBroker, credentials: Path, login: KafkaLogin
) -> None:
    """No right to read, or no such topic, is said at once."""
    agency = replace(login, sasl_username="csrc", sasl_password_file=credentials / "csrc.password")
    with pytest.raises(AccessDenied, match=r"csrc cannot read inbox\.mps"):
        TopicReader(agency, ["inbox.mps"])
    with pytest.raises(AccessDenied, match="cannot read no-such-topic"):
        TopicReader(login, ["no-such-topic"])


def test_a_broker_that_is_not_there_is_an_error(login: KafkaLogin) -> None:
    """Nothing listening is said within seconds."""
    begun = time.monotonic()
    with pytest.raises(RetryLater, match="nothing listens there"):
        TopicReader(replace(login, bootstrap_servers="127.0.0.1:9"), ["inbox.mps"])
    assert time.monotonic() - begun < 15


def test_following_survives_a_restart_of_the_broker(
    mortal_broker: EmbeddedBroker, topic: str, login: KafkaLogin
) -> None:
    """A reader that polls on gets what comes after the broker was away, once and in order."""
    write(mortal_broker, topic, b"a")
    with TopicReader(login, [topic]) as reader:
        found = list(reader.read_to(reader.ends()))
        mortal_broker.kill()
        assert reader.poll(0.5) == []
        mortal_broker.start()
        write(mortal_broker, topic, b"b", b"c")
        deadline = time.monotonic() + 60
        while len(found) < 3 and time.monotonic() < deadline:
            found += reader.poll(1.0)
    assert values(found) == [b"a", b"b", b"c"]


def test_what_comes_behind_the_ends_is_read_next(
    broker: EmbeddedBroker, topic: str, login: KafkaLogin
) -> None:
    """Records that were written after the ends were asked for are neither given before nor lost."""
    write(broker, topic, b"1", b"2", b"3")
    write(broker, topic, b"x", b"y", partition=1)
    with TopicReader(login, [topic]) as reader:
        one, other = (TopicPartition(topic, number) for number in (0, 1))
        assert values(list(reader.read_to({one: 1, other: 2}))) in ([b"1", b"x", b"y"], [b"x", b"y", b"1"])
        write(broker, topic, b"4")
        assert values(list(reader.read_to(reader.ends()))) == [b"2", b"3", b"4"]
        assert values(list(reader.read_to(reader.ends()))) == []
