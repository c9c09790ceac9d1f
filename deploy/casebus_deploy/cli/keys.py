"""`casebus keys readmit`: the operator announces a key for an agency that has no valid one any more."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_consumers.witness.cli import witness
from casebus_producers.keys.keys_cli import app as app
from casebus_producers.screen import say, say_json

app.command("witness")(witness)


@app.command("genesis")
def genesis_command(
    data: Annotated[Path, typer.Option("--data", help="the bus's data folder")],
    requests: Annotated[
        list[Path] | None, typer.Argument(help="requests to join of the agencies that found the bus")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="the bus: its ledger's name; makes the genesis file")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Show the genesis file with its number, or make it (--origin) before the bus starts for the first time.

    It pins the first keys of bus, agencies and witnesses. Each member keeps a copy; all compare its number.
    """
    from casebus_deploy.stack.founding import found_bus, genesis_file
    from casebus_schemas.enrolment.request import Request
    from casebus_schemas.enrolment.signed_file import spoken
    from casebus_schemas.errors import UsageError
    from casebus_schemas.evidence.genesis import read_genesis

    if origin is None:
        if requests:
            raise UsageError("requests for which bus?", expected="--origin NAME, as in the requests")
        found = read_genesis(genesis_file(data))
    else:
        found = found_bus(data.absolute(), origin, [Request.read(_read(file)) for file in requests or ()])
    number = spoken(found.digest)
    if as_json:
        say_json({"file": str(genesis_file(data)), "sha256": found.digest.hex(), "number": number})
        return
    for line in found.to_bytes().decode().splitlines():
        say(line)
    say(f"SHA-256: {found.digest.hex()}; 核对号 number to compare: {number}")


def _read(file: Path) -> bytes:
    from casebus_schemas.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}", found=error.strerror, expected="a request to join") from error


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
