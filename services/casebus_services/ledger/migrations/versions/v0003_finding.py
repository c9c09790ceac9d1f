"""Where the entries of a chain, and those of an event's id, stand: proofs and bundles look them up."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """An index for each; entries that have neither key nor id take no room in them."""
    op.execute("CREATE INDEX entry_of_chain ON entry (key) WHERE key IS NOT NULL")
    op.execute("CREATE INDEX entry_of_event ON entry (event_id) WHERE event_id IS NOT NULL")
