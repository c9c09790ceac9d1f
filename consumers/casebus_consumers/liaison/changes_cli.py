"""`casebus changes`: what differs between two views of one case."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casebus_schemas.errors import UsageError
from casebus_schemas.times import beijing_text, read_day, read_end

from .cases_cli import (
    AsOfTime,
    ConnectionFile,
    DatabaseUrl,
    Json,
    KnownAt,
    KnownBy,
    LawOf,
    LevelOfProof,
    Now,
    asked_for,
    open_accounts,
    show_answer,
)
from .known_values import known_agency

if TYPE_CHECKING:
    from casebus_consumers.accounts_reader import AccountsReader
    from casebus_schemas.case.as_of import AsOf

app = typer.Typer()


@app.command("changes")
def changes_of_case(
    chain: Annotated[
        str, typer.Argument(help="case number, name of a suspect or security, beginning of the chain id")
    ],
    was_as_of: Annotated[str | None, typer.Option(help="against the facts until this time")] = None,
    was_known_at: Annotated[str | None, typer.Option(help="against what was known at this time")] = None,
    was_known_by: Annotated[str | None, typer.Option(help="against what this agency had")] = None,
    was_law_of: Annotated[str | None, typer.Option(help="against the law of this day")] = None,
    as_of: AsOfTime = None,
    known_by: KnownBy = None,
    known_at: KnownAt = None,
    level: LevelOfProof = "available",
    law_of: LawOf = None,
    now: Now = None,
    connection: ConnectionFile = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """What differs between two views of a case: two times, two agencies, or the law of two days.

    The options without `was` say what is looked at, as for `casebus case`; those with it say what is
    otherwise in the view that it is held against.
    """
    from casebus_consumers.case_lookup import chain_meant
    from casebus_schemas.rules.view_changes import changes, is_empty

    asked = asked_for(as_of, known_by, known_at, level, law_of)
    against = _against(asked, was_as_of, was_known_at, was_known_by, was_law_of)
    with open_accounts(connection, database_url, now) as (reader, moment):
        meant = chain_meant(reader, chain, None)
        compared = changes(*(_view(reader, meant, moment, one) for one in (against, asked)))
    lines = [] if is_empty(compared) else list(_lines(compared))
    show_answer(
        compared if as_json else lines, as_json, lambda: iter(lines), nothing="没有不同 no difference"
    )


def _view(reader: "AccountsReader", chain: str, now: datetime, asked: "AsOf") -> dict[str, Any]:
    """The case as asked; without anything in it where nothing was known."""
    from casebus_schemas.rules.case_view import NothingKnown
    from casebus_schemas.rules.view_changes import nothing_known

    try:
        return reader.case(chain, now, asked=asked)
    except NothingKnown:
        return dict(nothing_known(chain, beijing_text(asked.at(now)), asked.to_json()))


def _against(
    asked: "AsOf", as_of: str | None, known_at: str | None, known_by: str | None, law_of: str | None
) -> "AsOf":
    if as_of is known_at is known_by is law_of is None:
        raise UsageError(
            "compared with what?",
            expected="--was-as-of, --was-known-at, --was-known-by or --was-law-of",
        )
    other = asked
    if as_of is not None:
        other = replace(other, until=read_end(as_of))
    if known_at is not None:
        other = replace(other, known_at=read_end(known_at))
    if known_by is not None:
        other = replace(other, known_by=known_agency(known_by))
    if law_of is not None:
        other = replace(other, law_of=read_day(law_of))
    return other


def _lines(compared: dict[str, Any]) -> Iterator[str]:
    from casebus_schemas.rules.view_changes import PARTS

    from .case_screen import duty_line, event_line, finding_line, status, sum_line

    def charge_line(entry: dict[str, Any]) -> str:
        return f"{entry['name']}  {entry['article'] or '–'}  {status(entry['status'])}"

    written = dict(zip(PARTS, (event_line, charge_line, sum_line, duty_line, finding_line), strict=True))
    if (state := compared["status"]) is not None:
        yield f"状态 status  {status(state['was'])} → {status(state['now'])}"
    for part in PARTS:
        found, write = compared[part], written[part]
        if any(found.values()):
            yield f"{_PARTS[part]} {part}"
        yield from (f"  + {write(entry)}" for entry in found["added"])
        yield from (f"  - {write(entry)}" for entry in found["gone"])
        for pair in found["changed"]:
            yield f"  ~ {write(pair['was'])}"
            yield f"  → {write(pair['now'])}"


_PARTS = {
    "events": "事件",
    "charges": "罪名",
    "amounts": "金额",
    "obligations": "期限",
    "findings": "核对发现",
}
