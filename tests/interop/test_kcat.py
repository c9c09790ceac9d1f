"""The kcat of docs/clients.md: settings, record and command lines, with a client certificate."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer
from kafka import KafkaAdminClient

from casebus_deploy.embedded.broker import BrokerPorts, EmbeddedBroker
from casebus_deploy.embedded.broker_properties import server_properties
from casebus_deploy.embedded.ports import free_ports
from casebus_deploy.stack import keys
from casebus_deploy.stack.logins import password_file
from casebus_deploy.stack.topics_admin import Wanted, apply
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.connection import Connection, Principal
from casebus_schemas.wire.codec import decode
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.partitioning import partition_of
from casebus_schemas.wire.signing import SigningKey, event_message, parse_block, verify
from support.cases.documented import blocks_of, files_of
from support.events.served_registry import serving
from support.scenes.certificates import Authority

FILES = files_of("clients.md")
LONG_S = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A broker with the listener, csrc's certificate, and the document's files around it; the work folder."""
    folder = tmp_path_factory.mktemp("kcat")
    authority = Authority(folder)
    authority.issue("broker")
    authority.issue("csrc")
    (folder / "broker.both.pem").replace(folder / "broker.pem")
    ports, (port,) = BrokerPorts.free(), free_ports(1)
    with EmbeddedBroker(folder / "broker", ports, properties=_with_mtls(folder, ports, port)) as broker:
        with KafkaAdminClient(**broker.admin_settings()) as admin:
            apply(admin, Wanted.of_bus(4), folder / "secrets")
        keys.make_secrets(folder / "secrets")
        with serving() as registry:
            for name, text in FILES.items():
                (folder / name).write_text(
                    text.replace("127.0.0.1:9094", f"127.0.0.1:{port}"), encoding="utf-8"
                )
            _write_connection(folder, broker, registry)
            yield folder


def _with_mtls(folder: Path, ports: BrokerPorts, port: int) -> dict[str, str]:
    """The document's properties, and one listener more."""
    usual = server_properties(folder, ports, "")
    ours = dict(line.split("=", 1) for line in FILES["mtls.properties"].splitlines())
    return {
        **{name: str(folder / value) if name.endswith("location") else value for name, value in ours.items()},
        "listeners": f"{usual['listeners']},MTLS://127.0.0.1:{port}",
        "advertised.listeners": f"{usual['advertised.listeners']},MTLS://127.0.0.1:{port}",
        "listener.security.protocol.map": f"{usual['listener.security.protocol.map']},MTLS:SSL",
    }


def _write_connection(folder: Path, broker: EmbeddedBroker, registry: str) -> None:
    import json

    secrets = folder / "secrets"
    csrc = Principal("csrc", password_file(secrets, "csrc"), keys.key_file(secrets, "csrc"))
    found = Connection(broker.bootstrap_servers, 4, {"csrc": csrc}, {}, registry_url=registry)
    (folder / "connection.json").write_text(json.dumps(found.to_json()))


def _settings(folder: Path) -> dict[str, str]:
    """kcat.conf, as kcat itself reads it in that folder."""
    lines = (folder / "kcat.conf").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    return {n: str(folder / v) if n.endswith(".location") else v for n, v in found.items()}


def _commands() -> list[list[str]]:
    (block,) = blocks_of("clients.md", "sh")
    return [shlex.split(line) for line in block.splitlines()]


