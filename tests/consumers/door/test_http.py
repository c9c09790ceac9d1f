"""What a client system meets at the door: each operation, and everything that is refused there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from casebus_consumers.door.asking import BATCH, EVENT, MOST_BYTES, MOST_EVENTS
from casebus_consumers.door.operations import OPERATIONS
from casebus_consumers.door.rates import Rates
from casebus_producers.outbox.despite_law import last_noted
from casebus_services.metrics.named import REGISTRY
from support.cases.chains import at
from support.cases.members import door_event
from support.cases.own_cases import play
from support.events import receipts
from support.events.signed_events import chain, stored
from support.scenes.door_scene import DoorScene

IDS = [f"0190163d-8694-739b-aea5-966c26f8ad{number:02x}" for number in range(10)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[DoorScene]:
    scene = DoorScene(tmp_path)
    yield scene
    scene.close()


def event(number: int, **changes: Any) -> dict[str, Any]:
    """A lawful referral of its own case."""
    reference = {"issuer": "csrc", "scheme": "case", "value": f"door-{number}"}
    return door_event(id=IDS[number], envelope={"local_refs": [reference]}, **changes)


def said_so_far() -> list[float]:
    """How many events were taken, and how many refused, as metrics tell."""
    labels = [{"agency": "csrc", "outcome": outcome} for outcome in ("taken", "refused")]
    return [REGISTRY.get_sample_value("casebus_door_events_total", one) or 0 for one in labels]


def rows(scene: DoorScene) -> list[UUID]:
    """What is in the outbox, oldest first."""
    return [row.id for row in reversed(scene.outbox.recent(100))]


# --- saying ----------------------------------------------------------------------------------------------


def test_an_event_is_in_the_outbox_before_the_answer(scene: DoorScene) -> None:
    """202 with the address of its receipts; signed, and waiting to be sent."""
    answer = scene.post("/v1/events", event(1), EVENT)
    assert answer.status_code == 202
    said = answer.json()
    assert said["event"]["id"] == IDS[1]
    assert said["repeated"] is False
    assert answer.headers["location"] == said["receipt"] == f"/v1/receipts/{IDS[1]}"
    assert rows(scene) == [UUID(IDS[1])]
    standing = scene.client.get(said["receipt"])
    assert standing.json() == {"event": said["event"], "stage": "queued", "receipts": []}


def test_the_same_event_is_said_once(scene: DoorScene) -> None:
    """By id and by message number: the second answer names the first event, and nothing is added."""
    first = scene.post("/v1/events", event(1), EVENT).json()
    again = scene.post("/v1/events", event(1), EVENT)
    assert again.status_code == 202
    assert again.json() == {**first, "repeated": True}
    numbered = event(2)
    del numbered["id"]
    numbered["data"]["envelope"]["message_no"] = "2016-17"
    by_number = [scene.post("/v1/events", numbered).json()["event"] for _ in range(2)]
    assert by_number[0] == by_number[1]
    assert len(rows(scene)) == 2


def test_an_id_that_stands_for_something_else_is_a_conflict(scene: DoorScene) -> None:
    """409 with the pointer of the id; the first stays."""
    scene.post("/v1/events", event(1), EVENT)
    other = scene.post("/v1/events", event(1, time="2016-10-19T00:00:00+00:00"), EVENT)
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in other.json()["errors"]] == ["#/id"]
    assert len(rows(scene)) == 1


def test_all_that_is_wrong_is_named_in_two_languages(scene: DoorScene) -> None:
    """422 with a pointer for each mistake; nothing is queued."""
    wrong = event(1, source="csrc", specversion="2")
    wrong["data"]["envelope"]["precision"] = "hour"
    answer = scene.post("/v1/events", wrong, EVENT)
    assert answer.status_code == 422
    problem = answer.json()
    assert {one["pointer"] for one in problem["errors"]} == {
        "#/source",
        "#/specversion",
        "#/data/envelope/precision",
    }
    assert all(one["detail"] and one["zh"] for one in problem["errors"])
    assert (problem["type"], problem["status"]) == ("tag:casebus,2026:problem:event", 422)
    assert rows(scene) == []


def test_a_batch_takes_what_is_right(scene: DoorScene) -> None:
    """All: 202; some: 207, each with its answer in its place; none: 422. Metrics count them."""
    before = said_so_far()
    whole = scene.post("/v1/events", [event(1), event(2)], BATCH)
    assert (whole.status_code, whole.json()["taken"]) == (202, 2)
    mixed = scene.post("/v1/events", [event(3), {"specversion": "1.0"}, event(4)], BATCH)
    assert (mixed.status_code, mixed.json()["taken"], mixed.json()["of"]) == (207, 2, 3)
    first, second, third = mixed.json()["events"]
    assert (first["event"]["id"], third["event"]["id"]) == (IDS[3], IDS[4])
    assert "#/1/type" in {one["pointer"] for one in second["problem"]["errors"]}
    none = scene.post("/v1/events", [{}], BATCH)
    assert none.status_code == 422
    assert none.json()["events"][0]["problem"]["status"] == 422
    assert rows(scene) == [UUID(IDS[number]) for number in (1, 2, 3, 4)]
    assert [now - then for now, then in zip(said_so_far(), before, strict=True)] == [4, 2]


def test_advice_is_given_where_it_is_asked_for(scene: DoorScene) -> None:
    """An answer to an event that nobody knows is taken with a hint at its place."""
    said = event(1, subject=chain(1))
    said["data"]["envelope"]["corrects"] = "ab" * 32
    advised = scene.post("/v1/events?advice=true", said, EVENT).json()
    assert [hint["pointer"] for hint in advised["advice"]] == ["/data/envelope/corrects"]


def test_what_the_law_forbids_is_taken_for_a_reason_only(scene: DoorScene) -> None:
    """A commitment behind the referral: 422 with the article, 202 for a reason, which is kept."""
    envelope = {"to": ["spp"], "precision": "second", "legal_basis": []}
    referral = door_event(time="2022-06-19T10:00:00+08:00", envelope={**envelope, "to": ["mps"]})
    accepted = door_event(
        id=IDS[9],
        type="administrative.commitment_accepted",
        time="2022-06-21T10:00:00+08:00",
        envelope=envelope,
    )
    assert scene.post("/v1/events", referral, EVENT).status_code == 202
    refused = scene.post("/v1/events", accepted, EVENT)
    assert (refused.status_code, refused.json()["law"]) == (422, ["commitment-2021 7"])
    assert "R47" in refused.json()["zh"]
    assert scene.post("/v1/events?despite_law=%20", accepted, EVENT).status_code == 400
    assert scene.post("/v1/events?despite_law=approved", accepted, EVENT).status_code == 202
    with scene.outbox.reading() as connection:
        (noted,) = last_noted(connection)
    assert (str(noted.event), noted.despite.reason) == (IDS[9], "approved")


def test_what_became_of_it(scene: DoorScene) -> None:
    """Admitted, then recorded: the receipts in their order; a list goes on behind a number."""
    said = scene.post("/v1/events", event(1), EVENT).json()
    (row,) = scene.outbox.pending(0, 1, 10_000_000)
    record = stored(row.record, 7)
    scene.keep(receipts.admitted(record, at("2016-10-19"), "mps"))
    admitted = scene.client.get(said["receipt"] + "?wait=admitted&timeout=0").json()
    assert admitted["stage"] == "admitted"
    assert [one["agency"] for one in admitted["receipts"][0]["notices"]] == ["mps"]
    scene.keep(receipts.ledgered(record, at("2016-10-19"), 0))
    assert scene.client.get(said["receipt"]).json()["stage"] == "ledgered"
    page = scene.client.get("/v1/receipts?limit=1").json()
    assert [one["stage"] for one in page["receipts"]] == ["admitted"]
    rest = scene.client.get(f"/v1/receipts?after={page['next']}").json()
    assert [one["stage"] for one in rest["receipts"]] == ["ledgered"]
    waited = scene.post("/v1/events?wait=ledgered&timeout=0", event(1), EVENT)
    assert (waited.status_code, waited.json()["stage"]) == (200, "ledgered")


def test_waiting_ends_in_time(scene: DoorScene) -> None:
    """Nothing came: 202, with how far it is."""
    answer = scene.post("/v1/events?wait=admitted&timeout=0", event(1), EVENT)
    assert (answer.status_code, answer.json()["stage"]) == (202, "queued")


# --- hearing ---------------------------------------------------------------------------------------------


def test_the_inbox_goes_on_behind_a_number(scene: DoorScene) -> None:
    """Pages, each behind the one before; the same JSON as `casebus inbox --json`."""
    play(scene, 1)
    scene.arrive()
    first = scene.client.get("/v1/inbox?limit=1").json()
    assert [(one["seq"], one["event"]["type"]) for one in first["notices"]] == [(0, "referral.receipted")]
    second = scene.client.get(f"/v1/inbox?after={first['next']}").json()
    assert [(one["seq"], one["event"]["type"]) for one in second["notices"]] == [(1, "referral.filed")]
    assert scene.client.get(f"/v1/inbox?after={second['next']}").json() == {"notices": [], "next": 1}


def test_notices_are_acknowledged_once(scene: DoorScene) -> None:
    """One receipt.delivered a chain for all up to a number; a second call says nothing more."""
    play(scene, 1)
    scene.arrive()
    said = scene.post("/v1/inbox/ack", {"up_to": 1})
    assert said.status_code == 202
    (one,) = said.json()["acknowledged"]
    assert (one["event"]["type"], one["event"]["chain"]) == ("receipt.delivered", chain(1))
    assert scene.post("/v1/inbox/ack", {"seqs": [0, 1]}).json() == {"acknowledged": []}


def test_the_own_view_is_there(scene: DoorScene) -> None:
    """Cases, one of them, what is due, what disagrees: from the agency's own files."""
    play(scene, 1)
    scene.arrive()
    (listed,) = scene.client.get("/v1/cases").json()["cases"]
    assert (listed["chain"], listed["status"]) == (chain(1), "filed")
    case = scene.client.get(f"/v1/cases/{chain(1)}").json()
    assert case["status"] == "filed"
    earlier = scene.client.get(f"/v1/cases/{chain(1)}", params={"known_at": "2022-09-29T12:00:00+08:00"})
    assert earlier.json()["status"] == "received"
    rules = [one["rule"] for one in scene.client.get("/v1/findings?state=open").json()["findings"]]
    assert "R30" in rules
    due = scene.client.get("/v1/obligations", params={"chain": chain(1), "now": "2022-10-20"}).json()
    assert due["obligations"]
    assert scene.client.get(f"/v1/cases/{chain(9)}").status_code == 404


