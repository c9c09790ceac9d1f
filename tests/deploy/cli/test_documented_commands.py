"""Every `casebus` command that README and docs/ name is there, with every option that they name."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import typer

from casebus_deploy.cli.main import build
from support.cases.documented import DOCS

_SPAN = re.compile(r"`(casebus [^`\n]+)`")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^(casebus [^\n]+)$", re.MULTILINE)
DEFAULT = {"statistics": "figures"}
"""Groups that take the arguments of one of their commands without its name."""
BYTES = "records.md"
"""Its blocks show files, not commands."""
PAGES = (DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md")))


def named() -> Iterator[tuple[str, str]]:
    """Page and text of each command: in a line of a block, or as code within a sentence."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shown = [] if page.name == BYTES else _BLOCK.findall(text)
        lines = [line for block in shown for line in _LINE.findall(block)]
        for found in (*_SPAN.findall(text), *lines):
            yield str(page.relative_to(DOCS.parent)), found


def spelled_out(words: list[str]) -> Iterator[list[str]]:
    """`plan|apply` and `--run|--stop` stand for one each."""
    for at, word in enumerate(words):
        if "|" in word:
            for one in word.split("|"):
                yield from spelled_out([*words[:at], one, *words[at + 1 :]])
            return
    yield words


@cache
def program() -> Any:
    """The whole program."""
    return typer.main.get_command(build())


def unknown(words: list[str]) -> list[str]:
    """What of a command line the program does not know."""
    here, rest = program(), words[1:]
    while hasattr(here, "commands") and rest[:1] != ["…"]:
        if (rest[0] if rest else "") not in here.commands:
            if here.name not in DEFAULT:
                return rest[:1]
            rest = [DEFAULT[here.name], *rest]
        here, rest = here.commands[rest[0]], rest[1:]
    options = {name for each in here.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    return [
        word for word in rest if word.startswith("-") and word != "-" and word.split("=")[0] not in options
    ]


@pytest.mark.parametrize(("page", "text"), sorted(set(named())))
def test_a_documented_command_is_there(page: str, text: str) -> None:
    """A reader who types what the page says is not told that there is no such command or option."""
    bare = text.partition("  #")[0].replace("[", " ").replace("]", " ")
    for words in spelled_out(shlex.split(bare)):
        assert unknown(words) == [], f"{page}: {text}"


def test_the_pages_for_readers_name_commands() -> None:
    """Each of the four readers has commands to type, so this file looks at something."""
    pages = {page for page, _ in named()}
    assert {
        f"docs/{name}.md" for name in ("agency-system", "liaison-officer", "auditor", "operator")
    } <= pages
