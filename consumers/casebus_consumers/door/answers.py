"""What became of a row of a table or a file: taken or not by the door, then as the bus's receipts say."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from casebus_producers.outbox.outbox_events import Queued
from casebus_schemas.texts.errors import text_in_chinese
from casebus_schemas.wire.door import DoorProblem

from . import problems
from .said import Said
from .taken import Taken

_TOLD: tuple[str, ...] = ("detail", "zh", "errors", "law")
"""What an answer has of a problem."""


class Says(Protocol):
    """What takes events: the door."""

    agency: str
    said: Said

    def say(self, events: Sequence[object]) -> list[Taken | DoorProblem]:
        """Keeps events in the outbox; durable when it returns; idempotent."""

    def law_of(self, event: object) -> list[str]:
        """The texts of law on which the type of an event stands."""


class Answer(NamedTuple):
    """What stands beside a row; `id` is the event's, where there is one."""

    id: str
    state: str
    chain: str | None
    digest: str | None
    refusal: Mapping[str, Any] | None


def answered(door: Says, event: Any, id: str, found: Taken | DoorProblem) -> Answer:
    """The answer to a row once the door has taken its event or not."""
    if isinstance(found, DoorProblem):
        return not_taken(id, found, door.law_of(event))
    receipts = door.said.standing(found.queued)["receipts"] if found.queued.repeated else []
    return taken(found.queued, receipts)


def not_taken(id: str, problem: DoorProblem, law: Sequence[str]) -> Answer:
    """The answer to a row that the door did not take: fields at fault, and the law on which its type is."""
    body = problems.of_event(problem, law).body()
    refusal = {"by": "door"} | {name: body[name] for name in _TOLD if name in body}
    return Answer(id, "refused", None, None, refusal)


def taken(queued: Queued, receipts: Sequence[Mapping[str, Any]]) -> Answer:
    """The answer to a row that is in the outbox, by what the bus has said of it already."""
    answer = Answer(str(queued.id), "queued", queued.chain, queued.digest.hex(), None)
    for receipt in receipts:
        answer = after(answer, receipt)
    return answer


def after(answer: Answer, receipt: Mapping[str, Any]) -> Answer:
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
