"""Events that were signed again: under which digests they had been signed before."""

from alembic import op
from sqlalchemy import Column, LargeBinary, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A table of earlier digests, by the event's id."""
    op.create_table(
        "signed_before",
        Column("digest", LargeBinary, primary_key=True),
        Column("id", Text, nullable=False),
    )
