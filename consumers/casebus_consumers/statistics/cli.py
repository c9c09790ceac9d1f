"""`casebus statistics`: figures with lineage, growth and ratios, and published figures checked."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError
from casebus_schemas.times import last_instant

if TYPE_CHECKING:
    from casebus_schemas.case.chain import ChainEvent
    from casebus_schemas.statistics.figures import Figure, Versions
    from casebus_schemas.statistics.scopes import Scope
    from casebus_schemas.statistics.tally import Tally

_DEFAULT = "figures"


class FiguresFirst(TyperGroup):
    """Without the name of a command it is `figures`: `casebus statistics events.jsonl`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the default command's name in front where none is given."""
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FiguresFirst, help="统计 Figures computed from individual events, with lineage.")

Files = Annotated[
    list[Path] | None,
    typer.Argument(help="events: JSON of the door, notices, or `replay --events`; else the accounts"),
]
Connection = Annotated[
    Path | None,
    typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json of the bus"),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", envvar="CASEBUS_ACCOUNTS_URL", help="the accounts' database"),
]
Kafka = Annotated[bool, typer.Option("--from-kafka", help="read bus.admission instead of the accounts")]
ScopeName = Annotated[
    str,
    typer.Option(
        "--scope", "-s", help="securities, securities-futures, any, articles (182,180(1)) or securities:182"
    ),
]
CohortBy = Annotated[
    str | None,
    typer.Option(help="place units by this measure's event, such as cases_referred, instead of their own"),
]
KnownAt = Annotated[
    str | None, typer.Option(help="only events that the bus had admitted by this time, with offset")
]
Mark = Annotated[str | None, typer.Option(help="why figures are compared that are not alike")]
Lineage = Annotated[bool, typer.Option("--lineage", help="list the events that it was computed from")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command(_DEFAULT)
def figures(
    files: Files = None,
    measure: Annotated[str, typer.Option("--measure", "-m", help="what to count")] = "persons_prosecuted",
    period: Annotated[
        list[str] | None,
        typer.Option("--period", "-p", help="2021, 2021H1, 2021-01..2022-06 (repeatable); else all that fit"),
    ] = None,
    scope: ScopeName = "securities",
    cohort_by: CohortBy = None,
    known_at: KnownAt = None,
    since: Annotated[
        str | None, typer.Option(help="also what was known at this time, and what changed it since")
    ] = None,
    lineage: Lineage = False,
    connection: Connection = None,
    database_url: DatabaseUrl = None,
    from_kafka: Kafka = False,
    as_json: Json = False,
) -> None:
    """Counts by period, each with scope, unit, cohort, version; growth where the year before is there too.

    Without --period: every half-year that holds something, the years that they fill, and all of it.
    """
    from casebus_schemas.statistics.figures import figure
    from casebus_schemas.statistics.measures import find_measure
    from casebus_schemas.statistics.periods import Period, usual_periods
    from casebus_schemas.statistics.ratios import Ratio, growth
    from casebus_schemas.statistics.restatements import restate
    from casebus_schemas.statistics.tally import Tally

    from . import screen

    counted, by = find_measure(measure), find_measure(cohort_by) if cohort_by else None
    chosen, versions = _scope(scope), _versions()
    events = _events(files, connection, database_url, from_kafka)
    tally = Tally(events, _moment(known_at))
    before = Tally(events, _moment(since)) if since else None
    periods = [Period.parse(text) for text in period or ()]
    if not periods:
        items = tally.items(by or counted)
        periods = usual_periods([i.on for i in items if i.counts and (by or chosen.holds(i.charges))])
    found = [figure(tally, counted, each, chosen, versions, cohort_by=by) for each in periods]
    of_period = {each.cohort.period: each for each in found}
    changes: dict[Period, Ratio] = {}
    for each in found:
        base = of_period.get(each.cohort.period.year_before())
        if base is not None and base.value:
            changes[each.cohort.period] = growth(each, base)
    restated = {
        each.cohort.period: restate(
            figure(before, counted, each.cohort.period, chosen, versions, cohort_by=by), each
        )
        for each in found
        if before is not None
    }
    if as_json:
        bodies = []
        for each in found:
            body = each.to_json(lineage=lineage)
            change = changes.get(each.cohort.period)
            body["growth"] = change and {
                "percent": str(change.percent),
                "base": change.below.value,
                "base_period": change.below.cohort.period.text,
                "base_version": change.below.version,
            }
            if each.cohort.period in restated:
                body["restatement"] = restated[each.cohort.period].to_json()
            bodies.append(body)
        say_json(bodies)
        return
    for each in found:
        _print(screen.figure_lines(each, changes.get(each.cohort.period), lineage=lineage))
        if each.cohort.period in restated:
            _print(screen.restatement_lines(restated[each.cohort.period]))
    _print(screen.note_lines(found) if found else ["无 nothing to count"])


@app.command("growth")
def growth_command(
    period: Annotated[str, typer.Argument(help="such as 2022H1")],
    files: Files = None,
    base: Annotated[
        str | None, typer.Option(help="base period; else the same days of the year before")
    ] = None,
    measure: Annotated[str, typer.Option("--measure", "-m", help="what to count")] = "persons_prosecuted",
    scope: ScopeName = "securities",
    known_at: KnownAt = None,
    mark: Mark = None,
    lineage: Lineage = False,
    connection: Connection = None,
    database_url: DatabaseUrl = None,
    from_kafka: Kafka = False,
    as_json: Json = False,
) -> None:
    """The change against the year before, with its base. Exit 1 with the reasons if it is refused."""
    from casebus_schemas.statistics.periods import Period
    from casebus_schemas.statistics.ratios import growth

    from . import screen

    newer = Period.parse(period)
    older = Period.parse(base) if base else newer.year_before()
    tally = _tally(files, connection, database_url, from_kafka, known_at)
    above, below = (_figure(tally, measure, each, scope) for each in (newer, older))
    found = growth(above, below, mark)
    if as_json:
        say_json(found.to_json(lineage=lineage))
    else:
        _print(screen.ratio_lines(found, lineage=lineage))


@app.command("ratio")
def ratio_command(
    part: Annotated[str, typer.Argument(help="MEASURE@PERIOD[@SCOPE], such as cases_prosecuted@2021")],
    whole: Annotated[str, typer.Argument(help="the same of the whole")],
    files: Files = None,
    cohort_by: CohortBy = None,
    known_at: KnownAt = None,
    mark: Mark = None,
    lineage: Lineage = False,
    connection: Connection = None,
    database_url: DatabaseUrl = None,
    from_kafka: Kafka = False,
    as_json: Json = False,
) -> None:
    """The share of one figure in another. Exit 1 with the reasons if they are not to be divided.

    Two different events place two measures in time, so their share says nothing unless both are counted in
    one cohort: `--cohort-by cases_referred` follows what was referred in the period to its end.
    """
    from casebus_schemas.statistics.ratios import ratio

    from . import screen

    tally = _tally(files, connection, database_url, from_kafka, known_at)
    above, below = (_named(tally, text, cohort_by) for text in (part, whole))
    found = ratio(above, below, mark)
    if as_json:
        say_json(found.to_json(lineage=lineage))
    else:
        _print(screen.ratio_lines(found, lineage=lineage))


@app.command("check")
def check(
    files: Files = None,
    connection: Connection = None,
    database_url: DatabaseUrl = None,
    from_kafka: Kafka = False,
    as_json: Json = False,
) -> None:
    """Every published or restated figure beside the recomputed one; exit 1 if one differs."""
    from casebus_schemas.statistics.comparison import compare_published

    from . import screen

    events = _events(files, connection, database_url, from_kafka)
    published = compare_published(events, _versions())
    if as_json:
        body = {
            "ok": not published.findings,
            "figures": [each.to_json() for each in published.comparisons],
            "findings": [finding.to_json() for finding in published.findings],
        }
        say_json(body)
    else:
        _print(screen.published_lines(published))
        if not published.comparisons:
            say("无已发布的统计数据 no published figures")
    raise typer.Exit(1 if published.findings else 0)


def _events(
    files: list[Path] | None, connection: Path | None, url: str | None, kafka: bool
) -> list["ChainEvent"]:
    from casebus_producers.config import KafkaLogin, read_connection
    from casebus_producers.connecting import quiet_kafka
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.catalogue.topology import AUDITOR

    from .sources import from_accounts, from_files, from_kafka

    catalog = Catalog.load()
    if files:
        return from_files(files, catalog)
    known = read_connection(connection) if kafka or not url else None
    if kafka:
        quiet_kafka()
        return from_kafka(KafkaLogin.read(AUDITOR, known), catalog)
    url = url or (known.databases.get("accounts") if known else None)
    if url is None:
        raise UsageError(
            "which events?", expected="FILE…, --connection FILE, CASEBUS_CONNECTION or --database-url"
        )
    return from_accounts(url, catalog)


def _tally(
    files: list[Path] | None, connection: Path | None, url: str | None, kafka: bool, known_at: str | None
) -> "Tally":
    from casebus_schemas.statistics.tally import Tally

    return Tally(_events(files, connection, url, kafka), _moment(known_at))


def _figure(tally: "Tally", measure: str, period: Any, scope: str, cohort_by: str | None = None) -> "Figure":
    from casebus_schemas.statistics.figures import figure
    from casebus_schemas.statistics.measures import find_measure

    by = find_measure(cohort_by) if cohort_by else None
    return figure(tally, find_measure(measure), period, _scope(scope), _versions(), cohort_by=by)


def _named(tally: "Tally", text: str, cohort_by: str | None) -> "Figure":
    from casebus_schemas.statistics.periods import Period

    measure, *rest = text.split("@")
    if len(rest) not in (1, 2):
        raise UsageError("not a figure", found=repr(text), expected="MEASURE@PERIOD or MEASURE@PERIOD@SCOPE")
    scope = rest[1] if len(rest) == 2 else "securities"
    return _figure(tally, measure, Period.parse(rest[0]), scope, cohort_by)


def _scope(text: str) -> "Scope":
    from casebus_schemas.statistics.scopes import find_scope

    return find_scope(text)


def _versions() -> "Versions":
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_schemas.statistics.figures import Versions
    from casebus_schemas.statistics.scopes import law_version

    return Versions(Catalog.load().version, law_version())


def _moment(text: str | None) -> datetime | None:
    """What is counted until then: a day alone means all of it, to its last millisecond."""
    return None if text is None else last_instant(text)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
