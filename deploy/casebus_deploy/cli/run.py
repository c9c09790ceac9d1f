"""`casebus run NAME`: one service in the foreground, as a supervisor would start it."""

from importlib import import_module
from typing import Annotated

import typer

from casebus_schemas.catalogue.services import services
from casebus_schemas.errors import UsageError
from casebus_services.log_lines import log_lines

app = typer.Typer()


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="the service to run: " + ", ".join(services()))],
) -> None:
    """Run one service (settings from CASEBUS_* variables); SIGTERM drains and ends it."""
    service = services().get(name)
    if service is None:
        raise UsageError("no such service", found=repr(name), expected="one of " + ", ".join(services()))
    log_lines()
    # Imported when run: each service costs a start of its own only.
    function = getattr(import_module(service.module), service.function)
    if service.form == "server":
        function()
        return
    from casebus_services.config import ServiceSettings

    raise typer.Exit(function(ServiceSettings.from_environment()).run())
