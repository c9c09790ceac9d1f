"""`casebus notify`: mails to the agency's officers, tried out, listed and driven again."""

import time
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from casebus_consumers.desk.words import Words
from casebus_producers.cli import AgencyOption, ConnectionOption
from casebus_producers.config import AgencySettings, read_connection
from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError
from casebus_schemas.times import to_datetime, utc_text

from .letter import mail
from .mail_server import MailRefused, ServerTrouble, connected, hand_over, reset
from .settings import FILE, LEVELS, NotifySettings
from .store import NotifyStore, notify_file

app = typer.Typer(help="通知邮件 Mails to the agency's officers.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]
Box = Annotated[str, typer.Argument(help="the mailbox, as `list` shows it")]
_STATES = {"waiting": "待发 waiting", "told": "已发 sent", "failed": "被拒 refused"}


@app.command("test")
def try_out(
    agency: AgencyOption,
    level: Annotated[str | None, typer.Option(help="only these: " + ", ".join(LEVELS))] = None,
    connection: ConnectionOption = None,
    as_json: Json = False,
) -> None:
    """Send a trial to each mailbox now, also in quiet hours. Exit 1 if the server does not take all."""
    if level not in (None, *LEVELS):
        raise typer.BadParameter(", ".join(LEVELS), param_hint="--level")
    settings = _settings(agency, connection)
    boxes = [one for one, levels in settings.mailboxes().items() if level is None or level in levels]
    w, at = Words(settings.language), to_datetime(time.time_ns() // 1_000_000)
    found: dict[str, str | None] = {}
    try:
        with connected(settings.server) as smtp:
            for box in boxes:
                subject, body = w("mail.test_subject"), w("mail.test_body")
                text = mail(box, subject, body, uuid4().hex, settings.sender, at)
                try:
                    hand_over(smtp, settings.sender, box, text.encode())
                except MailRefused as refused:
                    found[box] = str(refused)
                    reset(smtp)
                else:
                    found[box] = None
    except ServerTrouble as trouble:
        found |= {box: str(trouble) for box in boxes if box not in found}
    if as_json:
        say_json([{"mailbox": box, "taken": why is None, "problem": why} for box, why in found.items()])
    else:
        for box, why in found.items():
            say(
                f"{box}  "
                + ("服务器已收下 the server has taken it" if why is None else f"未收 not taken: {why}")
            )
    if not found:
        raise UsageError(f"{FILE} names no mailbox", expected=", ".join(LEVELS))
    raise typer.Exit(1 if any(why is not None for why in found.values()) else 0)


@app.command("list")
def listed(agency: AgencyOption, connection: ConnectionOption = None, as_json: Json = False) -> None:
    """Every mailbox: at which levels it hears, how many mails wait, are sent, are refused."""
    levels = _settings(agency, connection).mailboxes()
    store = _store(agency, connection)
    found: list[dict[str, Any]] = [
        {
            "mailbox": box.name,
            "levels": [one for one in LEVELS if one in levels.get(box.name, ())],
            "sent_at": None if box.told_at_ms is None else utc_text(box.told_at_ms),
            "problem": box.problem,
            **store.counts(box.name),
        }
        for box in store.mailboxes()
    ]
    if as_json:
        say_json(found)
        return
    for one in found:
        counts = f"待发 {one['waiting']}  已发 {one['told']}  被拒 {one['failed']}"
        say(f"{one['mailbox']:<32} {', '.join(one['levels']) or '–':<28} {counts}")
        if one["problem"]:
            say(f"    {one['problem']}")


@app.command()
def log(
    mailbox: Box,
    agency: AgencyOption,
    connection: ConnectionOption = None,
    state: Annotated[str | None, typer.Option(help="waiting, told or failed")] = None,
    limit: Annotated[int, typer.Option(help="the last so many", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """The last mails to a mailbox, newest first, and what the server said by number."""
    if state not in (None, *_STATES):
        raise typer.BadParameter("waiting, told or failed", param_hint="--state")
    store = _store(agency, connection)
    if mailbox not in (known := store.names()):
        raise UsageError("no such mailbox", found=mailbox[:80], expected=", ".join(known) or "none yet")
    found = store.log(mailbox, state, limit)
    if as_json:
        say_json(
            [
                {
                    name.removesuffix("_ms"): utc_text(value)
                    if name.endswith("_ms") and value is not None
                    else value
                    for name, value in one.items()
                }
                for one in found
            ]
        )
        return
    for one in found:
        problem = f"  {one['problem']}" if one["problem"] else ""
        when = utc_text(one["queued_at_ms"])
        say(f"{_STATES[one['state']]:<14} {one['attempts']:>2}×  {when}  {one['id']}{problem}")


@app.command()
def redrive(
    mailbox: Box,
    agency: AgencyOption,
    connection: ConnectionOption = None,
    id: Annotated[list[str] | None, typer.Option(help="only these mails")] = None,
) -> None:
    """Send what the server refused again, once it is mended."""
    say(f"重新发送 sent again: {_store(agency, connection).drive_again(mailbox, id or ())}")


def _settings(agency: str, connection: Path | None) -> NotifySettings:
    folder = AgencySettings.read(agency, read_connection(connection)).data_dir
    found = NotifySettings.read(folder)
    if found is None:
        raise UsageError(
            "no mails are set up", found=f"no {folder / FILE}", expected="the file of docs/liaison-officer.md"
        )
    return found


def _store(agency: str, connection: Path | None) -> NotifyStore:
    return NotifyStore(notify_file(AgencySettings.read(agency, read_connection(connection)).data_dir))
