"""What our own registry promises beyond the common dialect: read-only, look-ups by topic, compatibility."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Event
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import topics
from casebus_services.registry import app as app_module
from casebus_services.registry.app import create_app, schema_text
from casebus_services.registry.judge import broken
from casebus_services.registry.posted import MOST_BYTES, identity

RECORD = "casebus.referral.Submitted"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """The application without a socket."""
    with TestClient(create_app(Catalog.load(), broken), "http://localhost") as client:
        yield client


def changed(**more: Any) -> dict[str, str]:
    """A request with a referral.submitted that has one field more."""
    schema = deepcopy(dict(Catalog.load().latest("referral.submitted").schema))
    schema["fields"] = [*schema["fields"], {"name": "added", "doc": "new", "pii": "none", **more}]
    return {"schema": json.dumps(schema)}


def code(answer: Any) -> tuple[int, int]:
    """Status and error code."""
    return answer.status_code, answer.json()["error_code"]


def test_the_default_subject_answers_each_schema_of_its_topic(client: TestClient) -> None:
    """A look-up under `<topic>-value` answers exactly what a listed `<topic>-<record name>` answers."""
    names = set(client.get("/subjects").json())
    for topic in topics():
        for schema in Catalog.load().schemas():
            body = {"schema": schema_text(schema)}
            if f"{topic.name}-{schema.schema['name']}" in names:
                found = client.post(f"/subjects/{topic.name}-value", json=body).json()
                assert (found["id"], found["subject"]) == (schema.id, f"{topic.name}-value")
        assert code(client.post(f"/subjects/{topic.name}-value", json={"schema": '"string"'})) == (404, 40403)


def test_what_nobody_may_say_on_a_topic_is_not_found_there(client: TestClient) -> None:
    """A type of the police is no value of the regulator's topic."""
    filed = {"schema": schema_text(Catalog.load().latest("referral.filed"))}
    assert client.post("/subjects/mps.referral-value", json=filed).status_code == 200
    assert code(client.post("/subjects/csrc.referral-value", json=filed)) == (404, 40403)


def test_b10_judging_a_sent_schema_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a sent schema is judged others are answered; what takes too long ends with 50002."""
    begun, go_on = Event(), Event()

    def slow(_schema: Any, _past: Any) -> list[str]:
        begun.set()
        go_on.wait(60)
        return []

    monkeypatch.setattr(app_module, "JUDGE_TIMEOUT_S", 1.0)
    path = f"/compatibility/subjects/{RECORD}/versions"
    with (
        TestClient(create_app(Catalog.load(), slow), "http://localhost") as client,
        ThreadPoolExecutor(1) as sender,
    ):
        sent = sender.submit(client.post, path, json=changed(type="string"))
        assert begun.wait(30)
        assert client.get("/subjects").status_code == 200
        assert code(sent.result(30)) == (500, 50002)
        go_on.set()


def test_b10_a_foreign_host_is_not_answered(client: TestClient) -> None:
    """The registry answers on the names of this machine only."""
    assert client.get("/subjects", headers={"host": "evil.example"}).status_code == 421


def test_registering_a_known_schema_answers_its_id(client: TestClient) -> None:
    """Registration of what is there gives the same id again under each of its subjects."""
    schema = Catalog.load().latest("referral.submitted")
    body = {"schema": schema_text(schema)}
    for subject in (RECORD, f"csrc.referral-{RECORD}", "csrc.referral-value"):
        answer = client.post(f"/subjects/{subject}/versions?normalize=False", json=body)
        assert (answer.status_code, answer.json()) == (200, {"id": schema.id})


def test_nothing_is_registered(client: TestClient) -> None:
    """An unknown schema is refused: 409 if it would break a reader, 42205 if it would not."""
    fits = changed(type=["null", "string"], default=None)
    breaks = changed(type="string")
    assert code(client.post(f"/subjects/{RECORD}/versions", json=fits)) == (422, 42205)
    assert code(client.post(f"/subjects/{RECORD}/versions", json=breaks)) == (409, 409)
    assert client.get(f"/subjects/{RECORD}/versions").json() == [1]


def test_c19_registering_under_an_unknown_subject_is_refused_as_read_only(client: TestClient) -> None:
    """Whoever registers anywhere hears that nothing is registered here, not that a subject is missing."""
    known = {"schema": schema_text(Catalog.load().latest("referral.submitted"))}
    for body in (changed(type="string"), changed(type=["null", "string"], default=None), known):
        assert code(client.post("/subjects/nobody/versions", json=body)) == (422, 42205)
    assert client.get("/subjects/nobody/versions").json()["error_code"] == 40401
    assert code(client.post("/subjects/nobody", json=known)) == (404, 40401)


def test_c19_an_unknown_record_is_told_what_the_topic_takes(client: TestClient) -> None:
    """Under `<topic>-value` the refusal of an unknown record names those of the topic, and no breach."""
    foreign = {"schema": json.dumps({"type": "record", "name": "a.B", "fields": []})}
    took = {
        topic.name: {
            name.removeprefix(f"{topic.name}-")
            for name in client.get("/subjects").json()
            if name.startswith(f"{topic.name}-")
        }
        for topic in topics()
    }
    for topic, records in took.items():
        register = client.post(f"/subjects/{topic}-value/versions", json=foreign)
        look_up = client.post(f"/subjects/{topic}-value", json=foreign)
        assert (code(register), code(look_up)) == ((422, 42205), (404, 40403))
        for answer in (register, look_up):
            said = answer.json()["message"].partition(f" {topic} takes ")[2].removesuffix(".")
            assert set(said.split(", ")) == (records or {"no record of the catalogue"})
    broken = client.post("/subjects/csrc.referral-value/versions", json=changed(type="string"))
    assert code(broken) == (409, 409)
    assert "added" in broken.json()["message"]


@pytest.mark.parametrize(
    "path", ["/config", "/mode", f"/config/{RECORD}", f"/mode/{RECORD}", f"/subjects/{RECORD}"]
)
def test_nothing_is_changed(client: TestClient, path: str) -> None:
    """Settings and subjects cannot be changed or deleted."""
    assert code(client.delete(path)) == (422, 42205)


def test_settings(client: TestClient) -> None:
    """Level and mode are the same for every subject."""
    for path in ("", f"/{RECORD}", f"/{RECORD}?defaultToGlobal=true", "/csrc.referral-value"):
        assert client.get(f"/config{path}").json() == {"compatibilityLevel": "FULL_TRANSITIVE"}
        assert client.get(f"/mode{path}").json() == {"mode": "READONLY"}
    assert code(client.get("/config/nobody")) == (404, 40401)


@pytest.mark.parametrize("version", ["", "/latest", "/-1", "/1"])
def test_compatibility_says_what_breaks(client: TestClient, version: str) -> None:
    """The answer is no with the place named, yes without a message."""
    path = f"/compatibility/subjects/{RECORD}/versions{version}?normalize=False&verbose=True"
    no = client.post(path, json=changed(type="string")).json()
    assert no["is_compatible"] is False
    assert any("added" in message for message in no["messages"])
    yes = client.post(path, json=changed(type=["null", "string"], default=None)).json()
    assert yes == {"is_compatible": True, "messages": []}


def test_compatibility_is_silent_unless_verbose(client: TestClient) -> None:
    """Without `verbose` there are no messages."""
    path = f"/compatibility/subjects/{RECORD}/versions/latest"
    assert client.post(path, json=changed(type="string")).json() == {"is_compatible": False}


def test_compatibility_with_what_is_not_there(client: TestClient) -> None:
    """Unknown subjects and versions have their codes."""
    body = changed(type="string")
    assert code(client.post("/compatibility/subjects/nobody/versions", json=body)) == (404, 40401)
    assert code(client.post(f"/compatibility/subjects/{RECORD}/versions/9", json=body)) == (404, 40402)
    assert code(client.post(f"/compatibility/subjects/{RECORD}/versions", json={"schema": "{"})) == (
        422,
        42201,
    )


def test_a_schema_tells_where_it_stands(client: TestClient) -> None:
    """Subjects and versions of an id agree with the subjects' own lists."""
    id_ = Catalog.load().latest("referral.submitted").id
    subjects = client.get(f"/schemas/ids/{id_}/subjects").json()
    assert subjects == [name for name in client.get("/subjects").json() if name.endswith(RECORD)]
    pairs = client.get(f"/schemas/ids/{id_}/versions").json()
    assert pairs == [{"subject": name, "version": 1} for name in subjects]


