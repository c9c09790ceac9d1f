"""Everything that is shown goes through doors that make foreign text harmless."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELVES = ("schemas", "producers", "services", "consumers", "deploy")
DOORS = {
    "producers/casebus_producers/screen.py",
    "consumers/casebus_consumers/panels.py",
    "services/casebus_services/log_lines.py",
}
# Set up before anything is installed: it shows the output of builders to whoever runs them.
BEFORE = {"deploy/dev.py"}
PRINTERS = {
    *("print", "echo", "secho", "pprint", "confirm", "prompt", "print_exc", "print_exception"),
    *("Console", "StreamHandler", "FileHandler", "basicConfig", "dictConfig", "fileConfig"),
}
STREAMS = {"stdout", "stderr"}
PROGRAMS = sorted(
    file
    for shelf in SHELVES
    for file in (ROOT / shelf).rglob("*.py")
    if str(file.relative_to(ROOT)) not in DOORS | BEFORE
)


def around_the_doors(source: str) -> list[str]:
    """Calls that print, and writing to a standard stream, by name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        stream = function.value if isinstance(function, ast.Attribute) else None
        if name in ("write", "writelines") and isinstance(stream, ast.Attribute) and stream.attr in STREAMS:
            found.append(f"{stream.attr}.{name}")
        elif name in PRINTERS and not _of_a_screen(function):
            found.append(name)
        elif name in ("exit", "SystemExit") and any(map(_is_text, node.args)) and node.args:
            found.append(f"{name} with a text that is made")
    return found


def _of_a_screen(function: ast.expr) -> bool:
    """Whether `something.console.print(…)` is called: a Screen, since only its door makes a Console."""
    owner = function.value if isinstance(function, ast.Attribute) else None
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name.lstrip("_") == "console" and isinstance(function, ast.Attribute) and function.attr == "print"


def _is_text(argument: ast.expr) -> bool:
    return isinstance(argument, ast.JoinedStr)


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(ROOT)))
def test_b9_nothing_prints_around_the_doors(file: Path) -> None:
    """No module prints, makes a console or a log handler, or writes to a standard stream by itself."""
    assert around_the_doors(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "print(name)",
        "typer.echo(name)",
        "click.secho(name)",
        "sys.stderr.write(name)",
        "rich.console.Console()",
        "logging.basicConfig()",
        "traceback.print_exc()",
        "sys.exit(f'no {name}')",
    ],
)
def test_b9_a_way_around_is_seen(source: str) -> None:
    """Each common way to print is recognised."""
    assert around_the_doors(source)
