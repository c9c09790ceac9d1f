"""Accounts are made from the events when they are read; duties and findings say things in two fields."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """No accounts in recon_chain; what follows from the events is emptied and written again."""
    op.execute("DELETE FROM recon_obligation")
    op.execute("DELETE FROM recon_finding")
    op.execute("DELETE FROM recon_chain")
    op.execute("ALTER TABLE recon_chain DROP COLUMN accounts")
