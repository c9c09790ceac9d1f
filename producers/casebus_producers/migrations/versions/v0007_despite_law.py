"""What was said although the law leaves no room for it, and for what reason."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """A table of reasons, by the event's id and the rule that forbids it."""
    op.create_table(
        "said_despite_law",
        Column("id", Text, primary_key=True),
        Column("rule", Text, primary_key=True),
        Column("law", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at_ms", BigInteger, nullable=False, index=True),
    )
