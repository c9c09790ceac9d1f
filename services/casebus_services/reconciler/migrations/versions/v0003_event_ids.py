"""Events are found by their id."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """One id of an agency in several chains is looked for by id."""
    op.execute("CREATE INDEX recon_event_id ON recon_event (event_id)")
