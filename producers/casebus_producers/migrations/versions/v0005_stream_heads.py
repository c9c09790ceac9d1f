"""The last statement of where the streams end is found without looking through the outbox."""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """An index of these statements alone."""
    where = text("type = 'statement.stream_head'")
    op.create_index("outbox_stream_head", "outbox", ["position"], sqlite_where=where)
