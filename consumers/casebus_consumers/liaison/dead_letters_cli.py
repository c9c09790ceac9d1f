"""`casebus dead-letters list|show`: what the bus refused, for its agency or, of all, for the operator."""

from pathlib import Path
from typing import Annotated, Any

import typer

from casebus_producers.cli import ConnectionOption
from casebus_producers.config import KafkaLogin, read_connection
from casebus_producers.connecting import quiet_kafka
from casebus_producers.screen import say, say_json
from casebus_schemas.agencies import MEMBERS
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.catalogue.topology import OPERATOR
from casebus_schemas.errors import UsageError

from .dead_letters import DeadLetter, dead_letters, one_dead_letter
from .notice_view import refusal_text

app = typer.Typer(help="拒收记录 Refused records and the reasons.", no_args_is_help=True)

OneOption = Annotated[
    str | None,
    typer.Option("--agency", "-a", help="one agency's, read as that agency; else all, as operator"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON")]


@app.command("list")
def list_command(
    agency: OneOption = None,
    code: Annotated[str | None, typer.Option(help="only this refusal code")] = None,
    as_json: JsonOption = False,
    connection: ConnectionOption = None,
) -> None:
    """One line for each refused record and, for the operator, each chain that could not be computed."""
    login, agencies = _reader(agency, connection)
    for letter in dead_letters(login, agencies):
        if code is not None and letter.code != code:
            continue
        if as_json:
            say_json(letter.summary())
        else:
            say(_line(letter))
    if agency is None and code is None:
        _list_set_aside(connection, as_json)


def _list_set_aside(connection: Path | None, as_json: bool) -> None:
    from casebus_consumers.accounts_reader import set_aside

    known = read_connection(connection)
    held = set_aside(known.databases.get("accounts")) if known else []
    for one in held:
        if as_json:
            say_json({"set_aside": one})
        else:
            say(f"案链暂停计算 chain set aside  {one['chain']}  {one['since']}  {one['reason']}")


@app.command()
def show(
    seq: Annotated[int, typer.Argument(help="its number in the list")],
    agency: Annotated[str, typer.Option("--agency", "-a", help="whose record was refused")],
    as_operator: Annotated[bool, typer.Option("--operator", help="read as the operator")] = False,
    as_json: JsonOption = False,
    connection: ConnectionOption = None,
) -> None:
    """One refused record whole: reason, headers, value, and the event as far as it can be read."""
    login, _ = _reader(agency, connection, as_operator=as_operator)
    letter = one_dead_letter(login, agency, seq)
    body = letter.to_json(Catalog.load())
    if as_json:
        say_json(body)
        return
    say(_line(letter))
    say(f"  原因 why      {refusal_text(letter.code, letter.detail)}")
    say(f"  案链 chain    {body['event']['chain'] or '-'}   摘要 digest {body['event']['digest'] or '-'}")
    if body["sha256"] is not None:
        say("  内容不留存，仅存摘要 only digests are kept:")
        for name, digest in body["sha256"].items():
            say(f"    {name:<8} {digest}")
        return
    say(f"  键 key        {body['key']}")
    for name, value in body["headers"]:
        say(f"  {name:<18} {'null' if value is None else value}")
    say(f"  value (base64) {body['value']}")
    if body["readable"] is not None:
        say_json(body["readable"], indent=1)


def _reader(
    agency: str | None, connection: Path | None, *, as_operator: bool = False
) -> tuple[KafkaLogin, tuple[str, ...]]:
    quiet_kafka()
    if agency is not None and agency not in MEMBERS:
        raise UsageError("no such agency", found=repr(agency), expected="one of " + ", ".join(MEMBERS))
    principal = OPERATOR if agency is None or as_operator else agency
    login = KafkaLogin.read(principal, read_connection(connection))
    return login, MEMBERS if agency is None else (agency,)


def _line(letter: DeadLetter) -> str:
    event: dict[str, Any] = letter.summary()["event"]
    kind = event["type"] or "?"
    place = f"{letter.origin}  第{letter.attempt}次 attempt"
    return f"{letter.agency} #{letter.seq}  {letter.code:<16} {kind:<34} {place}"
