"""`casebus ledger` as a test runs it: what a command ended with and said."""

from typing import NamedTuple

from typer.testing import CliRunner

from casebus_deploy.cli.main import build
from casebus_schemas.errors import UsageError
from support.ledger.proven import ProvenLedger

PROGRAM = build()


def url_of(ledger: ProvenLedger) -> str:
    """Where its tables are."""
    return ledger.store.database.engine.url.render_as_string(hide_password=False)


class Told(NamedTuple):
    """What a command ended with and said."""

    exit_code: int
    output: str


def command(*arguments: object) -> Told:
    """Runs `casebus ledger` with these arguments; what it refuses ends with 2, as the program has it."""
    result = CliRunner().invoke(PROGRAM, ["ledger", *map(str, arguments)])
    if isinstance(result.exception, UsageError):
        return Told(2, str(result.exception))
    return Told(result.exit_code, result.output)
