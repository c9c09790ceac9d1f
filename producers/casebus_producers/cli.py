"""Commands of an agency's system: `casebus publish` and `casebus outbox`."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_schemas.admission.receipts import EventRef, published_receipt
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, RetryLater
from casebus_schemas.times import to_datetime
from casebus_schemas.wire.door import DoorProblem

from .arrivals import read_arrivals
from .config import AgencySettings, read_connection
from .connecting import quiet_kafka, within
from .connector import Connector, problem_json
from .event_files import read_events
from .faults import PublisherFaults
from .in_step import send_again
from .outbox import Outbox
from .outbox_events import Queued
from .own_key import term_problem
from .publisher import Publisher
from .receipts import ReceiptReader, WaitFor, keep_new_receipts
from .screen import say, say_json

OK, NO, USAGE, UNAVAILABLE = 0, 1, 2, 3
_AT_ONCE = 500
"""Most events in one transaction."""

AgencyOption = Annotated[
    str, typer.Option("--agency", "-a", help="the agency that speaks", envvar="CASEBUS_AGENCY")
]
ConnectionOption = Annotated[
    Path | None,
    typer.Option("--connection", "-c", help="connection.json of the system", envvar="CASEBUS_CONNECTION"),
]

app = typer.Typer(help="What an agency's system says.", no_args_is_help=True)


@app.command()
def publish(
    files: Annotated[list[Path], typer.Argument(help="CloudEvents JSON lines; - is the standard input")],
    agency: AgencyOption,
    wait: Annotated[
        str | None, typer.Option(help="admitted or ledgered: wait for these receipts too")
    ] = None,
    connection: ConnectionOption = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
) -> None:
    """Say events: through the agency's outbox to Kafka, a JSON line for each receipt.

    Exit code 0: all published (and admitted, if waited for); 1: the bus refused one, or a receipt is forged
    or contradicts what was sent; 2: an event is wrong (its problem is a JSON line on the error output, the
    others are published); 3: Kafka or a receipt did not come in time. What was queued goes out at the next
    publish or `casebus outbox --flush` at the latest.
    """
    if wait not in (None, "admitted", "ledgered"):
        raise typer.BadParameter("admitted or ledgered", param_hint="--wait")
    quiet_kafka()
    deadline = time.monotonic() + timeout
    settings = AgencySettings.read(agency, read_connection(connection))
    outbox = open_outbox(settings)
    try:
        catalog = Catalog.load()
        if (problem := term_problem(outbox, catalog, settings.signing_key().key_id)) is not None:
            say_json({"warning": "key-ends", "detail": problem}, err=True)
        publication = Publication(settings, outbox, catalog)
        with within(max(0.0, deadline - time.monotonic())):
            code = publication.run(files, wait, deadline)  # type: ignore[arg-type]  # checked above
        raise typer.Exit(code)
    finally:
        outbox.close()


class Publication:
    """One run of `publish`: queues what the files hold, relays it, follows its receipts."""

    def __init__(self, settings: AgencySettings, outbox: Outbox, catalog: Catalog) -> None:
        self._settings = settings
        self._outbox = outbox
        self._catalog = catalog
        self._connector = Connector(outbox, catalog, settings.chain_secret)
        self._problems = 0
        self._false_receipts = 0

    def run(self, files: list[Path], wait: WaitFor | None, deadline: float) -> int:
        """Does it all and returns the exit code."""
        faults = PublisherFaults.from_environment(os.environ)
        events = list(self._read(files))
        if any(self._connector.needs_arrivals(event) for _, event in events):
            self._catch_up()
        receipts_from = self._receipts_end() if wait else None
        queued = list(self._queue(events, receipts_from))
        if any(one.repeated and one.sent for one in queued) and self._read_verdicts():
            # What was refused meanwhile is said again: the key may be known by now.
            queued = list(self._queue(events, receipts_from))
        with Publisher(self._outbox, self._settings, faults=faults).running() as publisher:
            sent = self._say_published(publisher, queued, deadline)
        if len(sent) < len(queued):
            _complain(
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
            _complain(
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
            _complain(error)

    def _read_verdicts(self) -> bool:
        """Reads what the bus answered since; whether that could be done."""
        try:
            keep_new_receipts(self._settings, self._outbox, self._catalog)
        except RetryLater as error:
            _complain(error)
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
            found = self._connector.submit_all([event for _, event in some], receipts_from=receipts_from)
            for (line, _), one in zip(some, found, strict=True):
                if isinstance(one, DoorProblem):
                    self._say_problem(one, line)
                else:
                    yield one

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
                    _say(_published(row))
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
                _say(found)
        expected = len(digests) * (2 if wait == "ledgered" else 1)
        return len(refused), expected - len(heard)


@app.command()
def outbox(
    agency: AgencyOption,
    connection: ConnectionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    flush: Annotated[bool, typer.Option(help="send what waits first")] = False,
    renew: Annotated[
        bool, typer.Option(help="number what waits anew, as after an older outbox was put back in place")
    ] = False,
    resend: Annotated[
        bool, typer.Option(help="send again what Kafka lost, as after an older copy of it was put back")
    ] = False,
    timeout: Annotated[float, typer.Option(help="seconds that --flush or --resend may take")] = 60.0,
) -> None:
    """Show what the agency's outbox holds: waiting, sent, last events. Exit code 3 if some still waits."""
    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    box = open_outbox(settings)
    try:
        if renew:
            box.renew()
        with within(timeout):
            if resend:
                lost = send_again(settings, box)
                say(f"重新待发 {lost.events} events that Kafka lost wait again", err=True)
                say(f"已不存 gone: {lost.notices} notices, {lost.receipts} receipts that were read", err=True)
            error = _flush(box, settings, timeout) if flush or resend else None
        _show(box, as_json)
        if error is not None:
            raise error
    finally:
        box.close()


