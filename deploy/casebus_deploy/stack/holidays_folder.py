"""A folder of notices on holidays: each new one becomes the operator's ledgered order, and does so once."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from casebus_producers.checking.notice_files import parsed_notice
from casebus_schemas.connection import Connection
from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.law.calendar import Calendar, beijing_day, end_of_day, published
from casebus_schemas.law.notice_data import check_notice
from casebus_schemas.law.notices import Notice
from casebus_schemas.times import beijing_text

FOLDER = "holidays"
"""Its name below the data directory."""
_AHEAD = timedelta(hours=1)
"""So long before a notice counts all services must have had time to read the order."""
_AGAIN_S = 30.0
_ENDINGS = {".yaml", ".yml", ".json"}

Say = Callable[[str], None]


class Ordered(NamedTuple):
    """An order of the operator: where it stands, and from when terms are counted by the notice."""

    place: str
    in_force_from: datetime


class HolidaysFolder:
    """Orders what lies in a folder and is not ordered yet, seen from all orders on the bus.

    What counts is the order in the ledger, never the file: it may be changed or deleted afterwards, and a
    replay needs it no more. A notice is known by its number. A file that is no lawful notice is named once,
    and again when it was changed. `ordered` gives the notices ordered so far, `order` orders one.
    """

    def __init__(
        self,
        folder: Path,
        ordered: Callable[[], Iterable[Notice]],
        order: Callable[[Notice], Ordered],
        say: Say,
    ) -> None:
        self._folder = folder
        self._ordered = ordered
        self._order = order
        self._say = say
        self._seen: dict[Path, tuple[int, int]] = {}
        self._not_before = 0.0

    @classmethod
    def of(cls, folder: Path, connection: Connection, say: Say) -> Self:
        """The folder of a running bus."""
        return cls(
            folder, lambda: notices_ordered(connection), lambda notice: enter_notice(connection, notice), say
        )

    def look(self) -> list[tuple[Notice, Ordered]]:
        """What was ordered of files that are new or changed since the last look, the oldest notice first.

        A broker that is away is asked again half a minute later.
        """
        if time.monotonic() < self._not_before:
            return []
        new = {file: state for file, state in self._files() if self._seen.get(file) != state}
        if not new:
            return []
        made: list[tuple[Notice, Ordered]] = []
        try:
            known = [*published().notices, *self._ordered()]
            for notice, file in sorted(self._read(new), key=lambda read: (read[0].known_since, read[1])):
                if any(other.number == notice.number for other in known):
                    continue
                if self._is_lawful(notice, file, Calendar(known)):
                    made.append((notice, self._order(notice)))
                    known.append(notice)
                    self._say(f"{file.name}: {notice.number}, counts from {beijing_text(made[-1][1][1])}")
        except RetryLater as error:
            self._say(f"节假日安排未录入 notices on holidays wait: {error}")
            self._not_before = time.monotonic() + _AGAIN_S
            return made
        self._seen.update(new)
        return made

    def _files(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        if not self._folder.is_dir():
            return
        for file in sorted(self._folder.iterdir()):
            if file.suffix.lower() in _ENDINGS and file.is_file():
                known = file.stat()
                yield file, (known.st_mtime_ns, known.st_size)

    def _read(self, files: Iterable[Path]) -> Iterator[tuple[Notice, Path]]:
        for file in files:
            try:
                yield parsed_notice(file), file
            except BusError as error:
                self._say(f"{file.name} is no notice on holidays: {error}")

    def _is_lawful(self, notice: Notice, file: Path, known: Calendar) -> bool:
        try:
            check_notice(notice, known)
        except BusError as error:
            self._say(f"{file.name} is not ordered: {error}")
            return False
        return True


def counts_from(now: datetime) -> datetime:
    """The next midnight of Beijing that is at least an hour behind the bus's time."""
    return end_of_day(beijing_day(now + _AHEAD))


def enter_notice(connection: Connection, notice: Notice) -> Ordered:
    """Has the operator order that terms are counted by a notice. Raises RetryLater if the broker is away."""
    from casebus_consumers.liaison.bus_time import bus_now

    from .operations import Operator

    from_ = counts_from(bus_now(connection))
    operator = Operator(connection)
    try:
        return Ordered(f"bus.command/0/{operator.enter_notice(notice, from_)}", from_)
    finally:
        operator.close()


def notices_ordered(connection: Connection) -> list[Notice]:
    """The notices that were ordered on a bus, from its commands: what services have not stored yet, too.

    Raises RetryLater if the broker is away.
    """
    from casebus_producers.config import KafkaLogin
    from casebus_producers.keys.keys_reader import read_keyring
    from casebus_producers.topic_reader import TopicReader
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.catalogue.topology import AUDITOR, BUS_KEY, COMMAND
    from casebus_schemas.errors import Refused
    from casebus_services.commands import NOTICE, EnterNotice, command_of

    login, catalog = KafkaLogin.read(AUDITOR, connection), Catalog.load()
    keyring = read_keyring(login, catalog, (BUS_KEY,))
    found: dict[bytes, Notice] = {}
    with TopicReader(login, (COMMAND,)) as reader:
        for record in reader.read_to(reader.ends()):
            if record.header("ce_type") != NOTICE.encode():
                continue
            try:
                command = command_of(record, catalog, keyring)
            except Refused:
                continue  # nobody obeys it
            if isinstance(command, EnterNotice):
                found.setdefault(command.entered.order, command.entered.notice)
    return list(found.values())
