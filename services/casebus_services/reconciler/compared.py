"""How figures and statements are compared, by the passes and by a rebuild: which, and up to where."""

from collections.abc import Iterable

from casebus_schemas.case.chain import ChainEvent
from casebus_schemas.catalogue.catalog import Catalog
from casebus_schemas.rules.finding import Finding
from casebus_schemas.statistics.comparison import compare_stated
from casebus_schemas.statistics.figures import Versions
from casebus_schemas.statistics.in_parts import InParts
from casebus_schemas.statistics.published import stated_figures
from casebus_schemas.statistics.scopes import law_version

from .accounts_database import Transaction

MOST_FIGURES = 1000
"""Of each agency that many figures are held against the events, the last that stand."""
MOST_STATED = 5 * MOST_FIGURES
"""Of each agency that many of its last figures are looked through for them."""


def looked_at(transaction: Transaction) -> dict[int, int]:
    """Up to where, by partition, the findings of published figures rest on the events."""
    return ends_in(transaction, "recon_published")


def stated_until(transaction: Transaction) -> dict[int, int]:
    """Up to where, by partition, the findings of statements of account rest on the events."""
    return ends_in(transaction, "recon_stated")


def ends_in(transaction: Transaction, table: str) -> dict[int, int]:
    """The next offsets by partition of bus.admission that a look keeps in its table."""
    return dict(map(tuple, transaction.rows(f"SELECT bus_partition, next_offset FROM {table}")))


def entered(transaction: Transaction) -> dict[int, int]:
    """How far each partition of bus.admission is entered."""
    rows = transaction.rows("SELECT partition, next_offset FROM recon_partition WHERE partition >= 0")
    return dict(map(tuple, rows))


def versions_of(catalog: Catalog) -> Versions:
    """By what figures are counted."""
    return Versions(catalog.version, law_version())


def compared(chains: Iterable[list[ChainEvent]], catalog: Catalog) -> tuple[Finding, ...]:
    """What is found of the figures that are published in these chains."""
    counts, known = InParts(versions_of(catalog)), list(chains)
    stated = stated_figures((event for chain in known for event in chain), MOST_STATED)
    compare_stated(stated, counts, most=MOST_FIGURES)
    for chain in known:
        counts.take(chain)
    return compare_stated(stated, counts, most=MOST_FIGURES).findings
