"""How far what the bus itself said was taken up from Kafka, so that a lost database says nothing twice."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Of each partition of bus.finding and bus.obligation the next offset."""
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"""CREATE TABLE recon_taken_up (
            topic TEXT NOT NULL,
            partition INTEGER NOT NULL,
            next_offset {big} NOT NULL,
            PRIMARY KEY (topic, partition)
        )"""
    )