def test_a_check_says_nothing(scene: DoorScene) -> None:
    """What would be refused; the outbox stays as it was."""
    answer = scene.post("/v1/check", [event(1), {"type": "none"}]).json()
    assert answer["ok"] is False
    assert {one["index"] for one in answer["refused"]} == {1}
    assert len(answer["cases"]) == 1
    assert rows(scene) == []


# --- who may, and how much -------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_nobody_comes_in_without_a_key(scene: DoorScene, operation: Any) -> None:
    """Every operation but the health: 401, and a wrong key is none."""
    path = operation.path.replace("{id}", IDS[1]).replace("{chain}", chain(1))
    for headers in (
        {"authorization": ""},
        {"authorization": "Bearer cbk_wrong"},
        {"authorization": scene.key},
    ):
        answer = scene.client.request(operation.method, path, headers=headers)
        if operation.name == "get_health":
            assert answer.status_code == 503  # nothing has begun in this test
            assert set(answer.json()) == {"ok", "agency", "ails"}
            continue
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_is_kept_as_its_hash_and_ends(scene: DoorScene) -> None:
    """The file of clients holds no key, and is for the agency's own user."""
    from casebus_consumers.door.clients import clients_file, remove_client

    file = clients_file(scene.folder)
    assert scene.key not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert scene.client.get("/v1/cases").status_code == 200
    remove_client(scene.folder, "ledger-system")
    scene.door_clients_look_again()
    assert scene.client.get("/v1/cases").status_code == 401


