"""The agency's door: the pinned example, strictness with pointers, and everything there and back."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.wire import door
from casebus_schemas.wire.codec import decode, encode
from casebus_schemas.wire.compose import compose
from casebus_schemas.wire.door import DoorProblem, event_json, parse_event
from casebus_schemas.wire.headers import EventHeaders
from casebus_schemas.wire.json_form import moment_to_text
from casebus_schemas.wire.signing import SigningKey
from casebus_schemas.wire.stream_head import StreamHead
from support.cases.event_data import event_data
from support.cases.made_up import made_up

CATALOG = Catalog.load()
TYPES = sorted(CATALOG.types)
EVENT: dict[str, Any] = json.loads(
    """
{"specversion": "1.0", "type": "referral.submitted", "source": "/csrc/shanghai-office",
 "id": "0190163d-8694-739b-aea5-966c26f8ad91", "time": "2016-10-18T00:00:00+08:00", "subject": null,
 "data": {
  "envelope": {"message_class": "initial", "to": ["mps"], "cc": ["spp"], "in_reply_to": null,
   "in_reply_to_hash": null, "corrects": null, "withdraws": null,
   "local_refs": [{"issuer": "csrc", "scheme": "case", "value": "demo-2016-jiang"}],
   "precision": "day", "date_basis": "stated",
   "legal_basis": [{"instrument": "decree-310", "article": "5"}],
   "handling": "H1", "obligation": null, "message_no": null},
  "security": {"market": "SSE", "code": null, "name": null},
  "suspects": [
   {"ref": "S1", "kind": "natural", "name": "姜某君", "role": "controller of a private fund", "tokens": []},
   {"ref": "S2", "kind": "natural", "name": "柳某", "role": "fund manager", "tokens": []}],
  "charges": [{"suspect": "S1", "article": "180(4)"}, {"suspect": "S2", "article": "180(4)"}],
  "amounts": [{"basis": "illegal_gain", "value": "46190000.00", "currency": "CNY",
   "period": {"from": "2009-04-01", "to": "2013-02-28"}}],
  "annexes": [{"kind": "transfer_letter", "title": "案件移送书", "sha256": null, "size": null,
   "media_type": null}],
  "sealed": null}}
"""
)
ABSENT = object()


def _with(pointer: str, value: object) -> dict[str, Any]:
    event = copy.deepcopy(EVENT)
    place: Any = event
    *path, last = pointer.split("/")[1:]
    for key in path:
        place = place[int(key) if isinstance(place, list) else key]
    if value is ABSENT:
        del place[last]
    elif isinstance(place, list):
        place[int(last) :] = [value]
    else:
        place[last] = value
    return event


def test_pinned_example() -> None:
    """The pinned example is read as it says."""
    event = parse_event(EVENT, CATALOG)
    assert event.type == "referral.submitted"
    assert (event.source, event.agency) == ("/csrc/shanghai-office", "csrc")
    assert event.id == UUID("0190163d-8694-739b-aea5-966c26f8ad91")
    assert event.time == datetime(2016, 10, 17, 16, tzinfo=UTC)
    assert event.subject is None
    assert event.data["envelope"]["occurred_at"] == event.time
    assert event.data["amounts"][0]["value"] == Decimal("46190000.00")
    assert [suspect["ref"] for suspect in event.data["suspects"]] == ["S1", "S2"]
    assert decode(CATALOG, encode(CATALOG.latest(event.type), event.data))[1] == event.data


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/specversion", "0.3"),
        ("/type", "referral.invented"),
        ("/type", ["referral.submitted"]),
        ("/source", "csrc"),
        ("/source", "/nobody/unit"),
        ("/source", None),
        ("/id", "not-a-uuid"),
        ("/id", "0190163D-8694-739B-AEA5-966C26F8AD91"),
        ("/time", "2016-10-18T00:00:00"),
        ("/time", "2016-10-18"),
        ("/time", "2016-13-18T00:00:00+08:00"),
        ("/time", "9999-12-31T23:59:59-10:00"),
        ("/time", 1476720000),
        ("/subject", "case 1"),
        ("/subject", 5),
        ("/datacontenttype", "text/plain"),
        ("/colour", "red"),
        ("/data", []),
        ("/data/envelope", None),
        ("/data/envelope/handling", "H9"),
        ("/data/envelope/occurred_at", "2016-10-18T00:00:00+08:00"),
        ("/data/envelope/to", "mps"),
        ("/data/envelope/to/0", 1),
        ("/data/envelope/cc", None),
        ("/data/envelope/in_reply_to", "x"),
        ("/data/envelope/corrects", "abcd"),
        ("/data/envelope/corrects", "AB" * 32),
        ("/data/envelope/urgent", True),
        ("/data/envelope/local_refs/0/value", "a\0b"),
        ("/data/envelope/message_no", "\ud800"),
        ("/data/suspects/1/kind", "corporate"),
        ("/data/suspects/1/tokens/0", "00"),
        ("/data/suspects/1/date_of_birth", "1970-01-01"),
        ("/data/amounts/0/value", 46190000),
        ("/data/amounts/0/value", "46190000.001"),
        ("/data/amounts/0/value", "4,619"),
        ("/data/amounts/0/value", "1e5"),
        ("/data/amounts/0/value", "007"),
        ("/data/amounts/0/value", "12345678901234567.00"),
        ("/data/amounts/0/value", "9" * 4000),
        ("/data/amounts/0/period/to", "2013-02-30"),
        ("/data/amounts/0/period/to", "20130228"),
        ("/data/annexes/0/size", "12"),
        ("/data/annexes/0/size", 2**63),
        ("/data/annexes/0/size", True),
        ("/data/approved_at", "2016-10-17"),
        ("/data/sealed", "not base64!"),
        ("/data/a~b", 1),
    ],
)
def test_what_does_not_fit_is_pointed_at(pointer: str, value: object) -> None:
    """Each misfit is an error with the JSON pointer of its place, what was found and what was expected."""
    with pytest.raises(DoorProblem) as problem:
        parse_event(_with(pointer, value), CATALOG)
    assert problem.value.pointer == pointer.replace("~", "~0")
    assert problem.value.found is not None
    assert problem.value.expected is not None
    assert len(str(problem.value)) < 1000


@pytest.mark.parametrize(
    "pointer",
    [
        "/specversion",
        "/type",
        "/source",
        "/time",
        "/data",
        "/id",
        "/data/envelope",
        "/data/envelope/precision",
        "/data/envelope/date_basis",
        "/data/envelope/handling",
        "/data/amounts/0/currency",
        "/data/suspects/0/ref",
    ],
)
def test_what_is_missing_is_pointed_at(pointer: str) -> None:
    """Nothing without a default is filled in for the sender; the error points at what is missing."""
    with pytest.raises(DoorProblem, match="missing") as problem:
        parse_event(_with(pointer, ABSENT), CATALOG)
    assert problem.value.pointer == pointer


@pytest.mark.parametrize(
    "pointer",
    [
        "/subject",
        "/data/sealed",
        "/data/annexes",
        "/data/envelope/cc",
        "/data/security/code",
        "/data/security",
    ],
)
def test_nullable_fields_may_be_left_out(pointer: str) -> None:
    """A field with a default may be absent."""
    event = parse_event(_with(pointer, ABSENT), CATALOG)
    assert event.data["envelope"]["to"] == ["mps"]


def test_message_number_stands_for_the_id() -> None:
    """The id may be absent where the sender's own message number is given."""
    event = _with("/data/envelope/message_no", "沪证监移2016-1")
    del event["id"]
    assert parse_event(event, CATALOG).id is None


