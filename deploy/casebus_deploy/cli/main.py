"""The one program `casebus`: joins the commands of all shelves and turns errors into exit codes."""

import os
import sys
from importlib import import_module
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from casebus_producers.screen import crashes_are_harmless, say, say_json
from casebus_schemas.errors import BusError, Refused, RetryLater, UsageError

OK, NO, USAGE, UNAVAILABLE = 0, 1, 2, 3
"""Exit codes: fine; the answer is "no"; wrong use; something needed is not there."""

_GROUPS = (
    ("law", "casebus_consumers.liaison.law_cli"),
    ("ledger", "casebus_deploy.cli.drop"),
    ("dead-letters", "casebus_deploy.cli.step_over"),
    ("schemas", "casebus_deploy.cli.schemas"),
    ("statistics", "casebus_consumers.statistics.cli"),
    ("topics", "casebus_deploy.cli.topics"),
)
_FLAT = (
    "casebus_deploy.cli.up",
    "casebus_deploy.cli.run",
    "casebus_deploy.cli.demo",
    "casebus_deploy.stack.doctor",
    "casebus_producers.cli",
    "casebus_consumers.liaison.cli",
    "casebus_consumers.liaison.cases_cli",
    "casebus_consumers.auditor.replay_cli",
)


def build() -> typer.Typer:
    """The program with every shelf's commands mounted."""
    app = typer.Typer(
        name="casebus",
        help="证券犯罪案件交换总线 The bus on which agencies exchange securities-crime cases.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            say(version_of("casebus"))
            raise typer.Exit(OK)

    @app.callback()
    def root(
        version: Annotated[
            bool,
            typer.Option(
                "--version", help="print the version and leave", callback=show_version, is_eager=True
            ),
        ] = False,
    ) -> None:
        pass

    if sys.argv[1:2] == ["run"]:
        # A service that was killed must be back soon: the other commands cost a third of its start.
        app.add_typer(import_module("casebus_deploy.cli.run").app)
        return app
    for module in _FLAT:
        app.add_typer(import_module(module).app)
    for name, module in _GROUPS:
        app.add_typer(import_module(module).app, name=name)
    app.add_typer(import_module("casebus_deploy.cli.up").clock_app, name="clock")
    return app


def main() -> None:
    """Entry point: runs the command and maps what went wrong to an exit code and one clear line."""
    crashes_are_harmless()
    try:
        build()()
    except BusError as error:
        code = _code(error)
        if "--json" in sys.argv:
            problem = {"error": type(error).__name__, "detail": error.detail}
            say_json(problem, err=True)
        else:
            say(f"casebus: {error.detail}", err=True)
        raise SystemExit(code) from None
    except ModuleNotFoundError as error:
        if (error.name or "casebus").startswith("casebus"):
            raise
        say(
            f"casebus: {error.name} is not installed; pip install 'casebus[client]' brings what an agency "
            "needs, 'casebus[auditor]', 'casebus[services]' or 'casebus[all]' the rest",
            err=True,
        )
        raise SystemExit(USAGE) from None
    except BrokenPipeError:
        # The reader of our output left; nobody is there to read a complaint.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(OK) from None


def _code(error: BusError) -> int:
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, RetryLater):
        return UNAVAILABLE
    if isinstance(error, Refused):
        return NO
    return int(getattr(error, "exit_code", NO))


if __name__ == "__main__":
    main()
