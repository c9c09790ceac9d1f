"""`casebus statement`: an agency states what it holds of each chain, so that gaps between agencies show."""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption, open_outbox
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.connecting import quiet_kafka, within
from casebus_producers.outbox.publication import Publication
from casebus_producers.screen import say, say_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.times import in_beijing, read_time, to_datetime, to_moment
from casebus_schemas.wire.door import parse_event

from .bus_time import bus_now
from .statement import Span, held, statement_events

SETTLES = timedelta(hours=1)
"""So long ago nothing is on its way any more."""

app = typer.Typer()


@app.command("statement")
def statement(
    agency: AgencyOption,
    as_of: Annotated[
        str | None, typer.Option(help="count what the bus admitted before this time; an hour ago by default")
    ] = None,
    since: Annotated[str | None, typer.Option(help="count from this day on only")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the events, say nothing")] = False,
    to_file: Annotated[
        Path | None,
        typer.Option(help="keep the events in this file instead of saying them, for `casebus publish`"),
    ] = None,
    wait: Annotated[
        str | None, typer.Option(help="admitted or ledgered: wait for these receipts too")
    ] = None,
    connection: ConnectionOption = None,
    timeout: Annotated[float, typer.Option(help="seconds to wait in all")] = 60.0,
) -> None:
    """State what the agency's own outbox and inbox hold of each chain: numbers of events and a hash.

    The statement goes to the bus and to no other agency. The bus compares those of all agencies with what it
    admitted and delivered: finding R66 shows a case that the bus never saw, or that an agency does not have.
    """
    if wait not in (None, "admitted", "ledgered"):
        raise UsageError("wait for what?", found=repr(wait), expected="admitted or ledgered")
    quiet_kafka()
    known = read_connection(connection)
    settings, catalog = AgencySettings.read(agency, known), Catalog.load()
    now = bus_now(known)
    until = now - SETTLES if as_of is None else read_time(as_of)
    if until > now:
        raise UsageError("a statement of what is to come", found=as_of, expected="a time that has passed")
    until = to_datetime(to_moment(until) // 1000 * 1000)
    age_ms = to_moment(now) - to_moment(until)
    first = None if since is None else in_beijing(read_time(since)).date()
    span = Span(in_beijing(until), time.time_ns() // 1_000_000 - age_ms, first)
    outbox = open_outbox(settings)
    try:
        with within(timeout):
            chains = held(settings, outbox, catalog, span)
        events = statement_events(settings.agency, chains, span, now)
        for event in events:
            parse_event(event, catalog)
        if dry_run:
            for event in events:
                say_json(event, indent=1)
        elif to_file is not None:
            lines = (json.dumps(event, ensure_ascii=False) for event in events)
            to_file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            say(f"{to_file}: casebus publish --agency {settings.agency} {to_file}")
        else:
            publication = Publication(settings, outbox, catalog)
            said: list[tuple[int, object]] = list(enumerate(events, 1))
            raise typer.Exit(publication.say(said, wait, timeout))  # type: ignore[arg-type]  # checked above
    finally:
        outbox.close()
