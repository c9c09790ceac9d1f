"""`casebus clock`: sets the clock of a simulated bus."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.times import read_exact_time

app = typer.Typer(help="模拟时钟 The simulated clock.", no_args_is_help=True)

ConnectionFile = Annotated[
    Path | None, typer.Option("--connection", envvar="CASEBUS_CONNECTION", help="connection.json of the bus")
]


@app.callback()
def clock() -> None:
    """模拟时钟 The simulated clock."""


@app.command("set")
def clock_set(
    time: Annotated[str, typer.Argument(help="ISO time with offset, such as 2016-10-18T09:00:00+08:00")],
    rate: Annotated[
        float, typer.Option(help="seconds of its own for each real second; 0 stops it", min=0)
    ] = 1.0,
    connection: ConnectionFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Set the bus's clock (only a bus that was started with --simulated-clock follows it)."""
    from casebus_deploy.stack.operations import Operator

    moment = read_exact_time(time)
    operator = Operator.connect(connection)
    try:
        offset = operator.set_clock(moment, rate)
    finally:
        operator.close()
    body = {"now": moment.isoformat(), "rate": rate, "offset": offset}
    if as_json:
        say_json(body)
    else:
        say(f"bus.command/0/{offset}: {moment.isoformat()}, rate {rate:g}")
