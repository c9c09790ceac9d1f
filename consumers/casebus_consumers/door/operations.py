"""The operations of the door: what answers them, what they may be asked, what docs/openapi.json says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from casebus_producers.outbox.despite_law import MOST_CHARACTERS
from casebus_schemas.case.as_of import LEVELS
from casebus_schemas.texts.symbols import DUTY_STATES, FINDING_STATES

from .asking import BATCH, EVENT, JSON, LARGEST, LONGEST_WAIT_S, MOST_AT_ONCE, OCTETS, RULE, STAGES

Schema = Mapping[str, Any]
_MOMENT: Schema = {
    "type": "string",
    "description": "A day in Beijing (then its end) or a time with its offset.",
    "anyOf": [{"format": "date"}, {"format": "date-time"}],
}
_UUID: Schema = {"type": "string", "format": "uuid"}
_FLAG: Schema = {"type": "string", "enum": ["true", "false"]}
_STAGE: Schema = {
    "type": "string",
    "enum": list(STAGES),
    "description": "Wait for this receipt of each event; a refusal ends the waiting too.",
}
_DESPITE: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": MOST_CHARACTERS,
    "description": "Why events are said for which the law leaves no room; kept with each of them.",
}
_TIMEOUT: Schema = {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S, "description": "Seconds; 30."}
_PAGE: Mapping[str, Schema] = {
    "after": {"type": "integer", "minimum": -1, "maximum": LARGEST, "description": "Behind this number; -1."},
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "description": "At most; 100."},
    "wait": {
        "type": "integer",
        "minimum": 0,
        "maximum": LONGEST_WAIT_S,
        "description": "Seconds to wait for the first one; 0.",
    },
}
_NOW: Mapping[str, Schema] = {"now": {**_MOMENT, "description": "Look at the clocks at this time."}}


def _several(words: Any) -> Schema:
    return {
        "type": "array",
        "items": {"type": "string", "enum": list(words)},
        "minItems": 1,
        "description": "Some of these, with commas.",
    }


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `name` is the method of the application that answers it."""

    name: str
    method: str
    path: str
    zh: str
    en: str
    answers: Mapping[int, str]
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    refuses: tuple[int, ...] = ()

    @property
    def query(self) -> tuple[str, ...]:
        """Names of the parameters of its query."""
        return tuple(self.parameters)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post_events",
        "POST",
        "/v1/events",
        "发出事件：签名并存入发件箱后应答",
        "Say events: signed and on disk in the outbox before the answer; the same id is no second event",
        {200: "Taken", 202: "Taken", 207: "TakenBatch"},
        {"wait": _STAGE, "timeout": _TIMEOUT, "advice": _FLAG, "despite_law": _DESPITE},
        {EVENT: "Event", BATCH: "Batch", JSON: "EventOrBatch"},
        (400, 409, 413, 415, 422),
    ),
    Operation(
        "get_receipts",
        "GET",
        "/v1/receipts",
        "回执，按到达顺序",
        "Receipts of the bus in the order in which they came",
        {200: "Receipts"},
        _PAGE,
        {},
        (400,),
    ),
    Operation(
        "get_receipt",
        "GET",
        "/v1/receipts/{id}",
        "一件事件的回执",
        "What became of one event",
        {200: "Standing"},
        {"wait": _STAGE, "timeout": _TIMEOUT},
        {},
        (400, 404),
    ),
    Operation(
        "get_inbox",
        "GET",
        "/v1/inbox",
        "收件箱：分页、长轮询或事件流",
        "Notices, each proven: a page, a long poll, or with Accept: text/event-stream a stream, which "
        "Last-Event-ID resumes",
        {200: "Inbox"},
        _PAGE,
        {},
        (400,),
    ),
    Operation(
        "post_ack",
        "POST",
        "/v1/inbox/ack",
        "签收：向发送方告知已取件",
        "Say to the senders that notices were fetched (receipt.delivered), once for each",
        {202: "Acknowledged"},
        {},
        {JSON: "Ack"},
        (400, 404, 413, 415, 422),
    ),
    Operation(
        "get_cases",
        "GET",
        "/v1/cases",
        "本机关所知案件",
        "Every case of which the agency said or heard something",
        {200: "Cases"},
    ),
    Operation(
        "get_case",
        "GET",
        "/v1/cases/{chain}",
        "一案：各方陈述、期限、发现",
        "One case as the agency knows it: accounts side by side, clocks, findings, events",
        {200: "Case"},
        {
            **_NOW,
            "as_of": {**_MOMENT, "description": "Facts until this time only."},
            "known_at": {**_MOMENT, "description": "Only what was known at this time."},
            "level": {"type": "string", "enum": list(LEVELS), "description": "How it was had; available."},
            "law_of": {"type": "string", "format": "date", "description": "Under the law of this day."},
            "why": _FLAG,
        },
        {},
        (400, 404),
    ),
    Operation(
        "get_attachment",
        "GET",
        "/v1/attachments/{sha256}",
        "文件，可按范围获取",
        "A document by its digest, whole or in ranges (Range); to another agency's door, by its signature "
        "(RFC 9421), only if an event that names the document was delivered to it",
        {200: "Binary", 206: "Binary"},
        {},
        {},
        (400, 404),
    ),
    Operation(
        "put_attachment",
        "PUT",
        "/v1/attachments/{sha256}",
        "存入本机关的文件",
        "Store a document of the agency's own, up to 5 GiB, so that other agencies' doors can fetch it",
        {201: "Stored"},
        {},
        {OCTETS: "Binary"},
        (400, 404, 413, 415, 422),
    ),
    Operation(
        "get_obligations",
        "GET",
        "/v1/obligations",
        "到期事项",
        "What is due, the earliest first; `from` says whether the bus announced it or the own view gives it",
        {200: "Obligations"},
        {**_NOW, "chain": _UUID, "state": _several(DUTY_STATES), "due_before": _MOMENT},
        {},
        (400,),
    ),
    Operation(
        "get_findings",
        "GET",
        "/v1/findings",
        "核对发现",
        "Where accounts disagree or something is missing; `from` says who found it",
        {200: "Findings"},
        {
            **_NOW,
            "chain": _UUID,
            "state": _several(FINDING_STATES),
            "rule": {"type": "string", "pattern": f"^{RULE}$"},
        },
        {},
        (400,),
    ),
    Operation(
        "post_check",
        "POST",
        "/v1/check",
        "试算：不发出",
        "What would be refused, due and found of these events; nothing is said",
        {200: "Checked"},
        _NOW,
        {EVENT: "Event", BATCH: "Batch", JSON: "EventOrBatch"},
        (400, 413, 415, 422),
    ),
    Operation(
        "get_health",
        "GET",
        "/healthz",
        "是否正常",
        "Whether inbox, receipts and relay do what they should; needs no key and names no case",
        {200: "Health", 503: "Health"},
    ),
)
