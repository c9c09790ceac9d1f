"""What was found of published figures is stored, and up to where the events were looked at for it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A row an admission partition; where figures are published is found without reading all events."""
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"""CREATE TABLE recon_published (
            bus_partition INTEGER PRIMARY KEY,
            next_offset {big} NOT NULL
        )"""
    )
    op.execute(
        "CREATE INDEX recon_event_published ON recon_event (chain) "
        "WHERE type IN ('publication.statistic_published', 'publication.statistic_restated')"
    )