def test_lists_are_paged(client: TestClient) -> None:
    """`offset` and `limit` cut lists; -1 is no limit."""
    everything = client.get("/subjects?offset=0&limit=-1").json()
    assert client.get("/subjects?offset=3&limit=2").json() == everything[3:5]
    assert client.get("/subjects?subjectPrefix=casebus.key.").json() == [
        name for name in everything if name.startswith("casebus.key.")
    ]


def test_requests_of_the_wrong_form(client: TestClient) -> None:
    """Bodies that are no JSON object, too long, or of another kind of schema have an error of the dialect."""
    path = f"/subjects/{RECORD}"
    assert code(client.post(path, content=b"{")) == (400, 400)
    assert code(client.post(path, json=[])) == (400, 400)
    assert code(client.post(path, content=b" " * (MOST_BYTES + 1))) == (413, 413)
    assert code(client.post(path, json={"schema": "{}", "schemaType": "JSON"})) == (422, 42201)
    assert code(client.post(path, json={"schema": "[" * 100_000})) == (422, 42201)


def test_a_head_request_has_the_answer_without_its_body(client: TestClient) -> None:
    """HEAD is GET without the body; a slash at the end does not matter."""
    answer = client.head("/subjects/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.get("/config/").json() == client.get("/config").json()


@settings(max_examples=200, deadline=None)
@example({"type": "int", "name": []})
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=5)
        | st.sampled_from(["record", "enum", "int"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "name", "fields", "items", "symbols", "size", "default", "logicalType"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_schema_breaks_the_registry(client: TestClient, sent: Any) -> None:
    """Whatever is sent as a schema, look-up, registration and compatibility answer in the dialect."""
    body = {"schema": json.dumps(sent)}
    for path in ("subjects/csrc.referral-value", f"subjects/{RECORD}/versions"):
        assert code(client.post(f"/{path}", json=body))[0] in (404, 409, 422)
    answer = client.post(f"/compatibility/subjects/{RECORD}/versions?verbose=true", json=body)
    assert answer.status_code == 422 or answer.json()["is_compatible"] is False


def test_other_spellings_of_a_schema_are_the_same_schema() -> None:
    """Namespace apart from the name, wrapped primitives, and a parser's marks do not make another schema."""
    plain = {
        "type": "record",
        "name": "a.b.Rec",
        "fields": [
            {"name": "x", "type": "string", "doc": "d"},
            {"name": "y", "type": {"type": "array", "items": "int"}},
        ],
    }
    spelled = {
        "type": "record",
        "name": "Rec",
        "namespace": "a.b",
        "__fastavro_parsed__": True,
        "fields": [
            {"name": "x", "type": {"type": "string"}, "order": "ascending"},
            {"name": "y", "type": {"type": "array", "items": {"type": "int"}}},
        ],
    }
    assert identity(plain) == identity(spelled)
