"""Rows of an outbox table as events of the door, and what the door and the bus answer."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.texts.errors import text_in_chinese
from casebus_schemas.wire.door import DoorProblem

from .. import problems


_TOLD: tuple[str, ...] = ("detail", "zh", "errors", "law")
"""What the answer has of a problem."""


class Row(NamedTuple):
    """A row that has no answer yet; `payload` as the database gives it."""

    id: str
    type: str
    payload: Any


class AnswerRow(NamedTuple):
    """What stands beside a row."""

    id: str
    state: str
    chain: str | None
    digest: str | None
    refusal: Mapping[str, Any] | None


def event_of(row: Row, agency: str) -> dict[str, Any]:
    """The event that a row says. Raises DoorProblem where it cannot be one."""
    payload = row.payload
    if isinstance(payload, str | bytes | memoryview):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise DoorProblem("", "the payload is not JSON", found=str(error)) from error
    if not isinstance(payload, dict):
        raise DoorProblem(
            "", "the payload is no event", expected="a CloudEvent, or an object with time and data"
        )
    for name, said in (("id", row.id), ("type", row.type)):
        if payload.get(name) not in (None, said):
            raise DoorProblem(
                f"/{name}", "the row and its payload say different things", found=said, expected="the same"
            )
    return {"specversion": "1.0", "source": f"/{agency}", **payload, "id": row.id, "type": row.type}


def not_taken(id: str, problem: DoorProblem, law: Sequence[str]) -> AnswerRow:
    """The answer to a row that the door did not take: fields at fault, and the law on which its type is."""
    body = problems.of_event(problem, law).body()
    refusal = {"by": "door"} | {name: body[name] for name in _TOLD if name in body}
    return AnswerRow(id, "refused", None, None, refusal)


def taken(id: str, queued: Queued, receipts: Sequence[Mapping[str, Any]]) -> AnswerRow:
    """The answer to a row that is in the outbox, by what the bus has said of it already."""
    answer = AnswerRow(id, "queued", queued.chain, queued.digest.hex(), None)
    for receipt in receipts:
        answer = after(answer, receipt)
    return answer


def after(answer: AnswerRow, receipt: Mapping[str, Any]) -> AnswerRow:
    """An answer once a receipt has come. What is refused stays so in the ledger, until it is judged again."""
    stage = receipt["stage"]
    if stage == "refused":
        detail = str(receipt.get("detail") or "")
        refusal = {
            "by": "bus",
            "code": receipt.get("code"),
            "detail": detail,
            "zh": text_in_chinese(detail),
        }
        return answer._replace(state="refused", refusal=refusal)
    if stage == "admitted" and answer.state in ("queued", "refused"):
        return answer._replace(state="admitted", refusal=None)
    if stage == "ledgered" and answer.state in ("queued", "admitted"):
        return answer._replace(state="ledgered")
    return answer
