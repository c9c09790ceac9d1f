"""`casebus run NAME`: one service in the foreground, as a supervisor would start it."""

import logging
from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer()


class Runnable(StrEnum):
    """What can be run."""

    router = "router"
    ledger = "ledger"
    reconciler = "reconciler"
    page = "page"


@app.command("run")
def run(
    name: Annotated[Runnable, typer.Argument(help="the service to run")],
) -> None:
    """Run one service (settings from CASEBUS_* variables); SIGTERM drains and ends it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if name is Runnable.page:
        from casebus_deploy.page import serve

        serve()
        return
    from casebus_services.config import ServiceSettings

    settings = ServiceSettings()
    if name is Runnable.router:
        from casebus_services.router.wiring import build_router as build
    elif name is Runnable.ledger:
        from casebus_services.ledger.wiring import build_ledger as build
    else:
        from casebus_services.reconciler.wiring import build_reconciler as build
    raise typer.Exit(build(settings).run())