@pytest.mark.parametrize("event", [None, [], "text", 7])
def test_not_an_object(event: object) -> None:
    """What is no JSON object is refused at the root."""
    with pytest.raises(DoorProblem) as problem:
        parse_event(event, CATALOG)
    assert problem.value.pointer == ""


def test_deep_nesting_is_refused() -> None:
    """Nesting deeper than the schema is refused at the first level too many."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DoorProblem) as problem:
        parse_event(_with("/data/envelope/to", deep), CATALOG)
    assert problem.value.pointer == "/data/envelope/to/0"


@pytest.mark.parametrize("type", TYPES)
@settings(max_examples=made_up(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choices=st.data())
def test_round_trip(type: str, choices: st.DataObject) -> None:
    """Whatever a schema allows is written as JSON and read back equal."""
    schema = CATALOG.latest(type)
    data = choices.draw(event_data(schema))
    moment = data["envelope"]["occurred_at"] if "envelope" in data else datetime(2022, 9, 9, tzinfo=UTC)
    text = json.dumps(
        event_json(
            schema, data, id=str(UUID(int=1)), source="/csrc", time=moment_to_text(moment), subject=None
        )
    )
    event = parse_event(json.loads(text), CATALOG)
    assert event.data == data
    assert event.time == moment


def test_an_event_of_the_bus_is_written_as_it_came() -> None:
    """What the door took in, the reader's JSON says again, with the chain id filled."""
    event = parse_event(EVENT, CATALOG)
    schema = CATALOG.latest(event.type)
    chain = "7c0f2b52-93b1-8f0e-9c51-3a1f0e5d2c44"
    assert event.id is not None
    composed = compose(
        value=encode(schema, event.data),
        fingerprint=schema.fingerprint,
        id=event.id,
        type=event.type,
        source=event.source,
        time_ms=1476720000000,
        subject=chain,
        topic="csrc.referral",
        partitions=4,
        producer="csrc-1.1",
        head=StreamHead(),
        key=SigningKey(bytes(32)),
    )
    headers = EventHeaders.parse(composed.record.headers)
    written = door.to_json(headers, decode(CATALOG, composed.record.value)[1])
    assert written["subject"] == chain
    assert written["id"] == EVENT["id"]
    assert parse_event(written, CATALOG).data == event.data
    assert written["data"]["amounts"] == EVENT["data"]["amounts"]
    assert written["data"]["envelope"] == EVENT["data"]["envelope"]
