"""Follows the operator's `clock.set` commands: the one way in which a simulated clock is set."""

import logging
from collections.abc import Callable, Iterable

from casebus_schemas.admission.keyring import Keyring
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import Refused, RetryLater, StopService
from casebus_schemas.wire.records import Record

from .clock import BusClock
from .commands import Command, SetClock, command_of

log = logging.getLogger(__name__)


class ClockCommands:
    """Sets a clock as the records of bus.command say, in their order.

    A command counts only under a key of the bus: `keyring` gives the keys as far as they are read, and
    `catch_up` reads on where a command's key is not among them.
    """

    def __init__(
        self,
        clock: BusClock,
        catalog: Catalog,
        keyring: Callable[[], Keyring],
        catch_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._catalog = catalog
        self._keyring = keyring
        self._catch_up = catch_up

    def follow(self, records: Iterable[Record]) -> bool:
        """Whether any of them set the clock; a command that is refused is passed over, as in the router."""
        is_set = False
        for record in records:
            try:
                command = self._command(record)
            except Refused as refused:
                # The router answers it with an admission that refuses it: here it is no news.
                log.info("command at offset %d passed over: %s", record.offset, refused)
                continue
            except (RetryLater, StopService):
                raise
            except Exception:  # one command that nobody foresaw must not stop the clock
                log.exception("command at offset %d set aside", record.offset)
                continue
            if isinstance(command, SetClock) and self._clock.set(command.setting):
                log.info("the clock is set to %d ms, rate %g", command.setting.time_ms, command.setting.rate)
                is_set = True
        return is_set

    def _command(self, record: Record) -> Command:
        try:
            return command_of(record, self._catalog, self._keyring())
        except Refused as refused:
            if refused.code != "unknown-key":
                raise
        self._catch_up()
        return command_of(record, self._catalog, self._keyring())
