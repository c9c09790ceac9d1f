"""`casebus run NAME`: one service in the foreground, as a supervisor would start it."""

import logging
from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer

app = typer.Typer()


class Runnable(StrEnum):
    """What can be run."""

    router = "router"
    ledger = "ledger"
    reconciler = "reconciler"
    page = "page"
    registry = "registry"


_BUILDERS = {
    Runnable.router: ("casebus_services.router.wiring", "build_router"),
    Runnable.ledger: ("casebus_services.ledger.wiring", "build_ledger"),
    Runnable.reconciler: ("casebus_services.reconciler.wiring", "build_reconciler"),
}
"""Imported when run: each service costs a start of its own only."""


@app.command("run")
def run(
    name: Annotated[Runnable, typer.Argument(help="the service to run")],
) -> None:
    """Run one service (settings from CASEBUS_* variables); SIGTERM drains and ends it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if name is Runnable.page:
        from casebus_deploy.stack.page_process import serve

        serve()
        return
    if name is Runnable.registry:
        from casebus_deploy.stack.registry_process import serve as serve_registry

        serve_registry()
        return
    from casebus_services.config import ServiceSettings

    module, build = _BUILDERS[name]
    service = getattr(import_module(module), build)(ServiceSettings.from_environment())
    raise typer.Exit(service.run())
