"""Databases that older programs made, from their SQL text."""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, inspect, text

FOLDER = Path(__file__).resolve().parents[2] / "data" / "databases-99a179f"

Rows = list[tuple[Any, ...]]


def restore(kind: str, url: str) -> None:
    """Fills an empty database with the `kind` of 99a179f: ledger, accounts or outbox."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript((FOLDER / f"{kind}.sqlite.sql").read_text())
        connection.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute((FOLDER / f"{kind}.postgresql.sql").read_bytes())


def shape(engine: Engine) -> dict[str, Any]:
    """Tables with columns, keys and indexes."""
    found = inspect(engine)
    return {
        table: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in columns),
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((str(index["name"]), tuple(index["column_names"])) for index in found.get_indexes(table)),
            sorted(tuple(unique["column_names"]) for unique in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
        if (columns := found.get_columns(table))
    }


def rows(engine: Engine, columns: dict[str, list[str]]) -> dict[str, Rows]:
    """All rows of the tables, with these columns, in order of what they hold."""
    with engine.connect() as connection:
        return {
            table: sorted(
                map(tuple, connection.execute(text(f"SELECT {', '.join(names)} FROM {table}"))), key=repr
            )
            for table, names in columns.items()
        }


def columns(engine: Engine, tables: tuple[str, ...]) -> dict[str, list[str]]:
    """The names of the columns that the tables have now, quoted."""
    found = inspect(engine)
    return {table: [f'"{column["name"]}"' for column in found.get_columns(table)] for table in tables}
