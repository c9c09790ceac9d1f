"""The document docs/asyncapi.json (AsyncAPI 3.1): topics, messages, who sends and who receives them."""

import json
from collections.abc import Iterator
from importlib.metadata import version as version_of
from typing import Any

from casebus_schemas.admission.notice_records import NOTICE_HEADERS
from casebus_schemas.admission.verdict import BUS_HEADERS
from casebus_schemas.agencies import BUS, MEMBERS
from casebus_schemas.catalogue.catalog import RECEIPTS, Catalog, EventSchema, EventType
from casebus_schemas.catalogue.topology import ADMISSION, CHECKPOINT, TopicSpec, topics
from casebus_schemas.evidence.epoch import EPOCH_HEADER, HEADS_HEADER
from casebus_schemas.texts.symbols import agency as called
from casebus_schemas.wire.headers import CONTENT_TYPE

AVRO = "application/vnd.apache.avro;version=1.9.0"
_BINDING = "0.5.0"
_ADMISSION, _REFUSED = "bus.admission", "dead-letter"
"""Messages that carry the bytes of another record, or none."""
_SEALED, _COSIGNED = "bus.checkpoint", "cosignature"
"""Messages that are text."""
_NOTICE = "notice."
"""The same event in an inbox: a message of its own, since it has more headers."""

_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}
_HEADERS = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**_UUID, "description": "UUID version 7, or version 5 of the sender's own message number."},
    "ce_source": {**_TEXT, "description": "/agency or /agency/unit."},
    "ce_type": {**_TEXT, "description": "The event type."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
    "ce_subject": {**_UUID, "description": "The chain id, equal to the record's key."},
    "ce_dataschema": {**_TEXT, "description": "sha256: and the fingerprint of the schema."},
    "content-type": {"const": CONTENT_TYPE},
    "casebus-producer": {**_TEXT, "description": "instance.incarnation."},
    "casebus-seq": {**_TEXT, "description": "Number in the stream, decimal, without gaps."},
    "casebus-prev": {**_TEXT, "description": "Digest of the stream's previous event, base64url."},
    "casebus-sig": {**_TEXT, "description": "Signature block, base64url."},
}
_OPTIONAL = {
    "ce_datacontenttype": {"const": CONTENT_TYPE},
    "ce_partitionkey": {**_UUID, "description": "The same as the record's key."},
    "traceparent": {**_TEXT, "description": "W3C trace context."},
}
"""What an agency may add; any further header stays as it came."""
_VERDICT = (
    {"description": "The verdict, compact JSON."},
    {"description": "The router's instance.incarnation."},
    {"description": "Number in the router's stream, decimal, without gaps."},
    {"description": "Digest of the stream's previous admission, base64url."},
    {"description": "The bus's own signature block, base64url."},
)
_WHY = (
    {"format": "uuid", "description": "The notice id: a repeat has the same."},
    {"enum": ["to", "cc", "by-law"], "description": "Why this agency hears of it."},
    {"description": "Where the event stands: topic/partition/offset."},
    {"format": "date-time", "description": "When the router admitted it."},
)
_EPOCH = {
    EPOCH_HEADER: {**_TEXT, "description": "The epoch's leaf in the head log, base64url."},
    HEADS_HEADER: {**_TEXT, "description": "Heads that changed since the epoch before, five lines each."},
}
_REASON = {
    "casebus-error-code": {**_TEXT, "description": "The refusal code."},
    "casebus-origin": {**_TEXT, "description": "Where the record stands: topic/partition/offset."},
    "casebus-attempt": {**_TEXT, "description": "Which judgement of it this was, decimal from 1."},
}


def _texts(names: tuple[str, ...], told: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {name: {**_TEXT, **more} for name, more in zip(names, told, strict=True)}


def document() -> dict[str, Any]:
    """The whole document."""
    catalog = Catalog.load()
    channels = {spec.name: _channel(spec, catalog) for spec in topics()}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "casebus",
            "version": version_of("casebus"),
            "description": (
                "Topics and events of the bus. Generated from events.yaml, topics/*.yaml and avro/. A value "
                "is a Confluent frame (00, schema id in four bytes) and an Avro body; the partition is "
                "murmur2 of the key, as the default partitioner of Java and kafka-python computes it."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "bus": {
                "host": "localhost:9092",
                "protocol": "kafka-secure",
                "description": "An example; connection.json of a running stack names the real address.",
                "security": [{"$ref": "#/components/securitySchemes/scram"}],
            }
        },
        "channels": channels,
        "operations": dict(_operations(channels)),
        "components": {
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "One login a principal."}},
            "schemas": {
                "headers": _object(_HEADERS, _OPTIONAL),
                "notice": _object({**_HEADERS, **_texts(NOTICE_HEADERS, _WHY)}, _OPTIONAL),
                "admission": _object(_texts(BUS_HEADERS, _VERDICT)),
                "refusal": _object(_REASON),
                "epoch": _object(_EPOCH),
            },
            "messageTraits": {"event": _trait("headers"), "notice": _trait("notice")},
            "messages": dict(_messages(catalog)),
        },
    }


def document_text() -> str:
    """The document as the file holds it: each Avro schema on one line, all else spread out."""
    whole = document()
    lines: list[str] = []
    for message in whole["components"]["messages"].values():
        if "schema" in message.get("payload", ()):
            lines.append(json.dumps(message["payload"]["schema"], ensure_ascii=False, separators=(",", ":")))
            message["payload"]["schema"] = f"\0{len(lines) - 1}"
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    for number, line in enumerate(lines):
        text = text.replace(f'"\\u0000{number}"', line, 1)
    return text + "\n"


# --- channels ---------------------------------------------------------------------------------------------


