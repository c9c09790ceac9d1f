"""Removes a content from a ledger: its entries, leaves and tiles stay, and so every root."""

from typing import Any

from sqlalchemy import text

from .ledger_database import Database, bus_errors
from .ledger_tables import SQLITE


def drop_payload(database: Database, value_sha256: bytes) -> bool:
    """Removes the content of that digest, whichever entries have it; whether it was there. Durable.

    Its bytes are overwritten in a SQLite file, and vacuumed on PostgreSQL; backups and archived logs of the
    database keep what they have. Idempotent. Raises RetryLater if the database is away.
    """
    sqlite = database.dialect == SQLITE
    engine = database.engine
    with bus_errors(database):
        with engine.connect() as connection:
            if sqlite:
                # A setting of the connection: freed pages are overwritten with zeros.
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            gone = connection.execute(
                text("DELETE FROM payload WHERE value_sha256 = :digest"), {"digest": value_sha256}
            )
            connection.commit()
        # Neither may stand in a transaction, as SQLAlchemy would begin one.
        raw = engine.raw_connection()
        try:
            driver: Any = raw.driver_connection
            if sqlite:
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                driver.autocommit = True
                driver.execute("VACUUM payload")
                driver.autocommit = False
        finally:
            raw.close()
    return gone.rowcount > 0
