"""What the agency said of a case is found without reading all that it ever said."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """An index of the outbox by chain."""
    op.execute("CREATE INDEX outbox_chain ON outbox (aggregateid)")
