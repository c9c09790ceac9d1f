"""A record that this program cannot judge or answer: refused as `set-aside`, kept, and the flow goes on."""

import logging
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RefusalCode, RetryLater, StopService
from casebus_schemas.wire.records import Record

from .judgement import Examined, Judgement, secret_in
from .refusals import Refusal

log = logging.getLogger(__name__)

PASSED = (RetryLater, StopService)
"""What ends the service: the broker is away, or evidence is at risk. Nothing that a record holds may."""
CODE: RefusalCode = "set-aside"

_T = TypeVar("_T")


def unexamined(record: Record, catalog: Catalog, error: Exception) -> Examined:
    """What is known of a record whose examination failed. Its bytes are kept only where it is sure that they
    may be repeated; those at its place in Kafka are there in any case."""
    refusal = _refusal(record, error)
    try:
        secret, unsure = secret_in(record, catalog), False
    except Exception:  # noqa: BLE001  the same fault, most likely
        secret, unsure = None, True
    size = len(record.key or b"") + len(record.value or b"") + sum(len(v or b"") for _, v in record.headers)
    return Examined(record, None, None, None, None, None, refusal, None, secret, (), size, unsure)


def unanswered(record: Record, error: Exception) -> Judgement:
    """The judgement where nothing could be written that follows from one: without the record's bytes."""
    code, detail = _refusal(record, error)
    return Judgement(record, "refused", code, detail, None, (), None, 0, False)


def each(
    judgements: Sequence[Judgement],
    answer: Callable[[Sequence[Judgement]], list[_T]],
    undo: Callable[[], Callable[[], None]],
) -> list[_T]:
    """What `answer` gives for all judgements at once; if it fails, for each alone, with `set-aside` in the
    place of each that it fails for. `undo` gives a function that brings back the state of its call."""
    back = undo()
    try:
        return answer(judgements)
    except PASSED:
        raise
    except Exception as error:  # noqa: BLE001  of this record alone, which is set aside
        back()
        if len(judgements) == 1:
            return answer([unanswered(judgements[0].record, error)])
    return [output for judgement in judgements for output in each([judgement], answer, undo)]


def _refusal(record: Record, error: Exception) -> Refusal:
    # Kind and place alone: what an error says may quote what must not be repeated.
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    reason = f"{type(error).__name__}{place}"
    log.error("set aside %s/%d/%d: %s", record.topic, record.partition, record.offset, reason)
    detail = f"the bus could not judge it, found {reason}; it is kept, and driven again after a mend"
    return Refusal(CODE, detail)
