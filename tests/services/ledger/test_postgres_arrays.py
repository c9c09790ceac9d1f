"""Arrays in PostgreSQL's binary form, read back by the server."""

from typing import Any

import psycopg
import pytest

from casebus_services.ledger.postgres_arrays import (
    BinaryArray,
    BinaryArrayDumper,
    bytea_array,
    digest_array,
    int4_array,
    int8_array,
    text_array,
)

pytestmark = pytest.mark.postgres

CASES: dict[str, tuple[BinaryArray, str, list[Any]]] = {
    "bytea": (bytea_array([b"", b"x" * 3000, None, b"\0\xff"]), "bytea", [b"", b"x" * 3000, None, b"\0\xff"]),
    "no bytea": (bytea_array([]), "bytea", []),
    "digests": (digest_array([bytes(32), b"\1" * 32]), "bytea", [bytes(32), b"\1" * 32]),
    "no digests": (digest_array([]), "bytea", []),
    "bigint": (int8_array((0, -1, 2**63 - 1)), "bigint", [0, -1, 2**63 - 1]),
    "int": (int4_array((7, -(2**31))), "int", [7, -(2**31)]),
    "text": (text_array(("ledger-1", "", "账")), "text", ["ledger-1", "", "账"]),
    "no text": (text_array(()), "text", []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_array(case: tuple[BinaryArray, str, list[Any]], postgres_url: str) -> None:
    """PostgreSQL reads back the values that were put in, nulls and empty arrays included."""
    array, kind, values = case
    with psycopg.connect(postgres_url.replace("postgresql+psycopg:", "postgresql:")) as connection:
        connection.adapters.register_dumper(BinaryArray, BinaryArrayDumper)
        found = connection.execute(f"SELECT v FROM unnest(%b::{kind}[]) AS v", (array,)).fetchall()
    assert [row[0] for row in found] == values
