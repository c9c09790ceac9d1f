"""What every client of the Confluent dialect relies on, asked of our registry and of one that we filled."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from casebus_deploy.schema_tools.registry_push import push
from casebus_schemas.catalogue.catalog import Catalog
from casebus_services.registry.app import schema_text
from support.events.fake_registry import FakeRegistry, running
from support.events.served_registry import serving

JSON = "application/vnd.schemaregistry.v1+json"
RECORD = "casebus.referral.Submitted"
ON_TOPIC = f"csrc.referral-{RECORD}"


@pytest.fixture(scope="module", params=["ours", "external"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Our registry, and a writable one after `casebus schemas push`."""
    if request.param == "ours":
        with serving() as address:
            yield address
        return
    with running(FakeRegistry()) as address:
        list(push(address, Catalog.load(), topics=True))
        yield address


def ask(url: str, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    """Status and JSON of an answer in the dialect."""
    headers = {"Content-Type": JSON, "Accept": JSON}
    answer = requests.request(method, f"{url}{path}", json=body, headers=headers, timeout=30)
    assert answer.headers["Content-Type"] == JSON
    return answer.status_code, answer.json()


def submitted() -> tuple[int, str]:
    """Id and text of the newest referral.submitted."""
    schema = Catalog.load().latest("referral.submitted")
    return schema.id, schema_text(schema)


def test_every_schema_is_under_its_record_name_and_the_topics_it_is_said_on(url: str) -> None:
    """A record name and each topic that carries it are subjects."""
    _, names = ask(url, "/subjects")
    assert {str(schema.schema["name"]) for schema in Catalog.load().schemas()} <= set(names)
    found = sorted(name for name in names if name.endswith(RECORD))
    topics = ["bus.admission", "csrc.referral"]
    kinds, agencies = ("dead-letter", "inbox"), ("court", "csrc", "mps", "spp")
    topics += [f"{kind}.{agency}" for kind in kinds for agency in agencies]
    assert found == sorted([RECORD, *(f"{topic}-{RECORD}" for topic in topics)])


def test_every_id_answers_its_schema(url: str) -> None:
    """The schema behind each id is the locked one."""
    for schema in Catalog.load().schemas():
        status, body = ask(url, f"/schemas/ids/{schema.id}?fetchMaxId=false&subject=any-value")
        assert (status, json.loads(body["schema"])) == (200, schema.schema)
    assert ask(url, f"/schemas/ids/{submitted()[0]}/schema") == (200, json.loads(submitted()[1]))


@pytest.mark.parametrize("subject", [RECORD, ON_TOPIC])
def test_versions_are_numbered_from_one(url: str, subject: str) -> None:
    """Versions are listed, and asked for by number, `latest` and -1."""
    id_, text = submitted()
    expected = {"subject": subject, "version": 1, "id": id_, "schema": text}
    assert ask(url, f"/subjects/{subject}/versions") == (200, [1])
    for version in ("1", "latest", "-1"):
        assert ask(url, f"/subjects/{subject}/versions/{version}") == (200, expected)


def test_a_known_schema_is_looked_up(url: str) -> None:
    """A look-up answers subject, version and id, and ignores members and parameters that it does not know."""
    id_, text = submitted()
    body: dict[str, Any] = {
        "schema": text,
        "schemaType": "AVRO",
        "references": [],
        "metadata": None,
        "ruleSet": None,
        "new": 1,
    }
    status, found = ask(url, f"/subjects/{RECORD}?normalize=False&deleted=False", "POST", body)
    assert (status, found["subject"], found["version"], found["id"]) == (200, RECORD, 1, id_)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/subjects/nobody/versions", None, (404, 40401)),
        ("GET", "/subjects/no%2Fbody/versions/latest", None, (404, 40401)),
        ("GET", "/subjects/csrc.referral-value/versions", None, (404, 40401)),
        ("GET", f"/subjects/{RECORD}/versions/99", None, (404, 40402)),
        ("GET", f"/subjects/{RECORD}/versions/0", None, (422, 42202)),
        ("GET", f"/subjects/{RECORD}/versions/one", None, (422, 42202)),
        ("GET", "/schemas/ids/999999999", None, (404, 40403)),
        ("GET", "/schemas/ids/100001.0", None, (404, 404)),
        ("GET", "/schemas/ids/-1", None, (404, 404)),
        ("GET", "/schemas/guids/00000000-0000-0000-0000-000000000000", None, (404, 404)),
        ("GET", "/associations/resources/-/csrc.referral?resourceType=topic", None, (404, 404)),
        ("GET", "/nothing", None, (404, 404)),
        ("POST", "/subjects/nobody", {"schema": '"string"'}, (404, 40401)),
        ("POST", f"/subjects/{RECORD}", {"schema": '"string"'}, (404, 40403)),
        ("POST", f"/subjects/{RECORD}", {"schema": '{"type": '}, (422, 42201)),
        ("POST", f"/subjects/{RECORD}", {}, (422, 42201)),
        ("POST", "/subjects", {}, (405, 405)),
        ("DELETE", "/schemas/types", None, (405, 405)),
    ],
)
def test_errors_have_the_codes_of_the_dialect(
    url: str, method: str, path: str, body: Any, expected: tuple[int, int]
) -> None:
    """Each error is JSON of error_code and message."""
    status, found = ask(url, path, method, body)
    assert (status, found["error_code"]) == expected
    assert set(found) == {"error_code", "message"}


def test_types(url: str) -> None:
    """Schemas are Avro."""
    assert ask(url, "/schemas/types") == (200, ["AVRO"])
