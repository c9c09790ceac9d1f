"""In which epoch of the ledger the agency's own entries were sealed."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """A table of epochs, by the entry's log and index."""
    op.create_table(
        "sealed",
        Column("log", Text, primary_key=True),
        Column("idx", BigInteger, primary_key=True),
        Column("epoch", BigInteger, nullable=False),
        Column("sealed_at_ms", BigInteger, nullable=False),
        Column("root", LargeBinary, nullable=False),
        Column("receipt", BigInteger, nullable=False, index=True),  # number of the ledger's receipt on it
    )
