"""Rows of an outbox table as events of the door."""

from typing import Any, NamedTuple

import orjson

from casebus_schemas.wire.door import DoorProblem


class Row(NamedTuple):
    """A row that has no answer yet; `payload` as the database gives it."""

    id: str
    type: str
    payload: Any


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
