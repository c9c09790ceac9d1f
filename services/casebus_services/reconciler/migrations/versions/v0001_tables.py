"""The accounts' first tables: admissions, events, chains, duties, findings, outbox."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    # One row an admission partition: its lock is the fence of whoever works on it.
    """CREATE TABLE recon_partition (
        partition INTEGER PRIMARY KEY,
        next_offset {big} NOT NULL,
        revision {big} NOT NULL,
        incarnation {big} NOT NULL,
        next_no {big} NOT NULL
    )""",
    # Every admission, the first of (origin, attempt): what arrival findings are made from.
    """CREATE TABLE recon_admission (
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        koffset {big} NOT NULL,
        attempt INTEGER NOT NULL,
        bus_partition INTEGER NOT NULL,
        bus_offset {big} NOT NULL,
        verdict TEXT NOT NULL,
        code TEXT,
        digest {blob},
        producer TEXT,
        admitted_ms {big} NOT NULL,
        PRIMARY KEY (topic, partition, koffset, attempt)
    )""",
    "CREATE INDEX recon_admission_digest ON recon_admission (digest)",
    "CREATE UNIQUE INDEX recon_admission_arrival ON recon_admission (bus_partition, bus_offset)",
    # Every admitted event once: its headers' facts and its framed value.
    """CREATE TABLE recon_event (
        digest {blob} PRIMARY KEY,
        chain TEXT NOT NULL,
        event_id TEXT NOT NULL,
        type TEXT NOT NULL,
        source TEXT NOT NULL,
        time_ms {big} NOT NULL,
        admitted_ms {big} NOT NULL,
        producer TEXT NOT NULL,
        seq {big} NOT NULL,
        prev {blob} NOT NULL,
        value {blob} NOT NULL,
        bus_partition INTEGER NOT NULL,
        bus_offset {big} NOT NULL
    )""",
    "CREATE INDEX recon_event_chain ON recon_event (chain, bus_offset)",
    """CREATE TABLE recon_stream (
        producer TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        seq {big} NOT NULL,
        digest {blob} NOT NULL,
        PRIMARY KEY (producer, topic, partition)
    )""",
    """CREATE TABLE recon_chain (
        chain TEXT PRIMARY KEY,
        bus_partition INTEGER NOT NULL,
        status TEXT,
        events INTEGER NOT NULL,
        hash {blob} NOT NULL,
        told_ms {big} NOT NULL,
        wake_ms {big},
        accounts TEXT NOT NULL
    )""",
    "CREATE INDEX recon_chain_wake ON recon_chain (bus_partition, wake_ms)",
    """CREATE TABLE recon_obligation (
        id TEXT PRIMARY KEY,
        chain TEXT NOT NULL,
        rule TEXT NOT NULL,
        owed_by TEXT NOT NULL,
        state TEXT NOT NULL,
        basis {blob} NOT NULL,
        due_earliest_ms {big} NOT NULL,
        due_latest_ms {big} NOT NULL,
        moot_ms {big},
        body TEXT NOT NULL
    )""",
    "CREATE INDEX recon_obligation_chain ON recon_obligation (chain)",
    """CREATE TABLE recon_finding (
        id TEXT PRIMARY KEY,
        chain TEXT NOT NULL,
        rule TEXT NOT NULL,
        class TEXT NOT NULL,
        severity TEXT NOT NULL,
        state TEXT NOT NULL,
        opened_ms {big} NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX recon_finding_chain ON recon_finding (chain)",
    # What was said, once for each: the guard against saying it again.
    """CREATE TABLE recon_announcement (
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        cause {blob} NOT NULL,
        state TEXT NOT NULL,
        event_id TEXT NOT NULL,
        PRIMARY KEY (kind, subject, cause, state)
    )""",
    # The heads of our own streams, moved in the transaction that fills the outbox.
    """CREATE TABLE recon_bus_stream (
        producer TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        seq {big} NOT NULL,
        prev {blob} NOT NULL,
        PRIMARY KEY (producer, topic, partition)
    )""",
    # id, aggregatetype, aggregateid, type, payload are Debezium's names.
    """CREATE TABLE recon_outbox (
        bus_partition INTEGER NOT NULL,
        no {big} NOT NULL,
        id TEXT NOT NULL,
        aggregatetype TEXT NOT NULL,
        aggregateid TEXT NOT NULL,
        type TEXT NOT NULL,
        payload {blob} NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        key TEXT NOT NULL,
        headers TEXT NOT NULL,
        sent INTEGER NOT NULL,
        PRIMARY KEY (bus_partition, no)
    )""",
    "CREATE INDEX recon_outbox_waiting ON recon_outbox (bus_partition, no) WHERE sent = 0",
)


def upgrade() -> None:
    """Makes the tables."""
    words = {"blob": "BLOB", "big": "INTEGER"}
    if op.get_bind().dialect.name == "postgresql":
        words = {"blob": "BYTEA", "big": "BIGINT"}
    for statement in _TABLES:
        op.execute(statement.format(**words))
