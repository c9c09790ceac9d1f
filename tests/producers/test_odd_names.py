"""Header names that are not UTF-8: readers with kafka-python get past them and keep their bytes."""

from pathlib import Path
from typing import Any

import pytest

from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_producers.config import KafkaLogin
from casebus_producers.odd_names import shown_name
from casebus_producers.topic_reader import TopicReader
from casebus_schemas.errors import Refused
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.records import Outgoing
from casebus_services.streams.sink import KafkaSink
from support.reconciler.row_service import connection, new_topics

ODD = b"a\xff".decode("utf-8", "surrogateescape")


@pytest.mark.broker
def test_a_reader_gets_past_an_odd_name(broker: EmbeddedBroker, broker_admin: Any) -> None:
    """A record with a header name that is not UTF-8 is read with its bytes, and so is what follows it."""
    topic = new_topics(broker_admin, 1)[0]
    records = [
        Outgoing(topic, 0, b"k", b"1", (("plain", b"1"),)),
        Outgoing(topic, 0, b"k", b"2", (("before", None), (ODD, b"x"), ("after", b"y"))),
        Outgoing(topic, 0, b"k", b"3", ()),
    ]
    sink = KafkaSink(connection(broker), "odd")
    for record in records:
        sink.send_all([record])
    sink.close()
    login = KafkaLogin(
        bootstrap_servers=broker.bootstrap_servers,
        sasl_username=broker.admin_username,
        sasl_password_file=Path(broker.admin_password_file),
    )
    with TopicReader(login, [topic]) as reader:
        read = list(reader.read_to(reader.ends()))
    assert [Outgoing(r.topic, r.partition, r.key, r.value, r.headers) for r in read] == records


def test_an_odd_name_can_be_shown() -> None:
    """A name is written with its odd bytes in hexadecimal."""
    assert shown_name(ODD) == "a\\xff"
    assert shown_name("名") == "名"


@pytest.mark.parametrize(("name", "value"), [(ODD, b""), ("名", b""), ("a\n", b""), ("a", b"\xff")])
def test_foreign_headers_that_are_no_text_are_refused(name: str, value: bytes) -> None:
    """A header of the sender's own must be printable ASCII with UTF-8 text: others stop some readers."""
    with pytest.raises(Refused) as caught:
        EventHeaders.parse([(name, value)])
    assert "printable ASCII" in caught.value.detail or "UTF-8 text" in caught.value.detail
