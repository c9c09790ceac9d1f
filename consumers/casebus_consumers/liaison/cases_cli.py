"""`casebus case`, `obligations`, `findings`, `check` and `rebuild`: what the accounts say."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from casebus_producers.screen import say, say_json
from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_day, read_end

if TYPE_CHECKING:
    from casebus_consumers.accounts_reader import AccountsReader
    from casebus_consumers.case_names import CaseNames
    from casebus_consumers.case_reader import CaseReader
    from casebus_schemas.case.as_of import AsOf

app = typer.Typer()

ConnectionFile = Annotated[
    Path | None,
    typer.Option("--connection", "-c", envvar="CASEBUS_CONNECTION", help="connection.json of the bus"),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", envvar="CASEBUS_ACCOUNTS_URL", help="the accounts' database"),
]
Now = Annotated[str | None, typer.Option(help="look at the clocks at this time instead of the bus's")]
Agency = Annotated[str | None, typer.Option("--agency", "-a", help="only what concerns this agency")]
Chain = Annotated[
    str | None, typer.Option(help="only this case: its number, a name, or the beginning of its chain id")
]
All = Annotated[bool, typer.Option("--all", help="also what is over")]
States = Annotated[list[str] | None, typer.Option("--state", help="only this state (repeatable)")]
AsOfTime = Annotated[str | None, typer.Option(help="facts until this time only")]
KnownBy = Annotated[str | None, typer.Option(help="only what this agency had")]
KnownAt = Annotated[str | None, typer.Option(help="only what was known at this time")]
LevelOfProof = Annotated[str, typer.Option(help="how it had it: available, fetched or receipted")]
LawOf = Annotated[str | None, typer.Option(help="under the law of this day")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output")]


@app.command("case")
def case(
    chain: Annotated[
        str | None,
        typer.Argument(
            help="case number, name of a suspect or security, beginning of the chain id; else all"
        ),
    ] = None,
    as_of: AsOfTime = None,
    agency: Annotated[
        str | None, typer.Option("--agency", "-a", help="only what this agency may see; as --known-by")
    ] = None,
    known_by: KnownBy = None,
    known_at: KnownAt = None,
    level: LevelOfProof = "available",
    law_of: LawOf = None,
    why: Annotated[bool, typer.Option("--why", help="why each event stands where it stands")] = False,
    now: Now = None,
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """A case: accounts side by side, state by suspect and charge, clocks, findings, events."""
    from casebus_consumers.case_documents import document_lines
    from casebus_consumers.case_lookup import chain_meant

    from .case_annexes import documents_here
    from .case_screen import case_lines
    from .case_sealed import sealed_case_lines

    asked = asked_for(as_of, known_by or agency, known_at, level, law_of)
    knows = asked.known_by
    with open_cases(connection, database_url, now, agency=agency) as (reader, moment):
        if chain is None:
            chains = reader.chains(knows)
            called = names_of_chains(reader, (entry["chain"] for entry in chains), knows)
            for entry in chains:
                entry["names"] = called[entry["chain"]].to_json()
            each = (_chain_line(entry, called[entry["chain"]].line(entry["chain"])) for entry in chains)
            show_answer(chains, as_json, lambda: each, nothing="没有案件 no cases")
            return
        meant = chain_meant(reader, chain, knows)
        found = reader.case(meant, moment, asked=asked, why=why)
        sealed = _sealed(reader, meant, found, connection, agency)
        documents = documents_here(reader, meant, found, connection, agency)

    def lines() -> Iterator[str]:
        yield from case_lines(found, why=why)
        yield from document_lines(documents)
        yield from sealed_case_lines(sealed)

    show_answer(found, as_json, lines)


@app.command("obligations")
def obligations(
    agency: Agency = None,
    chain: Chain = None,
    state: States = None,
    due_before: Annotated[str | None, typer.Option(help="first reading ends before this day or time")] = None,
    every: All = False,
    why: Annotated[bool, typer.Option("--why", help="with every reading of each term")] = False,
    now: Now = None,
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """What is due, a line each, the earliest first; on a screen only what still has to be done."""
    from casebus_consumers.case_lookup import chain_meant

    from .case_screen import RUNNING, obligation_lines
    from .known_values import known_agency, known_duty_states

    states, of = known_duty_states(state), known_agency(agency)
    with open_cases(connection, database_url, now, agency=of) as (reader, moment):
        before = None if due_before is None else read_end(due_before)
        meant = None if chain is None else chain_meant(reader, chain, of)
        found = reader.obligations(moment, agency=of, chain=meant, states=states, due_before=before)
        shown = [duty for duty in found if every or states or duty["state"] in (*RUNNING, None)]
        called = {} if as_json else names_of_chains(reader, (duty["chain"] for duty in shown), of)

    def lines() -> Iterator[str]:
        for duty in shown:
            yield from obligation_lines(duty, moment, case=_case(duty, called), why=why)
        yield from _left_out(len(found) - len(shown), "项已履行或已终止", "met or over")

    show_answer(found, as_json, lines, nothing="没有到期事项 nothing is due")


@app.command("findings")
def findings(
    agency: Agency = None,
    chain: Chain = None,
    state: States = None,
    rule: Annotated[str | None, typer.Option(help="only this rule, such as R30")] = None,
    every: All = False,
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Where accounts disagree or something is missing; on a screen only what is not closed."""
    from casebus_consumers.case_lookup import chain_meant

    from .case_screen import finding_lines
    from .known_values import known_agency, known_finding_states, known_rule

    states, of, number = known_finding_states(state), known_agency(agency), known_rule(rule)
    with open_cases(connection, database_url, None, agency=of, ask_time=False) as (reader, _):
        meant = None if chain is None else chain_meant(reader, chain, of)
        found = reader.findings(agency=of, chain=meant, states=states, rule=number)
        shown = [one for one in found if every or states or one["state"] != "closed"]
        called = {} if as_json else names_of_chains(reader, (one["chain"] for one in shown), of)

    def lines() -> Iterator[str]:
        for one in shown:
            yield from finding_lines(one, case=_case(one, called))
        yield from _left_out(len(found) - len(shown), "项已关闭", "closed")

    show_answer(found, as_json, lines, nothing="没有发现 no findings")


