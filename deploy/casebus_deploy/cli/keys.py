"""`casebus keys readmit`: the operator announces a key for an agency that has no valid one any more."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_consumers.witness.cli import witness
from casebus_producers.keys.keys_cli import app as app
from casebus_producers.screen import say, say_json

app.command("witness")(witness)


@app.command("readmit")
def readmit(
    agency: Annotated[str, typer.Argument(help="whose key it is")],
    public_key: Annotated[str, typer.Argument(help="hexadecimal digits, as the agency handed them over")],
    connection: Annotated[
        Path | None, typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Admit an agency's new key, by an event on bus.key that is ledgered and that everybody reads.

    See whom you have before you: whoever holds that key speaks for the agency from now on.
    """
    from casebus_deploy.stack.keys import readmit as announce
    from casebus_producers.config import read_connection
    from casebus_schemas.errors import UsageError

    known = read_connection(connection)
    if known is None:
        raise UsageError("which bus?", expected="--connection FILE or CASEBUS_CONNECTION")
    key_id, offset = announce(known, agency, public_key)
    body = {"holder": agency, "key_id": key_id.hex(), "offset": offset}
    if as_json:
        say_json(body)
    else:
        say(f"bus.key/0/{offset}: {agency} 重新接纳 readmitted with the key {key_id.hex()}")
