"""An event as an agency hands it in (CloudEvents 1.0, structured JSON), as our own programs say it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID


def cloud_event(
    type: str,
    *,
    source: str,
    id: UUID | str,
    time: str,
    facts: Mapping[str, Any],
    subject: str | None = None,
    **envelope: Any,
) -> dict[str, Any]:
    """The event of a type; `time` is RFC 3339 text, `subject` a chain or thread, or None: the door finds it.

    The envelope says what is not said otherwise in `envelope`: a first message to nobody, of handling H1, its
    time stated to the second.
    """
    said = {
        "message_class": "initial",
        "to": [],
        "cc": [],
        "precision": "second",
        "date_basis": "stated",
        "handling": "H1",
        **envelope,
    }
    event: dict[str, Any] = {
        "specversion": "1.0",
        "type": type,
        "source": source,
        "id": str(id),
        "time": time,
        "data": {"envelope": said, **facts},
    }
    if subject is not None:
        event["subject"] = subject
    return event