def _channel(spec: TopicSpec, catalog: Catalog) -> dict[str, Any]:
    said = {name: {"$ref": f"#/components/messages/{name}"} for name in _said_on(spec, catalog)}
    kafka = {
        "partitions": spec.partitions,
        "replicas": spec.replication,
        "topicConfiguration": {
            "cleanup.policy": [spec.config["cleanup.policy"]],
            "retention.ms": int(spec.config["retention.ms"]),
            "max.message.bytes": spec.max_message_bytes,
        },
        "bindingVersion": _BINDING,
    }
    return {
        "address": spec.name,
        "title": spec.name,
        "description": spec.content,
        "messages": said,
        "bindings": {"kafka": kafka},
        "x-ledgered": spec.ledgered,
        "x-written-by": list(spec.written_by),
        "x-read-by": list(spec.read_by),
    }


def _said_on(spec: TopicSpec, catalog: Catalog) -> Iterator[str]:
    """Names of the messages that may stand on a topic."""
    if spec.name == ADMISSION:
        yield _ADMISSION
    elif spec.name == CHECKPOINT:
        yield _SEALED
    elif spec.channel == _COSIGNED:
        yield _COSIGNED
    elif spec.channel == "dead-letter":
        yield _REFUSED
    elif spec.channel == "inbox":
        # Whatever anyone may say to this agency, its own words excepted; keys and commands go by no inbox.
        yield from (_NOTICE + e.type for e in catalog.types.values() if _reaches(e, spec.agency))
    else:
        for event in catalog.types.values():
            told = MEMBERS if event.channel == RECEIPTS else event.speakers
            if spec.name in {event.topic(agency) for agency in told}:
                yield event.type


def _reaches(event: EventType, agency: str) -> bool:
    delivered = event.channel not in (RECEIPTS, "key", "command")
    return delivered and bool(event.speakers - {agency})


def _operations(channels: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for topic, channel in channels.items():
        place = f"#/channels/{topic}"
        for action, principals in (("send", channel["x-written-by"]), ("receive", channel["x-read-by"])):
            yield (
                f"{action}.{topic}",
                {
                    "action": action,
                    "channel": {"$ref": place},
                    "summary": f"{', '.join(principals)} {'write' if action == 'send' else 'read'} {topic}",
                    "messages": [
                        {"$ref": f"#/channels/{topic}/messages/{name}"} for name in channel["messages"]
                    ],
                    "x-principals": principals,
                },
            )


# --- messages ---------------------------------------------------------------------------------------------


def _messages(catalog: Catalog) -> Iterator[tuple[str, Any]]:
    for event in catalog.types.values():
        yield event.type, _message(event, catalog.latest(event.type))
    for event in catalog.types.values():
        if any(_reaches(event, agency) for agency in MEMBERS):
            yield _NOTICE + event.type, _notice(event)
    yield (
        _ADMISSION,
        {
            "name": _ADMISSION,
            "title": "准入记录 admission",
            "summary": "The record of an agency as it came, then the verdict of the bus in further headers.",
            "headers": {"$ref": "#/components/schemas/admission"},
        },
    )
    yield (
        _REFUSED,
        {
            "name": _REFUSED,
            "title": "被拒记录 refused record",
            "summary": "The refused record byte for byte; headers say why. Empty for a state secret.",
            "headers": {"$ref": "#/components/schemas/refusal"},
        },
    )
    yield (
        _SEALED,
        {
            "name": _SEALED,
            "title": "检查点 checkpoint",
            "summary": "The body of tlog-witness add-checkpoint: old size, proof, signed checkpoint.",
            "contentType": "text/plain",
            "headers": {"$ref": "#/components/schemas/epoch"},
            "payload": _TEXT,
        },
    )
    yield (
        _COSIGNED,
        {
            "name": _COSIGNED,
            "title": "联署 cosignature",
            "summary": "The signed checkpoint with the line that the witness added.",
            "contentType": "text/plain",
            "payload": _TEXT,
        },
    )


def _message(event: EventType, schema: EventSchema) -> dict[str, Any]:
    speakers = " ".join(called(who).zh for who in (*MEMBERS, BUS) if who in event.speakers)
    return {
        "name": event.type,
        "title": f"{event.title_zh} {event.title_en}",
        "summary": f"Said by {', '.join(sorted(event.speakers))} ({speakers}).",
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {"schemaFormat": AVRO, "schema": _with_namespaces(schema.schema)},
        "x-schema-id": schema.id,
        "x-version": schema.version,
        "x-dataschema": schema.dataschema,
        "x-answers": list(event.answers),
        "x-by-law": list(event.by_law),
    }


def _notice(event: EventType) -> dict[str, Any]:
    return {
        "name": event.type,
        "title": f"{event.title_zh} {event.title_en}",
        "summary": "The event as it came, and why this agency hears of it.",
        "traits": [{"$ref": "#/components/messageTraits/notice"}],
        "payload": {"$ref": f"#/components/messages/{event.type}/payload"},
    }


def _with_namespaces(schema: Any) -> Any:
    """The same schema with the parts of a full name apart, as AsyncAPI's own schema of Avro wants them."""
    if isinstance(schema, list):
        return [_with_namespaces(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    written = dict(schema)
    if "." in written.get("name", ""):
        written["namespace"], _, written["name"] = written["name"].rpartition(".")
    for key in ("type", "items"):
        if key in written:
            written[key] = _with_namespaces(written[key])
    if "fields" in written:
        written["fields"] = [_with_namespaces(field) for field in written["fields"]]
    return written


def _trait(headers: str) -> dict[str, Any]:
    return {
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "bindings": {
            "kafka": {
                "key": {**_UUID, "description": "The chain id."},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "bindingVersion": _BINDING,
            }
        },
    }


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties}
