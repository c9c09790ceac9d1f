"""`casebus schemas check` and `lint`: the gate that stops every breaking change."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casebus_producers.screen import say, say_json

if TYPE_CHECKING:
    from casebus_deploy.schema_tools.schema_gate import Judged

app = typer.Typer()

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="schema files or folders; without any, the schemas of this package", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("check")
def check(
    paths: Paths = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="an earlier package folder, a folder of schemas or a file, instead of this package"
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Each schema by itself and against every past version of its type, both ways; ids never change.

    A file TYPE.VERSION.avsc is judged as that version, any other as the next one of its record's name. Exit
    code 1 if anything is wrong.
    """
    from casebus_deploy.schema_tools.schema_gate import candidates, earlier_lock, own_package, package_folder

    if against is not None and not paths:
        judged = [*candidates([package_folder()], check=True, against=against), earlier_lock(against)]
    elif paths:
        judged = list(candidates(paths, check=True, against=against))
    else:
        judged = list(own_package(check=True))
    _tell(judged, as_json)


@app.command("lint")
def lint(paths: Paths = None, as_json: Json = False) -> None:
    """Each schema by itself: documented, marked, sound defaults, within limits. Exit code 1 if one is not."""
    from casebus_deploy.schema_tools.schema_gate import candidates, own_package

    _tell(candidates(paths, check=False) if paths else own_package(check=False), as_json)


def _tell(judged: "Iterable[Judged]", as_json: bool) -> None:
    files, problems = 0, []
    for one in judged:
        files += 1
        for problem in one.problems:
            problems.append({"subject": one.subject, **problem.to_json()})
            if not as_json:
                say(f"{one.subject}: {problem.text}")
        if one.alone and not as_json:
            say(f"{one.subject}: a new type, no past version to compare with")
    if as_json:
        body = {"ok": not problems, "files": files, "problems": problems}
        say_json(body)
    else:
        say(f"{files} files, {len(problems) or 'no'} problems")
    if problems:
        raise typer.Exit(1)
