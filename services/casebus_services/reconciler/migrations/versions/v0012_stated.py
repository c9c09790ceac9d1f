"""Up to where statements of account were compared is stored, and they are found by an index."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A row an admission partition."""
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"""CREATE TABLE recon_stated (
            bus_partition INTEGER PRIMARY KEY,
            next_offset {big} NOT NULL
        )"""
    )
    op.execute(
        "CREATE INDEX recon_event_stated_place ON recon_event (bus_partition, bus_offset) "
        "WHERE type = 'statement.account'"
    )
    op.execute(
        "CREATE INDEX recon_event_stated ON recon_event (source, admitted_ms) "
        "WHERE type = 'statement.account'"
    )
