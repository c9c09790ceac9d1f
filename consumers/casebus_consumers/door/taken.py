"""An event that the door has taken."""

from collections.abc import Sequence
from dataclasses import dataclass

from casebus_producers.checking.advice import Hint
from casebus_producers.outbox.outbox_events import Queued


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that is in the outbox, on disk; `advice` is what its sender may want to mend."""

    queued: Queued
    advice: Sequence[Hint] = ()