@app.command("check")
def check_files(
    files: Annotated[list[Path], typer.Argument(help="CloudEvents JSON lines; - is the standard input")],
    now: Annotated[
        str | None, typer.Option(help="look at the clocks at this time, else the wall clock")
    ] = None,
    holidays: Annotated[
        list[Path] | None, typer.Option(help="count by the notice on holidays in this file too (repeatable)")
    ] = None,
    as_json: Json = False,
) -> None:
    """Without any server: refusals, advice, folded cases, obligations and findings of these events.

    Exit 1 if one of them would be refused, or is against a law that leaves no room.
    """
    from casebus_consumers.event_texts import in_words
    from casebus_producers.checking.check import check
    from casebus_producers.checking.notice_files import calendar_with
    from casebus_producers.outbox.event_files import read_events

    from .bus_time import bus_now
    from .case_screen import article_text, case_lines
    from .notice_view import refusal_text

    moment = bus_now(None) if now is None else read_end(now)
    given = [event for file in files for _, event in read_events(file)]
    answer = check(given, moment, calendar=calendar_with(holidays or ()))
    for one in answer.cases:
        one["events"] = in_words(answer.chains[one["chain"]], one["events"])

    def lines() -> Iterator[str]:
        for refused in answer.refused:
            why = refusal_text(refused["code"], refused["detail"])
            yield f"拒绝 refused  #{refused['index'] + 1}  {why}"
        for one in answer.forbidden:
            yield f"禁止 forbidden  #{one['index'] + 1}  {one['rule']}  {one['zh']} / {one['detail']}"
            yield from (f"    {article_text(each)}" for each in one["law"])
        for advice in answer.advice:
            place = f"#{advice['index'] + 1}  {advice['pointer']}"
            yield f"提示 advice   {place}  {advice['zh']} / {advice['detail']}"
        for one in answer.cases:
            yield from case_lines(one)
            if one["provisional"]:
                yield "案件链标识为本次检查暂用 provisional chain id, the agency mints its own"
            yield ""

    show_answer(answer.to_json(), as_json, lines)
    raise typer.Exit(0 if answer.ok else 1)


