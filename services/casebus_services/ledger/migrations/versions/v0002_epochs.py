"""Epochs: which heads each of them seals, the signed checkpoints of the head log, and who cosigned them."""

from alembic import op

revision = "0002"
down_revision = "0001"

INSERT_ONLY = ("epoch_head", "checkpoint", "cosignature")

_TABLES = (
    # A log has a row only in epochs in which its head is not as the epoch before has it.
    """CREATE TABLE epoch_head (
        epoch {big} NOT NULL CHECK (epoch > 0),
        log_id INTEGER NOT NULL REFERENCES log,
        size {big} NOT NULL CHECK (size > 0),
        root {blob} NOT NULL CHECK (length(root) = 32),
        next_offset {big} NOT NULL CHECK (next_offset >= size),
        end_offset {big} NOT NULL CHECK (end_offset >= next_offset),
        PRIMARY KEY (epoch, log_id)
    )""",
    "CREATE INDEX epoch_head_of_log ON epoch_head (log_id, epoch)",
    # In which epoch an entry was sealed first.
    "CREATE INDEX epoch_head_by_size ON epoch_head (log_id, size)",
    """CREATE TABLE checkpoint (
        head_size {big} NOT NULL PRIMARY KEY CHECK (head_size > 0),
        root {blob} NOT NULL CHECK (length(root) = 32),
        note TEXT NOT NULL
    )""",
    """CREATE TABLE cosignature (
        head_size {big} NOT NULL REFERENCES checkpoint,
        key_name TEXT NOT NULL,
        key_id {blob} NOT NULL CHECK (length(key_id) = 4),
        timestamp {big} NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (head_size, key_name, key_id)
    )""",
)

_SQLITE_WORDS = {"blob": "BLOB", "big": "INTEGER"}
_POSTGRES_WORDS = {"blob": "BYTEA", "big": "BIGINT"}


def _sqlite_guards() -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is insert-only: {verb} refused'); END"
        for table in INSERT_ONLY
        for verb in ("UPDATE", "DELETE")
    )


def _postgres_guards() -> tuple[str, ...]:
    guards = []
    for table in INSERT_ONLY:
        guards.append(
            f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        guards.append(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )
    return tuple(guards)


def upgrade() -> None:
    """Makes the tables and their guards."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    words, guards = (_SQLITE_WORDS, _sqlite_guards) if sqlite else (_POSTGRES_WORDS, _postgres_guards)
    for statement in (*(table.format(**words) for table in _TABLES), *guards()):
        op.execute(statement)
