"""Chains that belong together are kept by what makes them kin: a split, a merger, a security, a party."""

from alembic import op

from casebus_schemas.case.kin import KIN_TYPES
from casebus_services.reconciler.migrations.stored_kin import enter_stored

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """A row a key and chain, entered for the stored events, and one a chain: `changed` counts how often it
    moved, `looked` up to where it was compared, `lineage` says that it is part of a case split or merged."""
    connection = op.get_bind()
    is_postgres = connection.dialect.name == "postgresql"
    big, blob, end = ("BIGINT", "BYTEA", "") if is_postgres else ("INTEGER", "BLOB", " WITHOUT ROWID")
    op.execute(
        f"""CREATE TABLE recon_kin (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            chain TEXT NOT NULL,
            since_ms {big} NOT NULL,
            digest {blob} NOT NULL,
            PRIMARY KEY (kind, key, chain)
        ){end}"""
    )
    op.execute(
        f"""CREATE TABLE recon_kin_chain (
            chain TEXT PRIMARY KEY,
            lineage INTEGER NOT NULL,
            changed {big} NOT NULL,
            looked {big} NOT NULL
        ){end}"""
    )
    op.execute("CREATE INDEX recon_kin_since ON recon_kin (kind, key, since_ms, digest, chain)")
    op.execute("CREATE INDEX recon_kin_of_chain ON recon_kin (chain, since_ms, kind, key)")
    op.execute("CREATE INDEX recon_kin_moved ON recon_kin_chain (chain) WHERE changed <> looked")
    op.execute(
        "CREATE INDEX recon_finding_kin ON recon_finding (link_kind, link_key) WHERE link_kind IS NOT NULL"
    )
    enter_stored(KIN_TYPES)
