"""Chains that the program cannot compute are set aside with the reason."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Since when, why, which program; `ordered` is the last order of the operator that was carried out."""
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"""CREATE TABLE recon_set_aside (
            chain TEXT PRIMARY KEY,
            bus_partition INTEGER NOT NULL,
            since_ms {big} NOT NULL,
            reason TEXT NOT NULL,
            program TEXT NOT NULL,
            ordered {big} NOT NULL
        )"""
    )
