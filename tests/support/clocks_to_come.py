"""Clocks that are to come: their files, a chain of events for each, and its terms as counted by hand."""

from datetime import datetime
from pathlib import Path

from casebus_schemas.case.chain import ChainEvent
from support.chains import say
from support.clock_tables import table_of

FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "law" / "clocks_to_come"
TABLE = table_of({file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.yaml")})
Row = tuple[str, datetime, datetime, datetime, str]
"""Who owes, from when, due at the earliest and at the latest, and the state at the asked time."""

CASES: dict[str, tuple[list[ChainEvent], str, list[tuple[str, str, str, str, str]]]] = {
    # Two months from 06-08 end on Monday 08-08.
    "DL35": (
        [
            say("i", "recommendation.issued", "2022-06-08T10:00", agency="spp", addressee="某公司"),
            say("r", "recommendation.replied", "2022-08-08T10:00", agency="spp", replies="i"),
        ],
        "2022-09-01",
        [("某公司", "2022-06-08T10:00", "2022-08-09", "2022-08-09", "met")],
    ),
}
