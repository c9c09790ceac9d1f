"""Chains whose accounts an earlier revision emptied are named, so that they are computed again at once."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """A row a chain that has events and no accounts; a later revision that empties accounts adds its own."""
    op.execute("CREATE TABLE recon_emptied (chain TEXT PRIMARY KEY, bus_partition INTEGER NOT NULL)")
    op.execute(
        "INSERT INTO recon_emptied SELECT chain, min(bus_partition) FROM recon_event "
        "WHERE chain NOT IN (SELECT chain FROM recon_chain) "
        "AND chain NOT IN (SELECT chain FROM recon_set_aside) GROUP BY chain"
    )
