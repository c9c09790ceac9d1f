"""`casebus law holidays`: which notices on holidays terms are counted by, and a new one entered by order."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_consumers.liaison.law_cli import app as app
from casebus_producers.screen import say, say_json
from casebus_schemas.connection import Connection
from casebus_schemas.errors import UsageError
from casebus_schemas.law.calendars import PUBLISHED, Calendars
from casebus_schemas.law.notices import Notice
from casebus_schemas.times import beijing_text

holidays = typer.Typer(help="节假日安排 Notices on holidays.", no_args_is_help=True)
app.add_typer(holidays, name="holidays")

ConnectionFile = Annotated[
    Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@holidays.command("list")
def list_notices(connection: ConnectionFile = None, as_json: Json = False) -> None:
    """Every notice by which terms are counted, in the order in which they became known.

    With a connection those too that were entered on that bus, and from when each counts there.
    """
    from casebus_schemas.law.calendar import published
    from casebus_schemas.law.notice_data import notice_json

    found: list[tuple[Notice, str | None]] = [(notice, None) for notice in published().notices]
    for entered in _entered(connection).entered:
        found.append((entered.notice, beijing_text(entered.in_force_from)))
    bodies: list[dict[str, Any]] = [{**notice_json(one), "in_force_from": since} for one, since in found]
    if as_json:
        say_json(bodies)
        return
    for body in bodies:
        mark = "" if body["verified"] else "  未核实 not verified"
        since = "" if body["in_force_from"] is None else f"  起用 counts from {body['in_force_from']}"
        say(f"{body['year']}  {body['known_since']}  {body['number'] or '—'}  {body['title']}{mark}{since}")


@holidays.command("add")
def add_notice(
    file: Annotated[Path, typer.Argument(help="a notice (YAML or JSON, see docs/operator.md), or a folder")],
    connection: ConnectionFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check the file, order nothing")] = False,
    as_json: Json = False,
) -> None:
    """Order that terms are counted by a notice, from a midnight of the bus's time at least an hour ahead.

    The file is checked strictly. The order stays in the ledger, where every service takes it from. What was
    announced stays announced; ends that move are announced anew. Of a folder each notice is ordered that is
    not ordered yet; what is no lawful notice is said on standard error.
    """
    from casebus_consumers.liaison.bus_time import bus_now
    from casebus_deploy.stack.holidays_folder import counts_from, enter_notice
    from casebus_producers.checking.notice_files import read_notice
    from casebus_producers.config import read_connection
    from casebus_schemas.law.notice_data import KEYS, notice_json

    if file.is_dir():
        _add_folder(file, connection, dry_run=dry_run, as_json=as_json)
        return
    known = _entered(connection).at(datetime.max.replace(tzinfo=UTC))
    notice = read_notice(file, known)
    shown = {**notice_json(notice), "command": None}
    if dry_run:
        shown["in_force_from"] = beijing_text(counts_from(bus_now(read_connection(connection))))
    else:
        shown["command"], from_ = enter_notice(_connected(connection), notice)
        shown["in_force_from"] = beijing_text(from_)
    if as_json:
        say_json(shown)
        return
    days = ", ".join(f"{kind} {len(shown[kind])}" for kind in KEYS.values())
    say(f"{notice.number}  {notice.title}  {days}")
    ordered = f"已下令录入 ordered by {shown['command']}, counts from {shown['in_force_from']}"
    say(ordered if shown["command"] else "未执行 nothing ordered (--dry-run)")


def _add_folder(folder: Path, connection: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from casebus_consumers.liaison.bus_time import bus_now
    from casebus_deploy.stack.holidays_folder import (
        HolidaysFolder,
        Ordered,
        counts_from,
        enter_notice,
        notices_ordered,
    )
    from casebus_schemas.law.notice_data import notice_json

    bus = _connected(connection)

    def order(notice: Notice) -> Ordered:
        return Ordered("", counts_from(bus_now(bus))) if dry_run else enter_notice(bus, notice)

    looked = HolidaysFolder(folder, lambda: notices_ordered(bus), order, lambda line: say(line, err=True))
    made = looked.look()
    if as_json:
        say_json(
            [
                {**notice_json(notice), "in_force_from": beijing_text(from_), "command": place or None}
                for notice, (place, from_) in made
            ]
        )
        return
    for notice, (place, _) in made:
        say(f"{notice.number}  {notice.title}  {place or '未执行 nothing ordered (--dry-run)'}")
    if not made:
        say("无新通知 nothing new")


def _connected(connection: Path | None) -> Connection:
    from casebus_producers.config import read_connection

    known = read_connection(connection)
    if known is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    return known


def _entered(connection: Path | None) -> Calendars:
    """What was entered on the bus of a connection that tells where its accounts are."""
    from casebus_producers.config import read_connection
    from casebus_services.reconciler.entered_notices import entered_calendars
    from casebus_services.reconciler.reading import open_reading

    known = read_connection(connection)
    url = None if known is None else known.databases.get("accounts")
    if url is None:
        return PUBLISHED
    database = open_reading(url)
    try:
        with database.reading() as transaction:
            return entered_calendars(transaction)
    finally:
        database.close()
