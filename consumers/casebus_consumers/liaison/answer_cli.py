"""`casebus answer`, `correct` and `withdraw`: the event that an officer means, made from what is known."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_producers.cli import AgencyOption, ConnectionOption, open_outbox
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.outbox.outbox import Outbox
from casebus_producers.outbox.publication import Publication
from casebus_producers.own_events import OwnEvent, own_events, versions
from casebus_producers.screen import say, say_json
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_time, to_moment, utc_text
from casebus_schemas.wire.door import parse_event, to_json

from .answering import WORDS, Moment, answer, correction, in_force, withdrawal
from .bus_time import bus_now
from .inbox import Inbox, Notice
from .sealed_facts import SealedFacts

app = typer.Typer()

_SHORTEST_WITH_TIME = 11
"""Characters of a day and the sign that begins a time."""

At = Annotated[str | None, typer.Option(help="when it was decided, a day or a time; else now")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show the event, say nothing")]
ToFile = Annotated[
    Path | None, typer.Option(help="keep the event in this file instead of saying it, for `casebus publish`")
]
Wait = Annotated[str | None, typer.Option(help="admitted or ledgered: wait for these receipts too")]
Timeout = Annotated[float, typer.Option(help="seconds to wait in all")]
Reasons = Annotated[str, typer.Option(help="why, in words")]
Own = Annotated[
    str, typer.Argument(help="the agency's own event: its id, digest, their beginning, or its message number")
]


@app.command("answer")
def answer_finding(
    finding: Annotated[str, typer.Argument(help="the finding's id, or its beginning, as the inbox shows it")],
    agency: AgencyOption,
    text: Annotated[str, typer.Argument(help="the explanation, reasons, or the unit that handles it")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="accept the difference as it is")] = False,
    says: Annotated[
        str,
        typer.Option("--as", help="explained, accepted, assigned, corrected, settled or reopened"),
    ] = "explained",
    correction: Annotated[
        str | None, typer.Option(help="with --as corrected: the own event that corrects it")
    ] = None,
    officer: Annotated[str | None, typer.Option(help="who answers for it")] = None,
    source: Annotated[str | None, typer.Option(help="the office that speaks, such as /csrc/office")] = None,
    at: At = None,
    dry_run: DryRun = False,
    to_file: ToFile = None,
    wait: Wait = None,
    connection: ConnectionOption = None,
    timeout: Timeout = 60.0,
) -> None:
    """Answer a finding: the event goes to the agencies that the finding is about.

    It is accepted once all accept it whom it concerns, closed once all accept or settle it and one settles
    it; whoever opens it again has it open. `assigned` says who handles it and answers nothing. What was
    sealed for the agency in the events that the finding is about is shown on the error output.
    """
    says = "accepted" if accept else says
    if says not in WORDS:
        raise UsageError("no such answer to a finding", found=repr(says[:40]), expected=", ".join(WORDS))
    if not text and says == "explained":
        raise UsageError("nothing is said", expected="the explanation, or --accept")
    if not text and says == "assigned":
        raise UsageError("nobody is named", expected="the unit that handles it")
    with _desk(agency, connection, at) as (settings, outbox, catalog, moment):
        facts = SealedFacts()
        notices = facts.noted(
            (notice, notice.record.digest.hex())
            for run in Inbox(settings, outbox, catalog).notices()
            for notice in run
            if isinstance(notice, Notice)
        )
        mended = None if correction is None else _own(outbox, correction).digest.hex()
        event = answer(
            notices,
            agency,
            finding,
            text,
            moment,
            says=says,
            correction=mended,
            officer=officer,
            source=source,
        )
        for line in facts.lines(event["data"]["finding"]):
            say(line, err=True)
        _say(event, settings, outbox, catalog, dry_run, to_file, wait, timeout)


@app.command("correct")
def correct_event(
    event: Own,
    agency: AgencyOption,
    reasons: Reasons,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="POINTER=VALUE, such as amounts/0/value=46190000.00 (repeatable)"),
    ] = None,
    at: At = None,
    dry_run: DryRun = False,
    to_file: ToFile = None,
    wait: Wait = None,
    connection: ConnectionOption = None,
    timeout: Timeout = 60.0,
) -> None:
    """State the facts of one of the agency's own events anew, with changes."""

    def made(of: list[OwnEvent], moment: Moment, catalog: Catalog) -> dict[str, Any]:
        said, digest = in_force([_as_json(one, catalog) for one in of]), of[-1].digest.hex()
        return correction(said, digest, agency, change or (), reasons, moment, catalog)

    _mend(made, event, agency, at, dry_run, to_file, wait, connection, timeout)