def open_outbox(settings: AgencySettings) -> Outbox:
    """The outbox of an agency's settings. Raises UsageError if key or file cannot be used."""
    return Outbox(
        settings.outbox_file,
        agency=settings.agency,
        key=settings.signing_key(),
        partitions=settings.partitions,
        instance=settings.instance,
    )


def _flush(box: Outbox, settings: AgencySettings, timeout_s: float) -> BusError | None:
    deadline = time.monotonic() + timeout_s
    publisher = Publisher(box, settings, faults=PublisherFaults.from_environment(os.environ))
    publisher.run(lambda: box.status().pending == 0 or time.monotonic() > deadline)
    left = box.status().pending
    if not left:
        return None
    return RetryLater(
        f"{left} events still wait in the outbox",
        found=publisher.state().error or "no acknowledgement in time",
        expected="Kafka's acknowledgement",
        remedy="see whether Kafka runs, then try again",
    )


def _show(box: Outbox, as_json: bool) -> None:
    status = box.status()
    if as_json:
        _say(
            {
                "agency": box.agency,
                "producer": status.producer,
                "pending": status.pending,
                "sent": status.sent,
                "streams": status.streams,
                "oldest_pending": _time(status.oldest_pending_ms),
                "last": [
                    {**_event(row), "topic": row.topic, "partition": row.partition, "offset": row.offset}
                    for row in box.recent()
                ],
            }
        )
        return
    say(f"发件箱 outbox  {box.agency}  {status.producer}")
    say(f"待发 waiting {status.pending}   已发 sent {status.sent}   streams {status.streams}")
    if status.oldest_pending_ms is not None:
        say(f"最早待发 oldest waiting since {_time(status.oldest_pending_ms)}")
    for row in box.recent(10):
        place = f"{row.topic}/{row.partition}/{'-' if row.offset is None else row.offset}"
        say(f"  {'已发' if row.sent else '待发'}  {row.type:<36} {place:<28} {row.digest.hex()[:16]}")


def _event(row: Queued) -> dict[str, Any]:
    return {"id": str(row.id), "type": row.type, "chain": row.chain, "digest": row.digest.hex()}


def _published(row: Queued) -> dict[str, Any]:
    at = to_datetime(row.sent_at_ms or 0)
    place = Origin(row.topic, row.partition, -1 if row.offset is None else row.offset)
    return published_receipt(EventRef(str(row.id), row.type, row.chain, row.digest), place, at)


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else to_datetime(time_ms).isoformat(timespec="milliseconds")


def _say(line: dict[str, Any]) -> None:
    say_json(line)


def _complain(error: BusError) -> None:
    say_json({"error": type(error).__name__, "detail": error.detail}, err=True)
