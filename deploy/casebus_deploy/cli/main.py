"""The one program `casebus`: joins the commands of all shelves and turns errors into exit codes."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from casebus_producers.screen import complain, crashes_are_harmless, say
from casebus_schemas.errors import BusError, Refused, RetryLater, UsageError

OK, NO, USAGE, UNAVAILABLE = 0, 1, 2, 3
"""Exit codes: fine; the answer is "no"; wrong use; something needed is not there."""

GROUPS = {
    "enroll": "casebus_deploy.cli.enroll",
    "connection": "casebus_deploy.cli.connection",
    "keys": "casebus_deploy.cli.keys",
    "law": "casebus_deploy.cli.holidays",
    "ledger": "casebus_deploy.cli.drop",
    "dead-letters": "casebus_deploy.cli.step_over",
    "passwords": "casebus_deploy.cli.passwords",
    "schemas": "casebus_deploy.cli.schemas",
    "statistics": "casebus_consumers.statistics.cli",
    "topics": "casebus_deploy.cli.topics",
    "clock": "casebus_deploy.cli.clock",
    "door": "casebus_consumers.door.cli",
    "desk": "casebus_consumers.desk.cli",
    "notify": "casebus_consumers.notifier.cli",
}
"""Commands that have commands of their own, and the modules that hold them."""
FLAT = {
    "casebus_deploy.cli.up": ("up",),
    "casebus_deploy.cli.alive": ("alive",),
    "casebus_deploy.cli.backup": ("backup", "restore"),
    "casebus_deploy.cli.run": ("run",),
    "casebus_deploy.cli.demo": ("demo",),
    "casebus_deploy.stack.doctor": ("doctor",),
    "casebus_producers.cli": ("publish", "outbox"),
    "casebus_consumers.liaison.cli": ("inbox", "receipts"),
    "casebus_consumers.liaison.answer_cli": ("answer", "correct", "withdraw"),
    "casebus_consumers.liaison.cases_cli": ("case", "obligations", "findings", "check", "rebuild"),
    "casebus_consumers.liaison.changes_cli": ("changes",),
    "casebus_consumers.liaison.statement_cli": ("statement",),
    "casebus_consumers.liaison.insiders_cli": ("insiders",),
    "casebus_consumers.auditor.replay_cli": ("replay",),
}
"""The modules of all other commands."""

_SELDOM = 100_000
"""New objects after which Python looks for garbage; 700 where nobody says so."""


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The program with the command that the arguments name, or with every shelf's commands.

    Most of a command's start is what it imports, and the other commands would cost five times as much.
    """
    app = typer.Typer(
        name="casebus",
        help="证券犯罪案件交换总线 The bus on which agencies exchange securities-crime cases.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(wanted: bool) -> None:
        if wanted:
            from importlib.metadata import version as version_of  # slow, and only asked for here

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

    named = next((word for word in arguments if not word.startswith("-")), None)
    flat = [module for module, names in FLAT.items() if named in names]
    groups = [name for name in GROUPS if name == named]
    known = bool(flat or groups)
    for module in flat if known else FLAT:
        app.add_typer(import_module(module).app)
    for name in groups if known else GROUPS:
        app.add_typer(import_module(GROUPS[name]).app, name=name)
    return app


def main() -> None:
    """Entry point: runs the command and maps what went wrong to an exit code and one clear line."""
    crashes_are_harmless()
    if sys.argv[1:2] not in (["run"], ["up"], ["demo"]):
        # What a short command makes are modules, which stay: looking for garbage among them is a tenth of it.
        gc.set_threshold(_SELDOM)
    try:
        if "CASEBUS_SETTINGS_FILE" in os.environ:
            from .settings_file import take_settings_file

            take_settings_file(os.environ, sys.argv[1:])
        build(sys.argv[1:])()
    except BusError as error:
        if "--json" in sys.argv:
            complain(error)
        else:
            _say_in_chinese(error)
            say(f"casebus: {error.detail}", err=True)
        raise SystemExit(_code(error)) from None
    except SystemExit as ended:
        # The command line's library has said what is wrong, in English.
        if isinstance(wrong := ended.__context__, typer.TyperException):
            _say_in_chinese(wrong)
        raise
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
    except Exception as error:
        from .no_room import no_room

        if (told := no_room(error)) is None:
            raise
        say(f"casebus: {told}", err=True)
        raise SystemExit(UNAVAILABLE) from None


def _say_in_chinese(error: BusError | typer.TyperException) -> None:
    """The error on a line of its own, where errors.yaml has it."""
    from casebus_schemas.texts.errors import clause_in_chinese, detail_in_chinese

    if isinstance(error, BusError):
        said = detail_in_chinese(error)
    else:
        said = clause_in_chinese(error.format_message())
    if said is not None:
        say(f"casebus: {said}", err=True)


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
