"""Entries through COPY, read back by the server."""

import psycopg
import pytest

from casebus_services.ledger.appending import EntryColumns
from casebus_services.ledger.ledger_database import migrate, open_database
from casebus_services.ledger.postgres_copy import COPY_ENTRY, HEADER, TRAILER, entry_rows

pytestmark = pytest.mark.postgres

WHOLE = (1, 0, 5, b"i" * 16, b"key", b"headers", b"v" * 32, b"leaf", b"h" * 32)
LONGER = (1, 1, 2**62, b"i" * 16, b"another key", b"", b"w" * 32, b"leaf of a longer topic", b"g" * 32)
BARE = (2**31 - 1, 2**62, 7, None, None, b"headers", None, b"leaf", b"f" * 32)
NULL_KEY = (1, 3, 8, b"i" * 16, None, b"headers", b"v" * 32, b"leaf", b"e" * 32)


def test_rows_come_back_as_they_went(postgres_url: str) -> None:
    """Rows with and without nulls, of equal and other lengths, are stored field for field."""
    database = open_database(postgres_url)
    migrate(database)
    database.engine.dispose()
    rows = [WHOLE, LONGER, BARE, NULL_KEY]
    columns = EntryColumns(*(list(column) for column in zip(*rows, strict=True)))
    with psycopg.connect(postgres_url.replace("postgresql+psycopg:", "postgresql:")) as connection:
        with connection.cursor() as cursor, cursor.copy(COPY_ENTRY) as copy:
            copy.write(HEADER + entry_rows(columns) + TRAILER)
        found = connection.execute("SELECT * FROM entry ORDER BY koffset").fetchall()
    assert found == sorted(rows, key=lambda row: row[2])