def _prepare(folder: Path) -> list[str]:
    """Runs the program that makes the record; gives the options it wrote."""
    env = {**os.environ, "CASEBUS_CONNECTION": str(folder / "connection.json"), "PYTHONPATH": ""}
    program = _commands()[0]
    assert program == ["python", "for_kcat.py"]
    done = subprocess.run([sys.executable, program[1]], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return shlex.split((folder / "event.args").read_text())


def _produce(folder: Path, options: list[str]) -> None:
    """The document's second line: by kcat, or option by option by librdkafka."""
    xargs, kcat = _commands()[1][:3], _commands()[1][3:]
    assert xargs == ["xargs", "-a", "event.args"]
    if shutil.which("kcat"):
        subprocess.run([*kcat, *options], cwd=folder, check=True, timeout=LONG_S)
        return
    assert kcat == ["kcat", "-F", "kcat.conf", "-X", "acks=all", "-P", "-t", "csrc.referral", "value.bin"]
    pairs = list(zip(options[::2], options[1::2], strict=True))
    headers: dict[str, str | bytes | None] = {}
    for name, _, text in (v.partition("=") for o, v in pairs if o == "-H"):
        headers[name] = text
    (partition,), (key,) = ([v for o, v in pairs if o == wanted] for wanted in ("-p", "-k"))
    assert {option for option, _ in pairs} == {"-p", "-k", "-H"}
    producer = Producer({**_settings(folder), "acks": "all"})
    producer.produce(
        "csrc.referral", (folder / "value.bin").read_bytes(), key, int(partition), headers=headers
    )
    assert producer.flush(LONG_S) == 0


def _all(folder: Path, topic: str) -> list[Message]:
    """What the third line shows: the topic from its beginning to its end."""
    line = _commands()[2]
    assert line[:9] == f"kcat -F kcat.conf -C -t {topic} -o beginning -e".split()
    settings = {name: value for name, value in _settings(folder).items() if name != "partitioner"}
    consumer = Consumer(
        {
            **settings,
            "group.id": "csrc.kcat",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    found: list[Message] = []
    ended: set[int] = set()
    deadline = time.monotonic() + LONG_S
    while len(ended) < 4:
        assert time.monotonic() < deadline, f"{topic} not read to its end"
        message = consumer.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is None:
            found.append(message)
        else:
            assert error.code() == KafkaError._PARTITION_EOF, error
            ended.add(message.partition() or 0)
    consumer.close()
    return found


@pytest.mark.broker
def test_an_event_through_the_documented_lines_is_whole_and_in_its_place(folder: Path) -> None:
    """What the lines produce is a signed event on its key's partition, under csrc's certificate alone."""
    _produce(folder, _prepare(folder))
    message = _all(folder, "csrc.referral")[-1]
    key, value, partition = message.key(), message.value(), message.partition()
    if shutil.which("kcat"):
        seen = subprocess.run(_commands()[2], cwd=folder, check=True, timeout=LONG_S, capture_output=True)
        assert f"{partition} {message.offset()} ".encode() in seen.stdout
    assert isinstance(key, bytes)
    assert isinstance(value, bytes)
    assert partition == partition_of(key, 4)
    assert decode(Catalog.load(), value)[0].type == "referral.submitted"
    headers = EventHeaders.parse(dict(message.headers() or ()).items())  # type: ignore[arg-type]  # bytes here
    signed = event_message(headers.signed_fields("csrc.referral", partition, value))
    public = SigningKey.from_file(folder / "secrets" / "csrc.signing-key").public
    assert verify(parse_block(headers.sig), signed, public)


@pytest.mark.broker
def test_the_documented_partitioner_is_that_of_the_bus(folder: Path) -> None:
    """With the settings of the document librdkafka puts keys where the bus wants them."""
    producer = Producer(_settings(folder))
    placed: dict[bytes | None, int | None] = {}
    expected = {}
    for number in range(40):
        key = f"partitioner-{number}".encode()
        expected[key] = partition_of(key, 4)
        producer.produce(
            "csrc.clue", b"x", key, on_delivery=lambda _e, m: placed.update({m.key(): m.partition()})
        )
    assert producer.flush(LONG_S) == 0
    assert placed == expected


@pytest.mark.broker
def test_the_certificate_opens_only_its_own_topics(folder: Path) -> None:
    """Access rules hold for who comes by certificate."""
    producer = Producer(_settings(folder))
    refused: list[object] = []
    producer.produce(
        "mps.referral",
        b"x",
        b"k",
        on_delivery=lambda error, _m: refused.append(error.code() if error else None),
    )
    assert producer.flush(LONG_S) == 0
    assert refused == [KafkaError.TOPIC_AUTHORIZATION_FAILED]
