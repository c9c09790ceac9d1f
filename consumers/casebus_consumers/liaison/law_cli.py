"""`casebus law`: what a term means in every reading, and where a clock stands in the law."""

import json
from typing import Annotated

import typer

from casebus_schemas.times import read_day_or_time

app = typer.Typer(help="期限与依据 Terms and their sources.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("due")
def due(
    start: Annotated[str, typer.Option(help="day (2022-09-29) or time (2022-09-29T10:20+08:00) it starts")],
    limit: Annotated[str, typer.Option(help="PT24H, P3D, P3WD, P2M or P1M15D")],
    reading: Annotated[list[str] | None, typer.Option(help="only these readings (repeatable)")] = None,
    as_json: Json = False,
) -> None:
    """The admissible readings of a term, each with its reason."""
    from casebus_schemas.law.api import due as readings_of

    found = readings_of(read_day_or_time(start), limit, reading or None)
    if as_json:
        typer.echo(json.dumps([item.to_json() for item in found], ensure_ascii=False))
        return
    for item in found:
        typer.echo(f"{item.name:<16} {item.due.isoformat()}  {item.why.zh}")
        typer.echo(f"{'':<16} {'':<25}  {item.why.en}")
    first, last = min(item.due for item in found), max(item.due for item in found)
    typer.echo(f"最早 earliest     {first.isoformat()}\n最迟 latest       {last.isoformat()}")
    if any(item.provisional for item in found):
        typer.echo("暂定,未核实 provisional, not verified: 见上 see above")


@app.command("show")
def show(
    clock: Annotated[str | None, typer.Argument(help="such as DL06; without it all are listed")] = None,
    as_json: Json = False,
) -> None:
    """A clock of the law: what starts it, who owes what, its limits and sources."""
    from casebus_schemas.law.clocks import clocks, find_clock

    chosen = [find_clock(clock)] if clock else list(clocks().values())
    if as_json:
        body = [item.to_json() for item in chosen]
        typer.echo(json.dumps(body[0] if clock else body, ensure_ascii=False))
        return
    if clock is None:
        for item in chosen:
            typer.echo(f"{item.id}  {item.on:<32} {item.title.text}")
        return
    item = chosen[0]
    typer.echo(f"{item.id}  {item.title.text}")
    typer.echo(f"  起算 starts on   {item.on}" + (f", {item.start_field}" if item.start_field else ""))
    typer.echo(f"  义务 duty        {' | '.join(item.duty)}  ({item.owed_by} → {item.owed_to})")
    for version in item.versions:
        until = version.until.isoformat() if version.until else "…"
        mark = "" if version.verified else "  未核实 not verified"
        typer.echo(f"  施行 in force    {version.since.isoformat()} – {until}{mark}")
        for rung in version.rungs:
            needs = f"  需批准 needs approval: {rung.needs}" if rung.needs else ""
            typer.echo(f"    {rung.step:<14} {rung.limit}{needs}")
        typer.echo(f"    算法 readings   {', '.join(version.readings)}")
        for article in version.source:
            typer.echo(
                f"    依据 source     {article.instrument} 第{article.article}条 Art. {article.article}"
            )
