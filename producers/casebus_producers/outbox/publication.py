"""One run of `publish`: queues events, relays them, follows their receipts."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from casebus_schemas.admission.receipts import EventRef, published_receipt
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import RetryLater
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.door import DoorProblem

from ..checking.said_advice import SaidAdvice
from ..config import AgencySettings
from ..connecting import within
from ..connector import Connector, problem_json
from ..faults import PublisherFaults
from ..received.arrivals import read_arrivals
from ..received.receipts import ReceiptReader, WaitFor, keep_new_receipts
from ..screen import complain, say_json
from ..sealing.sealer import Sealer
from .despite_law import noted_of, reason_given
from .event_files import STANDARD_INPUT, arriving_events, arriving_files, read_events
from .outbox import Outbox
from .outbox_events import Queued
from .publisher import Publisher

OK, NO, USAGE, UNAVAILABLE = 0, 1, 2, 3
"""Exit codes: fine; the answer is "no"; wrong use; something needed is not there."""
_AT_ONCE = 500
"""Most events in one transaction."""


class Publication:
    """One run of `publish`: queues what the files hold, relays it, follows its receipts.

    `despite` is why what the law leaves no room for is said all the same.
    """

    def __init__(
        self, settings: AgencySettings, outbox: Outbox, catalog: Catalog, despite: str | None = None
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._catalog = catalog
        self._sealer = Sealer.of(settings, catalog)
        self._connector = Connector(outbox, catalog, settings.chain_secret, self._sealer)
        self._faults = PublisherFaults.from_environment(os.environ)
        self._despite = reason_given(despite)
        self._problems = 0
        self._false_receipts = 0

    def run(self, files: list[Path], wait: WaitFor | None, timeout_s: float) -> int:
        """Says what the files hold; what the standard input holds as it comes. Returns the exit code.

        The time is that of all files, and of each run of lines that comes.
        """
        code = OK
        if listed := [file for file in files if file != STANDARD_INPUT]:
            code = self.say(list(self._read(listed)), wait, timeout_s)
        if STANDARD_INPUT in files:
            with self._publisher().running() as publisher:
                for lines in arriving_events(sys.stdin):
                    events = [one for one in lines if not isinstance(one, DoorProblem)]
                    for one in lines:
                        if isinstance(one, DoorProblem):
                            self._say_problem(one, None)
                    code = max(code, self._said(events, wait, timeout_s, publisher))
        return code

    def watch(self, folder: Path, wait: WaitFor | None, timeout_s: float) -> None:
        """Says what each file holds that comes into a folder, and moves it to `taken` or `refused` there.

        Goes on until it is interrupted.
        """
        with self._publisher().running() as publisher:
            for file in arriving_files(folder):
                before = self._problems
                self._said(list(self._read([file])), wait, timeout_s, publisher)
                into = folder / ("taken" if self._problems == before else "refused")
                into.mkdir(exist_ok=True)
                file.replace(into / file.name)

    def say(self, events: list[tuple[int, object]], wait: WaitFor | None, timeout_s: float) -> int:
        """Says events, with the line where each stands; returns the exit code."""
        return self._said(events, wait, timeout_s, None)

    def _publisher(self) -> Publisher:
        return Publisher(self._outbox, self._settings, faults=self._faults)

    def _said(
        self,
        events: list[tuple[int, object]],
        wait: WaitFor | None,
        timeout_s: float,
        running: Publisher | None,
    ) -> int:
        with within(timeout_s):
            return self._all_said(events, wait, time.monotonic() + timeout_s, running)

    def _all_said(
        self,
        events: list[tuple[int, object]],
        wait: WaitFor | None,
        deadline: float,
        running: Publisher | None,
    ) -> int:
        if any(self._connector.needs_arrivals(event) for _, event in events):
            self._catch_up()
        if any(self._connector.is_to_be_sealed(event) for _, event in events):
            self._sealer.learn()
        receipts_from = self._receipts_end() if wait else None
        queued = list(self._queue(events, receipts_from))
        if any(one.repeated and one.sent for one in queued) and self._read_verdicts():
            # What was refused meanwhile is said again: the key may be known by now.
            queued = list(self._queue(events, receipts_from))
        with nullcontext(running) if running else self._publisher().running() as publisher:
            sent = self._say_published(publisher, queued, deadline)
        if len(sent) < len(queued):
            complain(
                RetryLater(
                    f"{len(queued) - len(sent)} of {len(queued)} events wait in the outbox",
                    found=publisher.state().error or "no acknowledgement in time",
                    expected="Kafka's acknowledgement",
                    remedy="they go out at the next publish, or by `casebus outbox --flush`",
                )
            )
            return UNAVAILABLE
        refused, missing = self._say_receipts(sent, wait, deadline) if wait and sent else (0, 0)
        if self._false_receipts:
            return NO
        if missing:
            complain(
                RetryLater(f"{missing} receipts did not come in time", expected=f"{wait} within --timeout")
            )
            return UNAVAILABLE
        if self._problems:
            return USAGE
        return NO if refused else OK

    def _read(self, files: list[Path]) -> Iterator[tuple[int, object]]:
        for file in files:
            try:
                yield from read_events(file)
            except DoorProblem as problem:
                self._say_problem(problem, None)

    def _catch_up(self) -> None:
        try:
            read_arrivals(self._settings, self._outbox, self._catalog)
        except RetryLater as error:
            # The outbox is there for this: go on with what the agency knows.
            complain(error)

    def _read_verdicts(self) -> bool:
        """Reads what the bus answered since; whether that could be done."""
        try:
            keep_new_receipts(self._settings, self._outbox, self._catalog)
        except RetryLater as error:
            complain(error)
            return False
        return True

    def _receipts_end(self) -> int | None:
        try:
            with ReceiptReader(self._settings, self._settings.agency, self._catalog) as reader:
                return reader.end()
        except RetryLater:
            return None

    def _queue(self, events: list[tuple[int, object]], receipts_from: int | None) -> Iterator[Queued]:
        for start in range(0, len(events), _AT_ONCE):
            some = events[start : start + _AT_ONCE]
            said = [event for _, event in some]
            advice = SaidAdvice(self._outbox, self._catalog, said)
            found = self._connector.submit_all(said, receipts_from=receipts_from, despite=self._despite)
            for number, ((line, _), one) in enumerate(zip(some, found, strict=True)):
                if isinstance(one, DoorProblem):
                    self._say_problem(one, line)
                    continue
                if not one.repeated:
                    for hint in advice.on(number, one, to_datetime(time.time_ns() // 1_000_000)):
                        warning = {"warning": "advice", "line": line, "event": str(one.id)}
                        say_json({**warning, **hint.to_json()}, err=True)
                    if self._despite is not None:
                        self._say_despite(one, line)
                yield one

    def _say_despite(self, queued: Queued, line: int) -> None:
        with self._outbox.reading() as connection:
            for noted in noted_of(connection, queued.id):
                say_json({"warning": "despite-law", "line": line, **noted.to_json()}, err=True)

    def _say_problem(self, problem: DoorProblem, line: int | None) -> None:
        self._problems += 1
        say_json(problem_json(problem, line=line), err=True)

    def _say_published(self, publisher: Publisher, queued: list[Queued], deadline: float) -> list[Queued]:
        sent: list[Queued] = []
        for start in range(0, len(queued), _AT_ONCE):
            positions = [one.position for one in queued[start : start + _AT_ONCE]]
            publisher.wait_sent(positions, max(0.0, deadline - time.monotonic()))
            rows = {row.position: row for row in self._outbox.rows(positions)}
            for position in positions:
                row = rows[position]
                if row.sent:
                    sent.append(row)
                    say_json(published(row))
        return sent

    def _say_receipts(self, sent: list[Queued], wait: WaitFor, deadline: float) -> tuple[int, int]:
        """Prints receipts; returns how many events were refused and how many receipts are missing."""
        start = min(row.receipts_from or 0 for row in sent)
        digests = {row.digest for row in sent}
        refused: set[str] = set()
        heard: set[tuple[str, bool]] = set()
        agency, outbox = self._settings.agency, self._outbox
        with ReceiptReader(self._settings, agency, self._catalog, start, outbox) as reader:
            for found in reader.wait_for(digests, wait, max(0.0, deadline - time.monotonic())):
                if "problem" in found:
                    self._false_receipts += 1
                if not found.get("forged"):
                    heard.add((found["event"]["digest"], found["stage"] == "ledgered"))
                if found["stage"] == "refused" and not found.get("forged"):
                    refused.add(found["event"]["digest"])
                say_json(found)
        expected = len(digests) * (2 if wait == "ledgered" else 1)
        return len(refused), expected - len(heard)


def published(row: Queued) -> dict[str, Any]:
    """The receipt that says that Kafka has it."""
    at = to_datetime(row.sent_at_ms or 0)
    place = Origin(row.topic, row.partition, -1 if row.offset is None else row.offset)
    return published_receipt(EventRef(str(row.id), row.type, row.chain, row.digest), place, at)
