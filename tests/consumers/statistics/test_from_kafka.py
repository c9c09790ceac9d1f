"""`casebus statistics --from-kafka` on a real Kafka, read as the auditor."""

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from casebus_consumers.statistics.cli import app
from casebus_deploy.embedded.broker import EmbeddedBroker
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.door import parse_event
from support.cases.members import write_connection
from support.cases.prosecutions import played
from support.events.admissions import Admitter
from support.events.signed_events import bus_keys, chain

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def test_figures_come_out_of_bus_admission(broker: EmbeddedBroker, credentials: Path, tmp_path: Path) -> None:
    """The admissions of the played set give the press figures without any database."""
    admitter = Admitter()
    admissions = []
    producer: Any = KafkaProducer(**broker.admin_settings())
    for number, said in enumerate(played(), 7000):
        event = parse_event(said, Catalog.load())
        composed = admitter.speaker("spp").say(
            event.type, event.data, chain(number), id=event.id, source=event.source
        )
        # Other tests admitted first attempts of these places.
        admissions.append(admitter.admit(composed, attempt=7))
    for record in [*bus_keys(), *admissions]:
        headers = [(name, value or b"") for name, value in record.headers]
        producer.send(
            record.topic, key=record.key, value=record.value, headers=headers, partition=record.partition
        )
    producer.flush()
    producer.close()
    connection = write_connection(broker.bootstrap_servers, credentials, tmp_path)
    spans = [f"--period={span}" for span in ("2021H1", "2021H2", "2022H1", "2021", "2021-01..2022-06")]
    arguments = ["--from-kafka", "--connection", str(connection), *spans, "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None, result.output
    assert [figure["value"] for figure in json.loads(result.stdout)] == [76, 153, 147, 229, 376]
