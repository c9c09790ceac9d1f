"""A published figure that the events do not give is found by whoever asks for findings."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from casebus_consumers.liaison.cases_cli import app
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire.door import parse_event
from casebus_services.reconciler.database import Database
from support.desk import Desk
from support.prosecutions import played
from support.signed_events import chain


def _press(value: str) -> dict[str, Any]:
    """The procuratorate publishes how many persons it prosecuted in the first half of 2021."""
    first = next(played())
    figure = {
        "ref": "F1",
        "measure": "persons_prosecuted",
        "kind": "count",
        "value": value,
        "unit": "persons",
        "scope": "securities",
        "cohort": "outcome.prosecuted",
        "period": {"from": "2021-01-01", "to": "2021-06-30"},
        "version": 1,
    }
    references = [{"issuer": "spp", "scheme": "publication", "value": "press"}]
    envelope = {**first["data"]["envelope"], "message_no": "press", "local_refs": references}
    return {
        **first,
        "id": "0190163d-8694-739b-aea5-966c26f8ad91",
        "type": "publication.statistic_published",
        "time": "2022-09-09T15:00:00+08:00",
        "data": {"envelope": envelope, "title": "press conference", "figures": [figure]},
    }


@pytest.mark.parametrize(("value", "rules"), [("76", []), ("75", ["R61"])])
def test_findings_show_a_wrong_published_figure(tmp_path: Path, value: str, rules: list[str]) -> None:
    """`casebus findings` shows the publication whose figure differs from the recomputed one, and no other."""
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(url)
    database.migrate()
    desk = Desk(database)
    for number, said in enumerate([*played(), _press(value)], 1):
        event = parse_event(said, Catalog.load())
        speaker = desk.admitter.speaker("spp")
        composed = speaker.say(event.type, event.data, chain(number), id=event.id, source=event.source)
        desk.admitter.admit(composed)
    desk.play(number=1000)
    desk.agent.handle(desk.admitter.batches())
    database.close()
    result = CliRunner().invoke(app, ["findings", "--database-url", url, "--agency", "spp", "--json"])
    assert result.exit_code == 0, result.output
    found = [body for body in json.loads(result.stdout) if body["rule"].startswith("R6")]
    assert [body["rule"] for body in found] == rules
    assert [account["agency"] for body in found for account in body["accounts"]] == ["spp", "bus"] * len(
        rules
    )
