"""A trace context goes with an event to all that follows from it, decides nothing, and leads to spans."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from casebus_consumers.door.asking import EVENT
from casebus_schemas.errors import UsageError
from casebus_schemas.wire.headers import EventHeaders, digest_of
from casebus_schemas.wire.records import Batch, Outgoing
from casebus_services import tracing
from casebus_services.reconciler.accounts_database import Database
from support.cases.members import door_event
from support.events.signed_events import Speaker, stored
from support.reconciler.desk import Desk
from support.router.router_bench import RouterBench
from support.scenes.door_scene import DoorScene

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CONTEXT = f"00-{TRACE}-00f067aa0ba902b7-01"
NOT_SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"
SENT = {"traceparent": CONTEXT}


def traced(record: Outgoing, context: str = CONTEXT) -> Outgoing:
    """The record with a trace context behind its headers, which no signature covers."""
    return record._replace(headers=(*record.headers, ("traceparent", context.encode())))


def context_of(record: Outgoing) -> str | None:
    """The trace context that a record carries."""
    found = [value.decode() for name, value in record.headers if name == "traceparent" and value]
    assert len(found) < 2
    return found[0] if found else None


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is exported while spans are made."""
    exporter = InMemorySpanExporter()
    tracing.make_spans(SimpleSpanProcessor(exporter), "test")
    yield exporter
    tracing.no_spans()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[DoorScene]:
    """A door with its outbox."""
    made = DoorScene(tmp_path)
    yield made
    made.close()


def queued(scene: DoorScene) -> list[str | None]:
    """The trace contexts of the records in the outbox, in order."""
    return [context_of(row.record) for row in scene.outbox.pending(0, 100, 1 << 20)]


# --- carried on ------------------------------------------------------------------------------------------


def test_the_door_takes_a_context_from_event_or_request(scene: DoorScene) -> None:
    """The event's own comes before the request's; what is no context is left out, and refuses no event."""
    other = CONTEXT.replace("00f067aa0ba902b7", "00f067aa0ba902b8")
    references = [[{"issuer": "csrc", "scheme": "case", "value": f"t-{number}"}] for number in range(4)]
    events = [
        door_event(id=f"0190163d-8694-739b-aea5-966c26f8ad0{number}", envelope={"local_refs": reference})
        for number, reference in enumerate(references)
    ]
    assert scene.post("/v1/events", {**events[0], **SENT}, EVENT).status_code == 202
    assert scene.post("/v1/events", events[1], EVENT, headers={"traceparent": other}).status_code == 202
    both = scene.post("/v1/events", {**events[2], **SENT}, EVENT, headers={"traceparent": other})
    assert both.status_code == 202
    assert scene.post("/v1/events", {**events[3], "traceparent": "00-who-what-01"}, EVENT).status_code == 202
    assert queued(scene) == [CONTEXT, other, CONTEXT, None]


def test_another_context_is_no_other_event(scene: DoorScene) -> None:
    """The same event said again under another trace is a repeat."""
    assert scene.post("/v1/events", {**door_event(), **SENT}, EVENT).json()["repeated"] is False
    assert scene.post("/v1/events", door_event(), EVENT).json()["repeated"] is True
    assert queued(scene) == [CONTEXT]


def test_the_router_carries_it_to_verdict_notice_and_receipt() -> None:
    """All that follows from an admitted event has its context; digest and verdict are those without it."""
    csrc = Speaker("csrc")
    said = csrc.refer()
    bench = RouterBench(csrc)
    (admission,) = bench.handle(stored(traced(said.record)))
    assert (admission.verdict, admission.digest) == ("admitted", said.digest)
    assert {one.topic: context_of(one) for one in bench.outputs} == {
        "bus.admission": CONTEXT,
        "inbox.mps": CONTEXT,
        "inbox.spp": CONTEXT,
        "receipt.csrc": CONTEXT,
    }
    receipt = next(one for one in bench.outputs if one.topic == "receipt.csrc")
    assert digest_of(receipt) == digest_of(receipt._replace(headers=receipt.headers[:-1]))


def test_a_refused_event_keeps_it_too() -> None:
    """The receipt of a refusal and the dead letter belong to the same trace."""
    csrc = Speaker("csrc")
    record = traced(csrc.refer().record)
    bench = RouterBench(csrc)
    (admission,) = bench.handle(stored(record._replace(value=(record.value or b"") + b"x")))
    assert admission.verdict == "refused"
    assert {context_of(one) for one in bench.outputs} == {CONTEXT}


def test_an_announcement_has_the_context_of_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bus finds because of an event belongs to that event's trace, also after a crash."""
    database = Database(f"sqlite:///{tmp_path / 'accounts.db'}")
    database.migrate()
    desk = Desk(database)
    admit = desk.admitter.admit
    monkeypatch.setattr(desk.admitter, "admit", lambda one, **more: admit(traced(one.record), **more))
    desk.play()
    desk.agent.handle(desk.admitter.batches())
    assert desk.sink.sent
    assert {context_of(one) for one in desk.sink.sent} == {CONTEXT}
    stored_headers = [row[0] for row in desk.rows("SELECT headers FROM recon_outbox")]
    assert all(TRACE in text for text in stored_headers)
    database.close()
    for record in desk.sink.sent:
        assert EventHeaders.parse(record.headers).traceparent == CONTEXT


# --- spans -----------------------------------------------------------------------------------------------


def test_a_handled_event_is_a_span_of_its_trace(spans: InMemorySpanExporter) -> None:
    """It says which event it was and where it stood, and nothing of its content."""
    record = stored(traced(Speaker("csrc").refer().record), offset=7)
    plain = stored(Speaker("csrc").refer(2).record)
    tracing.handled("router", [Batch(record.topic, record.partition, [record, plain], 9)], begun_ns=5)
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert (span.name, span.start_time) == ("router csrc.referral", 5)
    assert span.resource.attributes["service.name"] == "casebus-test"
    assert dict(span.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.destination.name": "csrc.referral",
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": 7,
        "cloudevents.event_id": (record.header("ce_id") or b"").decode(),
        "cloudevents.event_type": "referral.submitted",
    }


def test_a_trace_that_is_not_sampled_stays_so(spans: InMemorySpanExporter) -> None:
    """Whoever began the trace decided that it is not recorded."""
    record = stored(traced(Speaker("csrc").refer().record, NOT_SAMPLED))
    tracing.handled("router", [Batch(record.topic, record.partition, [record], 1)], begun_ns=5)
    assert spans.get_finished_spans() == ()


def test_a_door_that_makes_spans_begins_a_trace(scene: DoorScene, spans: InMemorySpanExporter) -> None:
    """An event without a context gets one where the door makes spans; one with a context goes on in it."""
    assert scene.post("/v1/events", door_event(), EVENT).status_code == 202
    (span,) = spans.get_finished_spans()
    (context,) = queued(scene)
    assert (
        context
        == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
    )
    assert scene.post("/v1/events", {**door_event(), **SENT}, EVENT).status_code == 202
    assert f"{spans.get_finished_spans()[-1].context.trace_id:032x}" == TRACE


def test_spans_go_nowhere_unless_a_collector_is_named() -> None:
    """Without a setting nothing is made or imported; an address that is none is refused."""
    tracing.export_spans(None, "router")
    tracing.export_spans("", "router")
    assert tracing.begun("anything", None, {}) is None
    with pytest.raises(UsageError, match="collector"):
        tracing.export_spans("collector:4318", "router")
