"""Commands of an agency's system: `casebus publish` and `casebus outbox`."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import BusError, RetryLater, UsageError
from casebus_schemas.times import to_datetime

from .config import AgencySettings, read_connection
from .connecting import quiet_kafka, within
from .faults import PublisherFaults
from .keys.own_key import term_problem
from .outbox.despite_law import last_noted
from .outbox.in_step import send_again
from .outbox.outbox import Outbox
from .outbox.outbox_events import Queued
from .outbox.publication import Publication
from .outbox.publisher import Publisher
from .outbox.stream_heads import StreamHeads
from .received.receipts import WaitFor
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
    agency: AgencyOption,
    files: Annotated[
        list[Path] | None, typer.Argument(help="CloudEvents JSON lines; - is the standard input, as it comes")
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(help="say each *.json or *.jsonl that comes into this folder, until Ctrl-C"),
    ] = None,
    wait: Annotated[
        str | None, typer.Option(help="admitted or ledgered: wait for these receipts too")
    ] = None,
    connection: ConnectionOption = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
    despite_law: Annotated[
        str | None,
        typer.Option(help="why events are said for which the law leaves no room; kept with each of them"),
    ] = None,
) -> None:
    """Say events: through the agency's outbox to Kafka, a JSON line for each receipt.

    Exit code 0: all published (and admitted, if waited for); 1: the bus refused one, or a receipt is forged
    or contradicts what was sent; 2: an event is wrong (its problem is a JSON line on the error output, the
    others are published); 3: Kafka or a receipt did not come in time. What was queued goes out at the next
    publish or `casebus outbox --flush` at the latest.
    """
    if wait not in (None, "admitted", "ledgered"):
        raise typer.BadParameter("admitted or ledgered", param_hint="--wait")
    if bool(files) == (watch is not None):
        raise UsageError("what is to be said?", expected="files, - for the standard input, or --watch FOLDER")
    quiet_kafka()
    settings = AgencySettings.read(agency, read_connection(connection))
    outbox = open_outbox(settings)
    known: WaitFor | None = wait  # type: ignore[assignment]  # checked above
    try:
        catalog = Catalog.load()
        if (problem := term_problem(outbox, catalog, settings.signing_key().key_id)) is not None:
            say_json({"warning": "key-ends", "detail": problem}, err=True)
        publication = Publication(settings, outbox, catalog, despite_law)
        if watch is None:
            raise typer.Exit(publication.run(files or [], known, timeout))
        with suppress(KeyboardInterrupt):
            publication.watch(watch, known, timeout)
    finally:
        outbox.close()


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
    state_heads: Annotated[
        bool,
        typer.Option(help="state now where the own streams end, so that silence can be proven up to now"),
    ] = False,
    timeout: Annotated[float, typer.Option(help="seconds that sending may take")] = 60.0,
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
            if state_heads:
                StreamHeads(box, settings.state_heads_s, settings.state_heads_idle_s).state()
            error = _flush(box, settings, timeout) if flush or resend or state_heads else None
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
    with box.reading() as connection:
        despite = last_noted(connection)
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
                "despite_law": [noted.to_json() for noted in despite],
            }
        )
        return
    say(f"发件箱 outbox  {box.agency}  {status.producer}")
    say(f"待发 waiting {status.pending}   已发 sent {status.sent}   streams {status.streams}")
    if status.oldest_pending_ms is not None:
        say(f"最早待发 oldest waiting since {_time(status.oldest_pending_ms)}")
    for row in box.recent(10):
        place = f"{row.topic}/{row.partition}/{'-' if row.offset is None else row.offset}"
        state = "已发" if row.sent else "待发"
        say(f"  {state}  {row.type:<36} {place:<28} {row.digest.hex()[:16]}  {row.id}")
    for noted in despite:
        why = f"{noted.despite.rule} ({noted.despite.law})"
        say(f"  违法仍发 despite {why}  {noted.event}  {_time(noted.at_ms)}  {noted.despite.reason}")


def _event(row: Queued) -> dict[str, Any]:
    return {"id": str(row.id), "type": row.type, "chain": row.chain, "digest": row.digest.hex()}


def _time(time_ms: int | None) -> str | None:
    return None if time_ms is None else to_datetime(time_ms).isoformat(timespec="milliseconds")


def _say(line: dict[str, Any]) -> None:
    say_json(line)
