"""`casebus law`: what a term means in every reading, and where clocks and rules stand in the law."""

from pathlib import Path
from typing import Annotated

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_day, read_day_or_time

app = typer.Typer(help="期限与依据 Terms and their sources.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("due")
def due(
    start: Annotated[str, typer.Option(help="day (2022-09-29) or time (2022-09-29T10:20+08:00) it starts")],
    limit: Annotated[str, typer.Option(help="PT24H, P3D, P3WD, P2M or P1M15D")],
    reading: Annotated[list[str] | None, typer.Option(help="only these readings (repeatable)")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="by the notices on holidays that were published by this day")
    ] = None,
    holidays: Annotated[
        list[Path] | None, typer.Option(help="count by the notice on holidays in this file too (repeatable)")
    ] = None,
    as_json: Json = False,
) -> None:
    """The admissible readings of a term, each with its reason."""
    from casebus_producers.checking.notice_files import calendar_with
    from casebus_schemas.law.api import due as readings_of

    from .due_text import end_text

    calendar = calendar_with(holidays or ())
    known_on = None if as_of is None else read_day(as_of)
    found = readings_of(read_day_or_time(start), limit, reading or None, known_on=known_on, calendar=calendar)
    if as_json:
        say_json([item.to_json() for item in found])
        return
    for item in found:
        say(f"{item.name:<16} {end_text(item.due)}  {item.why.zh}")
        say(f"{'':<16} {'':<16}  {item.why.en}")
        if item.provisional:
            say(f"{'':<16} {end_text(item.latest_possible)}  最迟可能 at the latest")
    first, last = min(item.due for item in found), max(item.latest_possible for item in found)
    say(f"最早 earliest     {end_text(first)}")
    say(f"最迟 latest       {end_text(last)}")
    if any(item.provisional for item in found):
        say("暂定,未核实 provisional, not verified: 见上 see above")


@app.command("show")
def show(
    number: Annotated[
        str | None, typer.Argument(help="such as DL06, R30 or 180(4); without it all are listed")
    ] = None,
    as_json: Json = False,
) -> None:
    """A clock of the law, a rule of reconciliation, or a crime.

    Of a rule or clock what it looks at, its law, who must do what; of a crime, by its article or its number
    in a police system's code table, the standards for filing and what laundering its gains is.
    """
    from casebus_schemas.law.charges import crime_called, crimes
    from casebus_schemas.law.clock_json import clock_json
    from casebus_schemas.law.clocks import clocks
    from casebus_schemas.rules.register import RULES
    from casebus_schemas.rules.rule_json import rule_json

    from .crime_screen import crime_json, crime_lines
    from .law_screen import clock_lines, rule_lines

    known_clocks, known_rules = clocks(), {str(id): rule for id, rule in RULES.items()}
    if number is None:
        if as_json:
            bodies = [*map(clock_json, known_clocks.values()), *map(rule_json, known_rules.values())]
            say_json(bodies)
            return
        for clock in known_clocks.values():
            say(f"{clock.id}  {clock.title.text}")
        for rule in known_rules.values():
            say(f"{rule.id}  {rule.title.text}")
        return
    wanted = number.upper()
    if wanted in known_rules:
        body, lines = rule_json(known_rules[wanted]), rule_lines(known_rules[wanted])
    elif wanted in known_clocks:
        body, lines = clock_json(known_clocks[wanted]), clock_lines(known_clocks[wanted])
    elif (crime := crime_called(number.strip())) is not None:
        body, lines = crime_json(crime), crime_lines(crime)
    else:
        raise UsageError(
            "no such rule, clock or crime",
            found=repr(number[:20]),
            expected=", ".join((*known_clocks, *known_rules, *crimes())),
            remedy="`casebus law show` lists them with their titles, docs/law.md the crimes",
        )
    if as_json:
        say_json(body)
        return
    for line in lines:
        say(line)
