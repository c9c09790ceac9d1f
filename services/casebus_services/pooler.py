"""A connection pooler before PostgreSQL: recognised, and spoken to without prepared statements."""

import logging
from typing import Any

log = logging.getLogger(__name__)

PREPARED = frozenset({"DuplicatePreparedStatement", "InvalidSqlStatementName"})
"""What PostgreSQL answers where a pooler has exchanged the server between two transactions."""


def unprepared_behind_pooler(connection: Any) -> bool:
    """Lets this psycopg connection prepare nothing if a pooler stands before the server; whether one does.

    A pooler in transaction mode gives each transaction another server, which knows other prepared statements.
    It names a process of its own as the server's: that tells it from PostgreSQL.
    """
    own = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.rollback()
    if own == connection.info.backend_pid:
        return False
    if connection.prepare_threshold is not None:
        log.warning("a pooler stands before PostgreSQL (PgBouncer or the like): statements are not prepared")
    connection.prepare_threshold = None
    return True
