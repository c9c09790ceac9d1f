"""`casebus insiders`: who could know of the cases about a security, from what was delivered."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casebus_schemas.errors import UsageError
from casebus_schemas.times import read_end

from .cases_cli import ConnectionFile, DatabaseUrl, Json, names_of_chains, open_accounts, show_answer
from .known_values import one_of

if TYPE_CHECKING:
    from casebus_consumers.case_names import CaseNames

app = typer.Typer()

_CODE_LENGTH = 20


@app.command("insiders")
def insiders(
    security: Annotated[str, typer.Option(help="its code, such as 600518")],
    market: Annotated[str | None, typer.Option(help="only on this market, such as SSE")] = None,
    on: Annotated[str | None, typer.Option(help="who knew by the end of this day or at this time")] = None,
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Who could know of a security's cases, and since when (Securities Law art. 51 (7), (8)).

    Each agency that has events of a case whose events name the security: since when the bus had them ready
    for it, since when it fetched or signed for them, in which units; and whom it names itself as having read
    them, or as being allowed to.
    """
    code, where = _known_code(security), _known_market(market)
    with open_accounts(connection, database_url, None, ask_time=on is None) as (reader, now):
        until = now if on is None else read_end(on)
        found = [one.to_json() for one in reader.insiders(code, until, where)]
        called = {} if as_json else names_of_chains(reader, (one["chain"] for one in found), None)
    show_answer(
        found, as_json, lambda: _lines(found, called), nothing="没有知情机关 nobody could know by then"
    )


def _lines(found: Iterable[dict[str, Any]], called: Mapping[str, "CaseNames"]) -> Iterator[str]:
    from casebus_schemas.texts.symbols import LEVELS, agency, shown

    chain = None
    for one in found:
        if one["chain"] != chain:
            chain = one["chain"]
            yield f"案件链 chain {chain}  〔{called[chain].line(chain)}〕"
        who = agency(one["agency"])
        mark = "" if one["names_security"] else "  未指明证券 security not named"
        since = "  ".join(f"{shown(LEVELS, level)} {at[:16]}" for level, at in one["since"].items())
        units = f"  [{', '.join(one['units'])}]" if one["units"] else ""
        count = len(one["events"])
        yield f"  {who.zh} {who.en}{units}  {one['handling']}  {count}件 events  {since}{mark}"
        yield from map(_reader_line, one["readers"])


def _reader_line(reader: Mapping[str, Any]) -> str:
    from casebus_schemas.case.insiders import GRANTED
    from casebus_schemas.texts.symbols import ACCESS_KINDS, in_both, shown, title

    unit = "" if reader["unit"] is None else f" ({reader['unit']})"
    how = in_both(title(GRANTED)) if reader["how"] == GRANTED else shown(ACCESS_KINDS, reader["how"])
    what = "全案 the whole matter" if reader["event"] is None else f"事件 event {reader['event'][:16]}"
    return f"    {reader['name']}{unit}  {how} {reader['at'][:16]}  {what}"


def _known_code(code: str) -> str:
    if not code.strip() or len(code) > _CODE_LENGTH:
        raise UsageError("not the code of a security", found=repr(code[:40]), expected="such as 600518")
    return code.strip()


def _known_market(market: str | None) -> str | None:
    from casebus_schemas.catalogue.avro_files import shared_file

    known = {symbol.upper(): symbol for symbol in shared_file("Market", 1)["symbols"]}
    return None if market is None else known[one_of("no such market", market.upper(), known)]
