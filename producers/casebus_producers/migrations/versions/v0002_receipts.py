"""Receipts of the bus are kept, byte for byte."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A table of receipts."""
    op.create_table(
        "receipt",
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("stage", Text, nullable=False),
        Column("digest", LargeBinary, index=True),
        Column("log", Text),
        Column("idx", BigInteger),
        Column("leaf", LargeBinary),
        Column("size", BigInteger),
        Column("root", LargeBinary),
        Column("key", LargeBinary),
        Column("value", LargeBinary, nullable=False),
        Column("headers", Text, nullable=False),
    )
    op.create_index("receipt_entry", "receipt", ["log", "idx"])
    op.create_index("receipt_size", "receipt", ["log", "size"])