@app.command("rebuild")
def rebuild_accounts(
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Accounts, findings and obligations anew from the stored admissions, compared with the grown ones.

    Writes and emits nothing; exit 1 naming each row that is not as it should be, or saying how far the
    accounts are while they still catch up with Kafka (asked where connection.json is at hand). It verifies
    no signature: its rows hold none, the reconciler has checked them as they came; `casebus ledger verify`
    reads them all.
    """
    from casebus_producers.config import read_connection
    from casebus_schemas.catalogue.catalog import Catalog
    from casebus_services.reconciler.accounts_database import Database
    from casebus_services.reconciler.rebuild import rebuild

    from .taken_in import taken_in

    database = Database(_url(connection, database_url), read_only=True)
    known = None if database_url else read_connection(connection)
    try:
        so_far = None if known is None else taken_in(known, database)
        rebuilt = rebuild(database, Catalog.load())
    finally:
        database.close()

    behind = 0 if so_far is None else so_far.behind

    def lines() -> Iterator[str]:
        equal = "equal" if behind == 0 else "equal so far"
        yield f"{rebuilt.chains} chains, {rebuilt.events} events: " + (equal if rebuilt.ok else "DIFFERENT")
        if so_far is not None and behind:
            came = f"{so_far.taken:,} of {so_far.there:,} admissions"
            yield f"核对尚在追赶 the accounts still catch up: {came} are taken in; ask again later"
        yield from (f"  {difference}" for difference in rebuilt.differences)
        yield from (f"  {held}" for held in rebuilt.set_aside)

    body = {
        "ok": rebuilt.ok and behind == 0,
        "behind": None if so_far is None else behind,
        "chains": rebuilt.chains,
        "events": rebuilt.events,
        "differences": list(rebuilt.differences),
        "set_aside": list(rebuilt.set_aside),
    }
    show_answer(body, as_json, lines)
    raise typer.Exit(0 if rebuilt.ok and behind == 0 else 1)


def asked_for(
    as_of: str | None, known_by: str | None, known_at: str | None, level: str, law_of: str | None
) -> "AsOf":
    """What the options of a view ask. Raises UsageError for what is no time, agency or level."""
    from casebus_schemas.case.as_of import AsOf, Level

    from .known_values import known_agency, known_level

    return AsOf(
        until=None if as_of is None else read_end(as_of),
        known_by=known_agency(known_by),
        known_at=None if known_at is None else read_end(known_at),
        level=cast(Level, known_level(level)),
        law_of=None if law_of is None else read_day(law_of),
    )


@contextmanager
def open_cases(
    connection: Path | None, url: str | None, now: str | None, *, agency: str | None, ask_time: bool = True
) -> Iterator[tuple["CaseReader", datetime]]:
    """The bus's accounts where they are given, else the agency's own view; and the time to look at."""
    from casebus_producers.config import read_connection

    known = None if url else read_connection(connection)
    if agency is None or known is None or known.databases.get("accounts"):
        with open_accounts(connection, url, now, ask_time=ask_time) as opened:
            yield opened
        return
    from casebus_consumers.own.opening import own_view

    with own_view(agency, known) as view:
        yield view, read_end(now) if now else view.now(simulated=known.simulated_clock)


@contextmanager
def open_accounts(
    connection: Path | None, url: str | None, now: str | None, *, ask_time: bool = True
) -> Iterator[tuple["AccountsReader", datetime]]:
    from casebus_consumers.accounts_reader import AccountsReader
    from casebus_producers.config import read_connection

    from .bus_time import bus_now

    known = read_connection(connection) if url is None or ask_time else None
    reader = AccountsReader(_url(connection, url))
    try:
        yield reader, read_end(now) if now else bus_now(known if ask_time else None)
    finally:
        reader.close()


def _url(connection: Path | None, given: str | None) -> str:
    from casebus_producers.config import read_connection

    known = None if given else read_connection(connection)
    url = given or (known.databases.get("accounts") if known else None)
    if url is None:
        raise UsageError(
            "which accounts?", expected="--connection FILE, CASEBUS_CONNECTION or --database-url"
        )
    return url


def names_of_chains(
    reader: "CaseReader", chains: Iterable[str | None], agency: str | None
) -> dict[str, "CaseNames"]:
    """How each of some chains is called, to an agency or to whoever runs the bus."""
    from casebus_consumers.case_names import CaseNames, names_of

    def called(chain: str) -> CaseNames:
        try:
            return names_of(reader.events(chain), agency)
        except Exception:  # noqa: BLE001 - a case whose names cannot be read is called by its id
            return CaseNames()

    return {chain: called(chain) for chain in set(chains) if chain is not None}


def _sealed(
    reader: "CaseReader", chain: str, case: dict[str, Any], connection: Path | None, agency: str | None
) -> list[dict[str, Any]]:
    """What is sealed in the events of a case, put into it as `sealed`: opened with the agency's own keys."""
    from casebus_schemas.catalogue.catalog import Catalog

    from .case_sealed import opener_of, sealed_in

    try:
        events = reader.events(chain)
    except Exception:  # noqa: BLE001 - of a case that cannot be computed what was computed last is shown
        return []
    if all(event.data.get("sealed") is None for event in events):
        return []
    catalog = Catalog.load()
    found = sealed_in(events, case["events"], opener_of(connection, agency, catalog), catalog)
    if found:
        case["sealed"] = found
    return found


def _case(entry: dict[str, Any], called: dict[str, "CaseNames"]) -> str:
    """How the case of an entry is called; nothing for one of which that is not told."""
    chain = entry["chain"]
    return "" if chain is None else f"〔{called[chain].line(chain)}〕"


def _left_out(number: int, zh: str, en: str) -> Iterator[str]:
    if number:
        yield f"另有 {number} {zh} {number} more {en}: --all"


def _chain_line(entry: dict[str, Any], called: str) -> str:
    from .case_screen import status

    held = "  [暂停计算 set aside]" if entry["set_aside"] else ""
    return f"{entry['chain']}  {entry['events']:>4} 事件 events  {status(entry['status'])}{held}  {called}"


def show_answer(body: Any, as_json: bool, lines: Callable[[], Iterable[str]], *, nothing: str = "") -> None:
    if as_json:
        say_json(body)
        return
    silent = True
    for line in lines():
        silent = False
        say(line)
    if silent and nothing:
        say(nothing)
