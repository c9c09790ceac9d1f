"""What the ledger's tables are: made and changed by the revisions in `migrations`, for SQLite and PostgreSQL.

Everything is insert-only but `payload`, from which a retention order may delete, and the receipts' cursor.
A log of kind 'partition' holds a Kafka partition's records, the one of kind 'head' the sealer's epochs.
Triggers hold that against accidents, the Merkle tree against the database's owner.
"""

from pathlib import Path

from casebus_services.migrating import Revisions

SQLITE = "sqlite"
POSTGRES = "postgresql"

REVISIONS = Revisions(
    of="ledger's",
    folder=Path(__file__).parent / "migrations",
    version_table="ledger_revision",
    head="0003",
    numbered="ledger_schema",
)
