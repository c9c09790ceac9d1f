"""`casebus backup` and `casebus restore`: what of a bus cannot be derived, copied and put back."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("backup")
def backup(
    to: Annotated[Path, typer.Argument(help="a new or empty folder")],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    keys: Annotated[bool, typer.Option(help="with signing keys, chain secrets and passwords")] = False,
    as_json: Json = False,
) -> None:
    """Copy what cannot be derived, while it is in use, and say what is not in the copy.

    Ledger, outboxes, desks, webhooks, settings, with --keys all secrets, too. Topics are not in it: they are
    the broker's. Accounts are not: they are made anew. Witnesses are not: no older state may be put back.
    """
    from casebus_deploy.stack.backup import make_backup
    from casebus_deploy.status_page.folder import note_backup
    from casebus_producers.config import read_connection
    from casebus_schemas.errors import UsageError

    known = read_connection(connection)
    if known is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    made = make_backup(known, to, keys=keys)
    if connection is not None:
        note_backup(connection.parent, to, len(made.files), keys=keys)
    if as_json:
        say_json(made.to_json())
        return
    for name in made.files:
        say(f"已备份 kept     {name}")
    for name, why in made.missing.items():
        say(f"不在内 not here {name}: {why}")


@app.command("restore")
def restore(
    folder: Annotated[Path, typer.Argument(help="the backup's folder")],
    data: Annotated[Path, typer.Option(help="the new data folder")],
    as_json: Json = False,
) -> None:
    """Put a backup into a new data folder, verify its ledger, say what is missing; exit 1 if it is damaged.

    Before `casebus up --data`, put Kafka's folder back, too, or name the cluster that holds the topics.
    """
    from casebus_consumers.auditor.verify import verify_ledger
    from casebus_deploy.stack.backup import restore as put_back
    from casebus_services.ledger.ledger_database import open_database

    backup = put_back(folder, data)
    body = {**backup.to_json(), "ledger": None}
    ok = True
    if "ledger.db" in backup.files:
        report = verify_ledger(open_database(f"sqlite:///{(data / 'ledger.db').absolute()}", read_only=True))
        body["ledger"] = {"ok": report.ok, "entries": report.entries, "logs": len(report.logs)}
        ok = report.ok
    if as_json:
        say_json(body)
    else:
        for name in backup.files:
            say(f"已恢复 put back  {name}")
        if body["ledger"]:
            state = "完好 sound" if ok else "损坏 damaged: casebus ledger verify names the rows"
            say(f"账本 ledger     {body['ledger']['entries']} entries, {state}")
        for name, why in backup.missing.items():
            say(f"缺 missing      {name}: {why}")
    raise typer.Exit(0 if ok else 1)
