"""What was said is known by the id of its event, which follows from what it says and why."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The ids of the events that were said, instead of kind, subject, cause and state."""
    op.execute("DROP TABLE recon_announcement")
    op.execute(f"CREATE TABLE recon_said (event_id {_blob()} PRIMARY KEY)")


def _blob() -> str:
    return "BYTEA" if op.get_bind().dialect.name == "postgresql" else "BLOB"
