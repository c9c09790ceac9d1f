"""`casebus run NAME`: one service in the foreground, as a supervisor would start it."""

import logging
import os
from importlib import import_module
from typing import Annotated

import typer

from casebus_schemas.catalogue.services import services
from casebus_schemas.errors import StopService, UsageError
from casebus_services.exit_codes import EXIT_EVIDENCE
from casebus_services.log_lines import log_lines

app = typer.Typer()


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="the service to run: " + ", ".join(services()))],
    agency: Annotated[
        list[str] | None,
        typer.Option(
            "--agency",
            "-a",
            help="witness, door, desk: whose (repeatable); without it all of connection.json",
        ),
    ] = None,
) -> None:
    """Run one service (settings from CASEBUS_* variables); SIGTERM drains and ends it."""
    service = services().get(name)
    if service is None:
        raise UsageError("no such service", found=repr(name), expected="one of " + ", ".join(services()))
    if agency and service.form != "agency":
        raise UsageError(f"{name} is the bus's", found="--agency", expected="no agency")
    log_lines()
    if address := os.environ.get("CASEBUS_METRICS_ADDRESS"):
        from casebus_services.metrics.endpoint import serve_metrics

        serve_metrics(address)
    if endpoint := os.environ.get("CASEBUS_TRACES_ENDPOINT"):
        from casebus_services.tracing import export_spans

        export_spans(endpoint, name)
    # Imported when run: each service costs a start of its own only.
    function = getattr(import_module(service.module), service.function)
    if service.form == "server":
        function()
        return
    try:
        if service.form == "agency":
            function(agency or [])
            return
        # What an agency installs has none of its packages.
        from casebus_services.config import ServiceSettings

        raise typer.Exit(function(ServiceSettings.from_environment()).run())
    except StopService as error:
        # Where the worker does not run yet: its own end says the same.
        logging.getLogger(__name__).critical("%s ends with exit code %d: %s", name, EXIT_EVIDENCE, error)
        raise typer.Exit(EXIT_EVIDENCE) from None
