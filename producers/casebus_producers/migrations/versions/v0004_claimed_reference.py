"""What others say of somebody's case references stands apart from what he says of his own."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """A table of references that were named by others than who gives such numbers."""
    op.create_table(
        "claimed_reference",
        Column("issuer", Text, primary_key=True),
        Column("scheme", Text, primary_key=True),
        Column("value", Text, primary_key=True),
        Column("chain", Text, nullable=False),
    )
