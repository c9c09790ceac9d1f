"""What a person sees of a demo: who said what, who was told, which clock started, what was found."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from casebus_consumers.liaison.sealed_view import sealed_lines
from casebus_consumers.panels import Screen
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.law.api import clock
from casebus_schemas.law.terms import latest_possible
from casebus_schemas.texts.symbols import DUTY_STATES, READINGS, RECIPIENT_ROLES, agency, shown

from .play import Spoken
from .players import HeardNotice
from .report import Check, Report
from .scenario import Context, Passing, Step, ends
from .script import Script

STATE_STYLES = {
    "open": "cyan",
    "due": "yellow",
    "contested": "yellow",
    "overdue": "red",
    "met": "green",
    "moot": "dim",
    "lapsed": "dim",
}
SEVERITY_STYLES = {"info": "cyan", "medium": "yellow", "high": "bold red"}


class DemoScreen:
    """Writes to a console; without a terminal the same lines without colour."""

    def __init__(self, console: Screen, script: Script, catalog: Catalog) -> None:
        self._console = console
        self._script = script
        self._planted = {scenario.name for scenario in script.scenarios if scenario.planted is not None}
        self._catalog = catalog
        self._clocks: set[str] = set()
        self._shown: set[str] = set()

    def say(self, line: str) -> None:
        """A plain line, such as a step of starting up."""
        self._console.print(Text(f"  {line}", style="dim"))

    def opening(self) -> None:
        """Which cases are played."""
        self._console.print()
        for scenario in self._script.scenarios:
            if scenario.planted is None:
                self._line(("■ ", "bold"), (scenario.title.text, "bold"), (f"  [{scenario.name}]", "dim"))
        for scenario in self._script.scenarios:
            if scenario.planted is not None:
                self._line(
                    ("□ 虚设 planted: ", "magenta"), scenario.planted.text, (f"  [{scenario.name}]", "dim")
                )

    def day(self, at: datetime) -> None:
        """A rule with the bus's time."""
        self._console.print()
        self._console.rule(Text(f"{at:%Y-%m-%d %H:%M}", style="bold"), align="left", style="dim")

    def context(self, line: Context) -> None:
        """Dim: nobody on the bus said it."""
        figures = f" ({line.figures})" if line.figures else ""
        text = f"· {line.when}  {line.who.text}: {line.what.text}{figures}"
        self._console.print(Text(text, style="dim italic"))

    def passing(self, line: Passing) -> None:
        """Nobody spoke, a term came or went."""
        self._line(("⏳ ", "yellow"), line.says.text, (f"  [{line.scenario}]", "magenta"))

    def step(self, spoken: Spoken) -> None:
        """Who said what, and who was told within how many milliseconds."""
        step = spoken.step
        kind = self._catalog.event(step.type)
        name = agency(step.agency).zh
        self._line(
            (f"{name} ", "bold blue"),
            (step.source.removeprefix("/"), "blue"),
            (f"  {kind.title_zh} {kind.title_en}", "bold"),
            (f"  [{step.scenario}]", "magenta" if step.scenario in self._planted else "dim"),
        )
        dated = f"{step.date:%Y-%m-%d}" + (" 日期推定 day assumed" if step.date_basis == "assumed" else "")
        self._line("   ", step.says.text, (f"  ({dated})", "dim"))
        if spoken.refused is not None:
            self._line(("   ✗ ", "red"), (f"{spoken.refused['code']}: {spoken.refused['detail']}", "red"))
            return
        parts: list[str | tuple[str, str]] = [("   → ", "green")]
        for notice in sorted(spoken.notices, key=lambda notice: notice.agency):
            role = shown(RECIPIENT_ROLES, notice.record.role)
            parts.append(f"{agency(notice.agency).zh} {notice.agency} ({role})  ")
        parts.append((f"{max(spoken.waits_ms(), default=0)} ms", "dim"))
        self._line(*parts)
        for notice in spoken.notices:
            if notice.opened is not None:
                reader = f"{agency(notice.agency).zh} {notice.agency} 读到 reads"
                self._line(("   🔒 ", "cyan"), (reader, "cyan"))
                for line in sealed_lines(notice.opened):
                    self._line("      ", line)

    def skipped(self, step: Step, why: str) -> None:
        """A step that the bus cannot carry yet."""
        self._line(("   略过 skipped: ", "yellow"), f"{step.message_no}: {step.says.text} ({why})")

    def of_bus(self, notice: HeardNotice) -> None:
        """What the bus says of an obligation or a finding, once for all who hear it."""
        said = str(notice.record.headers.id)
        if said in self._shown:
            return
        self._shown.add(said)
        kind, data = notice.record.headers.type, notice.data
        if kind == "obligation.announced":
            for duty in data["obligations"]:
                self._obligation(duty, first=str(duty["id"]) not in self._clocks)
                self._clocks.add(str(duty["id"]))
        else:
            for finding in data["findings"]:
                self._finding(kind, finding)

    def _obligation(self, data: Mapping[str, Any], *, first: bool) -> None:
        style = STATE_STYLES[data["state"]]
        title = clock(data["rule"]).title
        owed_to = "、".join(agency(name).zh for name in data["owed_to"])
        self._line(
            ("   ⏱ ", style),
            (f"{data['rule']} {title.text}", "bold"),
            f"  {agency(data['owed_by']).zh}对{owed_to} {data['owed_by']} owes {', '.join(data['owed_to'])}",
            (f"  {shown(DUTY_STATES, data['state'])}", style),
            (self._of(data["chain"]), "dim"),
        )
        if first:
            for reading in data["readings"]:
                counted = shown(READINGS, reading["name"])
                provisional = bool(reading.get("provisional"))
                latest = ends(latest_possible(reading["due"], provisional=provisional))
                over = f"  ~ 最迟可能 at the latest {latest}" if provisional else ""
                self._line("      ", (f"{ends(reading['due'])}", "bold"), f"  {counted}{over}")

    def _finding(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "finding.closed":
            self._line(("   ✓ ", "green"), f"{data['rule']} 消除 closed: {_both(data['because'])}")
            return
        self._line(
            ("   ⚠ ", SEVERITY_STYLES[data["severity"]]),
            (f"{data['rule']} ", SEVERITY_STYLES[data["severity"]]),
            _both(data["because"]),
            (self._of(data["chain"]), "dim"),
        )

    def _of(self, chain: object) -> str:
        for scenario in self._script.scenarios:
            if str(self._script.chain(scenario.name)) == str(chain):
                return f"  [{scenario.name}]"
        return ""

    def summary(self, report: Report) -> None:
        """Figures and checks."""
        self._console.print()
        self._console.rule(Text("小结 summary", style="bold"), align="left", style="dim")
        figures = Table(show_header=False, box=None, pad_edge=False)
        for name, value in report.figures():
            figures.add_row(Text(name, style="dim"), value)
        self._console.print(figures)
        for check in report.checks:
            self.verdict(check)
        if report.final is not None:
            self._line(("最终检查点 final checkpoint", "bold"))
            for line in report.final.splitlines():
                self._line((f"  {line}", "dim"))

    def verdict(self, check: Check) -> None:
        """One check: whether it holds and what was found."""
        mark, style = ("✓", "green") if check.ok else ("✗", "bold red")
        self._line((f"{mark} ", style), (check.name, "bold"), f"  {check.detail}")

    def desks(self, every: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        """Where each agency's officers sign in, with names and passwords made for this run."""
        if not every:
            return
        self._line(("工作台 desks", "bold"), "  (浏览器打开 open in a browser)")
        for whose, (url, users) in every.items():
            self._line(f"  {whose:<5} {url}/")
            self._line("        " + "   ".join(f"{name} {password}" for name, password in users.items()))

    def next_steps(self, connection: Path, page: str | None) -> None:
        """Where to look while it stays up."""
        self._console.print()
        for line in _next_steps(self._script, connection, page):
            self._console.print(Text(f"  {line}"), soft_wrap=True)
        self._line(("Ctrl-C 停止并清理 stops and cleans up", "bold"))

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)


def _both(said: Mapping[str, str]) -> str:
    return f"{said['zh']} / {said['en']}"


def _next_steps(script: Script, connection: Path, page: str | None) -> list[str]:
    telling = next(s for s in script.scenarios if s.findings and s.planted is None)
    program = called_here()
    lines = [
        f"export CASEBUS_CONNECTION={shlex.quote(str(connection))}",
        f"{program} inbox --agency csrc",
        f"{program} case",
        f"{program} case {script.chain(telling.name)}",
        *(f"{program} case {script.chain(name)} --agency {reader}" for name, reader in _sealed(script)),
        f"{program} obligations --agency mps",
        f"{program} findings",
        f"{program} ledger verify --against-kafka",
        f"{program} ledger gossip",
    ]
    return [*lines, *([page] if page else [])]


def _sealed(script: Script) -> list[tuple[str, str]]:
    """A scenario in which something is sealed, and who reads it."""
    found = [(step.scenario, step.to[0].partition("/")[0]) for step in script.playable() if step.sealed]
    return found[:1]


def called_here() -> str:
    """How this program is called from this folder: its name where the shell finds it, else its path."""
    own, found = Path(sys.executable).with_name("casebus"), shutil.which("casebus")
    if found is not None and own.exists() and Path(found).samefile(own):
        return "casebus"
    if not own.exists():
        return f"{shlex.quote(sys.executable)} -m casebus_deploy.cli.main"
    below = own.is_relative_to(Path.cwd())
    return shlex.quote(str(own.relative_to(Path.cwd()) if below else own))
