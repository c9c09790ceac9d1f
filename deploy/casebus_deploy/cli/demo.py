"""`casebus demo`: the public cases played over a whole bus of its own, shown and proved."""

import signal
from types import FrameType
from typing import Annotated

import typer

from casebus_deploy.demo.damage import Break
from casebus_producers.screen import say, say_json

app = typer.Typer()

_INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended (128 + SIGINT)."""


@app.command("demo")
def demo(
    once: Annotated[bool, typer.Option("--once", help="leave after the checks, 0 if all hold")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="only the report, as JSON")] = False,
    speed: Annotated[
        float | None,
        typer.Option(help="pace of the play; with --once no rest unless given", min=0.01),
    ] = None,
    damage: Annotated[
        list[Break] | None,
        typer.Option("--break", help="damage the finished run on purpose: a check must name it (repeatable)"),
    ] = None,
) -> None:
    """Play the public cases in a temporary folder: who spoke, who was told, what was due and found."""
    from casebus_consumers.panels import Screen
    from casebus_deploy.demo.demo import DemoOptions, run_demo

    _interrupt_once()
    once = once or bool(damage)
    options = DemoOptions(once=once, speed=speed or (None if once else 1.0), damage=tuple(damage or ()))
    try:
        report = run_demo(options, Screen(quiet=as_json, highlight=False))
    except KeyboardInterrupt:
        say("中断 interrupted, cleaned up", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        say_json(report.to_json())
    raise typer.Exit(0 if report.ok else 1)


def _interrupt_once() -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the play; repeated ones do not disturb the cleaning up."""
    endings = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in endings:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in endings:
        signal.signal(number, interrupt)
