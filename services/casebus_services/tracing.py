"""Spans of what services do with events, exported by OpenTelemetry where a collector is named."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from casebus_schemas.errors import UsageError
from casebus_schemas.wire.headers import trace_context
from casebus_schemas.wire.records import Batch, Record

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

VARIABLE = "CASEBUS_TRACES_ENDPOINT"
PATH = "/v1/traces"
HEADER = "traceparent"

_tracer: Tracer | None = None


def export_spans(endpoint: str | None, service: str) -> None:
    """Sends the spans of this process to a collector (OTLP over HTTP), in batches beside the work.

    None or nothing: none are made. A collector that is away is said in the log and loses spans, nothing else.
    Raises UsageError where OpenTelemetry is not installed, or the address is none.
    """
    if not endpoint:
        return
    if not endpoint.startswith(("http://", "https://")):
        raise UsageError(VARIABLE, found=repr(endpoint)[:80], expected="http://… or https://…")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{VARIABLE} needs OpenTelemetry",
            found=f"no {error.name}",
            expected="its packages",
            remedy="pip install 'casebus[tracing]'",
        ) from error
    make_spans(BatchSpanProcessor(OTLPSpanExporter(endpoint.rstrip("/") + PATH)), service)


def make_spans(processor: SpanProcessor, service: str) -> None:
    """From here on spans of this process go to `processor`. A trace that its begin left out is left out."""
    global _tracer
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    names = {"service.name": f"casebus-{service}", "service.version": version("casebus")}
    provider = TracerProvider(resource=Resource.create(names))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("casebus", version("casebus"))


def no_spans() -> None:
    """From here on none are made."""
    global _tracer
    _tracer = None


def begun(name: str, traceparent: object, attributes: Mapping[str, str | int]) -> Started | None:
    """A span that begins now, under a trace context or as a trace of its own; None where none are made."""
    return None if _tracer is None else Started(_span(_tracer, name, traceparent, attributes, time.time_ns()))


def handled(service: str, batches: Iterable[Batch], begun_ns: int) -> None:
    """Makes a span for each of these records that has a trace context: it was handled since `begun_ns`."""
    if _tracer is None:
        return
    ended_ns = time.time_ns()
    for record in (record for batch in batches for record in batch.records):
        if (traceparent := _context_of(record)) is not None:
            span = _span(_tracer, f"{service} {record.topic}", traceparent, _said_of(record), begun_ns)
            span.end(end_time=ended_ns)


class Started:
    """A span that has begun."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """Its own context, for what follows from it."""
        own = self._span.get_span_context()
        return f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"

    def end(self) -> None:
        """It ends now."""
        self._span.end()


def _span(
    tracer: Tracer, name: str, traceparent: object, attributes: Mapping[str, str | int], begun_ns: int
) -> Span:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    known = trace_context(traceparent)
    above = TraceContextTextMapPropagator().extract({HEADER: known}, Context()) if known else Context()
    return tracer.start_span(name, above, attributes=dict(attributes), start_time=begun_ns)


def _context_of(record: Record) -> str | None:
    found = (value.decode(errors="replace") for name, value in record.headers if name == HEADER and value)
    return next((text for text in found if trace_context(text)), None)


def _said_of(record: Record) -> dict[str, str | int]:
    """Where it stands, and which event it is: ids, no content."""
    said: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.destination.name": record.topic,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
    }
    for header, name in (("ce_id", "cloudevents.event_id"), ("ce_type", "cloudevents.event_type")):
        if value := record.header(header):
            said[name] = value[:100].decode(errors="replace")
    return said
