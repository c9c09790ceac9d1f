"""What takes long to read: read in the background, shown as it was last, and never waited for long."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from casebus_schemas.errors import BusError

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What was read last (None: nothing yet), whether it is being read now, and why it could not be."""

    value: T | None
    under_way: bool
    failed: BusError | None


class Looked(Generic[T]):
    """Something that one thread reads whenever it is asked for and older than `fresh_s` seconds."""

    def __init__(self, look: Callable[[], T], fresh_s: float) -> None:
        self._look = look
        self._fresh_s = fresh_s
        self._condition = threading.Condition()
        self._value: T | None = None
        self._failed: BusError | None = None
        self._at = float("-inf")
        self._under_way = False

    def seen(self, wait_s: float) -> Seen[T]:
        """As it was read last; a new reading is begun if that is old, and waited for so long."""
        with self._condition:
            if not self._under_way and time.monotonic() - self._at > self._fresh_s:
                self._under_way = True
                threading.Thread(target=self._read, name="desk-look", daemon=True).start()
            self._condition.wait_for(lambda: not self._under_way, wait_s)
            return Seen(self._value, self._under_way, self._failed)

    def _read(self) -> None:
        value, failed = None, None
        try:
            value = self._look()
        except BusError as error:
            failed = error
        except Exception as error:
            log.exception("a fault of the desk")
            failed = BusError("this could not be read", found=type(error).__name__)
        with self._condition:
            self._failed = failed
            if failed is None:
                self._value = value
            self._at = time.monotonic()
            self._under_way = False
            self._condition.notify_all()