@app.command("withdraw")
def withdraw_event(
    event: Own,
    agency: AgencyOption,
    reasons: Reasons,
    at: At = None,
    dry_run: DryRun = False,
    to_file: ToFile = None,
    wait: Wait = None,
    connection: ConnectionOption = None,
    timeout: Timeout = 60.0,
) -> None:
    """Withdraw one of the agency's own events."""

    def made(of: list[OwnEvent], moment: Moment, catalog: Catalog) -> dict[str, Any]:
        # The first version takes all its corrections along.
        first = of[0]
        return withdrawal(_as_json(first, catalog), first.digest.hex(), agency, reasons, moment, catalog)

    _mend(made, event, agency, at, dry_run, to_file, wait, connection, timeout)


def _mend(
    made: Callable[[list[OwnEvent], Moment, Catalog], dict[str, Any]],
    named: str,
    agency: str,
    at: str | None,
    dry_run: bool,
    to_file: Path | None,
    wait: str | None,
    connection: Path | None,
    timeout: float,
) -> None:
    with _desk(agency, connection, at) as (settings, outbox, catalog, moment):
        own = _own(outbox, named)
        event = made(versions(outbox, own, catalog), moment, catalog)
        _say(event, settings, outbox, catalog, dry_run, to_file, wait, timeout)


def _as_json(own: OwnEvent, catalog: Catalog) -> dict[str, Any]:
    return to_json(own.headers, own.data(catalog), catalog)


def _own(outbox: Outbox, named: str) -> OwnEvent:
    found = own_events(outbox, named)
    if len(found) != 1:
        listed = "; ".join(f"{one.headers.id} {one.headers.type}" for one in found[:10])
        raise UsageError(
            f"{len(found)} events of that id" if found else "no events of that id",
            found=repr(named[:60]) + (f": {listed}" if listed else ""),
            expected=f"one that {outbox.agency} has said",
            remedy="`casebus outbox` and `casebus receipts` show ids and digests",
        )
    return found[0]


@contextmanager
def _desk(
    agency: str, connection: Path | None, at: str | None
) -> Iterator[tuple[AgencySettings, Outbox, Catalog, Moment]]:
    quiet_kafka()
    known = read_connection(connection)
    settings = AgencySettings.read(agency, known)
    moment = bus_now(known) if at is None else read_time(at)
    day = at is not None and len(at.strip()) < _SHORTEST_WITH_TIME
    outbox = open_outbox(settings)
    try:
        text = utc_text(to_moment(moment) // 1000 * 1000)
        yield settings, outbox, Catalog.load(), Moment(text, "day" if day else "second")
    finally:
        outbox.close()


def _say(
    event: dict[str, Any],
    settings: AgencySettings,
    outbox: Outbox,
    catalog: Catalog,
    dry_run: bool,
    to_file: Path | None,
    wait: str | None,
    timeout: float,
) -> None:
    if wait not in (None, "admitted", "ledgered"):
        raise UsageError("wait for what?", found=repr(wait), expected="admitted or ledgered")
    parse_event(event, catalog)
    if dry_run:
        say_json(event, indent=1)
        return
    if to_file is not None:
        to_file.write_text(json.dumps(event, ensure_ascii=False) + "\n", encoding="utf-8")
        say(f"{to_file}: casebus publish --agency {settings.agency} {to_file}")
        return
    publication = Publication(settings, outbox, catalog)
    raise typer.Exit(publication.say([(1, event)], wait, timeout))  # type: ignore[arg-type]  # checked above
