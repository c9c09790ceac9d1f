"""The first tables of an agency's file: outbox, streams, incarnations, what is known, deliveries."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text, UniqueConstraint, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "outbox",
        Column("position", Integer, primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        # Debezium's outbox columns: an agency may relay the same table with Debezium.
        Column("aggregatetype", Text, nullable=False),
        Column("aggregateid", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        # Ours: the record as it is produced, byte for byte.
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("headers", Text, nullable=False),
        Column("producer", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("content", LargeBinary, nullable=False),  # SHA-256 of what was said, before signing
        Column("queued_at_ms", BigInteger, nullable=False),
        Column("receipts_from", BigInteger),  # offset of the receipts' topic before it was queued
        Column("state", Text, nullable=False, server_default="pending"),
        Column("sent_at_ms", BigInteger),
        Column("offset", BigInteger),
        UniqueConstraint("producer", "topic", "partition", "seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_pending", "outbox", ["position"], sqlite_where=text("state = 'pending'"))
    op.create_table(
        "stream",
        Column("producer", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("seq", BigInteger, nullable=False),
        Column("prev", LargeBinary, nullable=False),
    )
    op.create_table(
        "incarnation",
        Column("number", BigInteger, primary_key=True),
        Column("file", Text, nullable=False),  # inode of this file when it began
    )
    op.create_table(
        "known_event",
        Column("digest", LargeBinary, primary_key=True),
        Column("id", Text, nullable=False, index=True),
        Column("type", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("chain", Text, nullable=False),
        Column("sent", Integer, nullable=False),  # 1 said by us, 0 heard
    )
    op.create_table(
        "known_reference",
        Column("issuer", Text, primary_key=True),
        Column("scheme", Text, primary_key=True),
        Column("value", Text, primary_key=True),
        Column("chain", Text, nullable=False),
    )
    op.create_table(
        "delivery",
        Column("notice", Text, primary_key=True),
        Column("seq", BigInteger, nullable=False, index=True),
        Column("digest", LargeBinary, nullable=False),
        Column("acknowledged_by", Text),  # id of the receipt.delivered that says so
    )
    op.create_table(
        "reading",
        Column("topic", Text, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
    )
