"""Each admission keeps who receives it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """`agency:role` of each recipient, with commas between; null of admissions taken before."""
    op.execute("ALTER TABLE recon_admission ADD COLUMN recipients TEXT")
