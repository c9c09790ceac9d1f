"""What events of several chains have in common is kept, and what is found of it is stored."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """A row an event and key, from the stored events; findings name the key that they were found by.

    What follows from the events is emptied and written again: ids are an agency's own, and an answer belongs
    to what was admitted first.
    """
    postgres = op.get_bind().dialect.name == "postgresql"
    big, blob, end = ("BIGINT", "BYTEA", "") if postgres else ("INTEGER", "BLOB", " WITHOUT ROWID")
    op.execute(
        f"""CREATE TABLE recon_chain_key (
            kind TEXT NOT NULL,
            key TEXT NOT NULL,
            admitted_ms {big} NOT NULL,
            digest {blob} NOT NULL,
            chain TEXT NOT NULL,
            looked INTEGER NOT NULL,
            PRIMARY KEY (kind, key, admitted_ms, digest)
        ){end}"""
    )
    agency = (
        "split_part(source, '/', 2)"
        if postgres
        else "substr(source, 2, instr(substr(source, 2) || '/', '/') - 1)"
    )
    op.execute(
        "INSERT INTO recon_chain_key "
        f"SELECT 'event-id', {agency} || ' ' || event_id, admitted_ms, digest, chain, 0 FROM recon_event"
    )
    op.execute("CREATE INDEX recon_chain_key_new ON recon_chain_key (kind) WHERE looked = 0")
    op.execute("DROP INDEX recon_event_id")
    for table in ("recon_obligation", "recon_finding", "recon_chain"):
        op.execute(f"DELETE FROM {table}")
    op.execute("ALTER TABLE recon_finding ADD COLUMN link_kind TEXT")
    op.execute("ALTER TABLE recon_finding ADD COLUMN link_key TEXT")
    op.execute("CREATE INDEX recon_finding_link ON recon_finding (id) WHERE link_kind IS NOT NULL")
