"""Stored findings: read from their rows, those that cannot be read named, and as an agency may see them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from casebus_schemas.rules.finding import Finding
from casebus_schemas.rules.sight import hearers, home, seen_by
from casebus_schemas.rules.wording import MOST_NAMED
from casebus_services.reconciler.reading import Rows
from casebus_services.reconciler.rows import OF_CHAIN, found_before

from .unshowable import not_readable


class FindingRow(NamedTuple):
    """A stored finding, whose `body` may be unreadable."""

    id: str
    chain: str
    rule: str
    opened_ms: int
    body: str


_COLUMNS = ", ".join(FindingRow._fields)


def entered(transaction: Rows, chain: str | None, rule: str | None = None) -> list[FindingRow]:
    """What was found in a chain by itself; all that was found where no chain is named."""
    where, parameters = equal(chain=chain, rule=rule)
    if chain is not None:
        where.append("link_kind IS NULL")
    rows = select(transaction, _COLUMNS, "recon_finding", where, parameters, "opened_ms, id")
    return [FindingRow(*row) for row in rows]


def across(transaction: Rows, chain: str, rule: str | None = None) -> list[FindingRow]:
    """What was found across chains, a chain among them, and of figures that are published in it."""
    found = f"SELECT {_COLUMNS} FROM recon_finding f WHERE link_kind IS NOT NULL{OF_CHAIN}"
    rows = transaction.rows(f"{found} ORDER BY opened_ms, id", (chain,) * 3)
    return [row for row in (FindingRow(*row) for row in rows) if rule in (None, row.rule)]


def read(rows: Iterable[FindingRow], agency: str | None) -> tuple[list[Finding], list[dict[str, Any]]]:
    """The findings of rows, and what stands for those that cannot be read."""
    found, unread = [], []
    for row in rows:
        try:
            found.append(found_before((row.body,)))
        except Exception as error:  # noqa: BLE001 - a row that cannot be read is named, the rest is shown
            unread.append(not_readable(row.id, row.chain, row.rule, error, agency))
    return found, unread


def shows(found: Finding, known: set[str]) -> bool:
    """Whether a finding shows an event that is known; one that shows as many as it can may leave it out."""
    if len(found.accounts) >= MOST_NAMED:
        return True
    return any(account.event and account.event.hex() in known for account in found.accounts)


def as_seen_by(agency: str | None, findings: Iterable[Finding]) -> list[Finding]:
    """The findings that concern an agency, as it may see them; all of them for whoever runs the bus."""
    if agency is None:
        return list(findings)
    concerning = (found for found in findings if agency in map(home, hearers(found)))
    return [view for found in concerning if (view := seen_by(agency, found)) is not None]


def equal(**equal: str | None) -> tuple[list[str], list[Any]]:
    """The conditions that columns equal what is given, and their parameters."""
    given = {name: value for name, value in equal.items() if value is not None}
    return [f"{name} = ?" for name in given], list(given.values())


def select(
    transaction: Rows, columns: str, table: str, where: list[str], parameters: list[Any], order: str
) -> list[Any]:
    """The rows of a table that fulfil every condition."""
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return transaction.rows(f"SELECT {columns} FROM {table}{condition} ORDER BY {order}", parameters)