def test_a_client_is_bounded(tmp_path: Path) -> None:
    """429 with the seconds to wait; another client is not held up, and time gives calls back."""
    now = [0.0]
    scene = DoorScene(tmp_path, Rates(0.5, 2, lambda: now[0]))
    assert [scene.client.get("/v1/cases").status_code for _ in range(3)] == [200, 200, 429]
    refused = scene.client.get("/v1/cases")
    assert refused.headers["retry-after"] == "2"
    other = {"authorization": f"Bearer {scene.another_client('second')}"}
    assert scene.client.get("/v1/cases", headers=other).status_code == 200
    now[0] += 2
    assert scene.client.get("/v1/cases").status_code == 200
    scene.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403)],
)
def test_pages_of_other_sites_are_not_answered(
    scene: DoorScene, headers: dict[str, str], status: int
) -> None:
    """Neither by a name of their own nor from a browser."""
    answer = scene.client.get("/v1/cases", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", EVENT, 400),
        (b"\xff", EVENT, 400),
        (b"NaN", EVENT, 400),
        (b"[]", EVENT, 400),
        (b"{}", BATCH, 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=gbk", 415),
        (json.dumps([{}] * (MOST_EVENTS + 1)).encode(), BATCH, 422),
        (b" " * (MOST_BYTES + 1), EVENT, 413),
    ],
    ids=range(9),
)
def test_what_cannot_be_read_is_refused(scene: DoorScene, body: bytes, kind: str, status: int) -> None:
    """As a problem, and nothing is queued."""
    answer = scene.client.post("/v1/events", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert rows(scene) == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/inbox?after=x",
        "/v1/inbox?after=-2",
        "/v1/inbox?limit=0",
        "/v1/inbox?limit=501",
        "/v1/inbox?wait=61",
        "/v1/inbox?after=1&after=2",
        "/v1/inbox?nothing=1",
        "/v1/cases?x=1",
        "/v1/findings?state=odd",
        "/v1/findings?state=",
        "/v1/findings?rule=30",
        "/v1/findings?chain=l",
        "/v1/obligations?chain=l",
        "/v1/obligations?now=yesterday",
    ],
)
def test_parameters_are_checked(scene: DoorScene, path: str) -> None:
    """400 that names the parameter."""
    answer = scene.client.get(path)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] in path


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/events/x", "/v1/receipts/no-uuid", f"/v1/receipts/{IDS[0]}"]
)
def test_what_is_not_there(scene: DoorScene, path: str) -> None:
    """404 as a problem."""
    answer = scene.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


def test_a_method_that_is_not_there(scene: DoorScene) -> None:
    """405 names those that are."""
    answer = scene.client.get("/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "body", [[], {}, {"up_to": -1}, {"up_to": True}, {"seqs": ["1"]}, {"seqs": [1], "up_to": 1}]
)
def test_an_acknowledgement_says_which(scene: DoorScene, body: Any) -> None:
    """422 where it does not."""
    assert scene.post("/v1/inbox/ack", body).status_code == 422
