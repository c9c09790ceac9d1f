"""Notices on holidays that the operator has entered are stored, with the time from which they count here."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """A row an order, by its digest."""
    is_postgres = op.get_bind().dialect.name == "postgresql"
    big, blob = ("BIGINT", "BYTEA") if is_postgres else ("INTEGER", "BLOB")
    op.execute(
        f"""CREATE TABLE recon_notice (
            digest {blob} PRIMARY KEY,
            from_ms {big} NOT NULL,
            body TEXT NOT NULL
        )"""
    )
