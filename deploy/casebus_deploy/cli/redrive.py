"""`casebus dead-letters redrive`: the operator has a refused record judged again."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_consumers.liaison.dead_letters_cli import app as app
from casebus_producers.screen import say, say_json
from casebus_schemas.admission.verdict import Origin
from casebus_schemas.errors import UsageError


@app.command("redrive")
def redrive(
    origin: Annotated[
        str, typer.Argument(help="where it stands, topic/partition/offset, as `list` shows it")
    ],
    reason: Annotated[str | None, typer.Option(help="why it may succeed now; kept in the ledger")] = None,
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Order a new judgement of a refused record; its sender gets the receipt.

    The record is read at its origin again and judged as the next attempt. Exit 1 if it is no dead letter.
    """
    from casebus_consumers.liaison.dead_letters import dead_letters
    from casebus_deploy.stack.operations import Operator
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_schemas.catalogue.topology import OPERATOR
    from casebus_schemas.errors import SECRET_CODES, Refused

    try:
        place = Origin.parse(origin)
    except ValueError as error:
        raise UsageError("not a place", found=repr(origin), expected="topic/partition/offset") from error
    login = KafkaLogin.read(OPERATOR, read_connection(connection))
    letters = [letter for letter in dead_letters(login) if letter.origin == place]
    if not letters:
        raise UsageError("no dead letter has that origin", found=origin, remedy="casebus dead-letters list")
    last = max(letters, key=lambda letter: letter.attempt)
    if last.code in SECRET_CODES:
        raise Refused(
            "not-authorised",
            f"a record refused as {last.code} is never driven again",
            remedy="publish it anew",
        )
    operator = Operator.connect(connection)
    try:
        offset = operator.redrive(place, last.attempt + 1, reason)
    finally:
        operator.close()
    body = {"origin": origin, "attempt": last.attempt + 1, "command": f"bus.command/0/{offset}"}
    text = f"{origin}: attempt {last.attempt + 1} ordered by bus.command/0/{offset}; see casebus receipts"
    if as_json:
        say_json(body)
    else:
        say(text)
