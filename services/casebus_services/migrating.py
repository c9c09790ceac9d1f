"""Brings a database's tables up to this program's revision, with alembic, in the caller's transaction."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from casebus_schemas.errors import StopService


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revisions of one kind of database."""

    of: str
    """What the tables are, for messages."""
    folder: Path
    version_table: str
    """Holds the id of the last revision that ran."""
    head: str
    """The newest revision. Written here so that a start that changes nothing reads no revision."""
    numbered: str
    """The table in which a database made before the revisions counted its steps."""


def revision_of(connection: Connection, revisions: Revisions) -> str | None:
    """The last revision that ran, None for an empty database or one made before the revisions."""
    if not inspect(connection).has_table(revisions.version_table):
        return None
    query = text(f"SELECT version_num FROM {revisions.version_table}")
    return connection.execute(query).scalar()


def upgrade(connection: Connection, revisions: Revisions) -> None:
    """Runs the revisions that the database lacks. Idempotent; the caller holds the lock and commits.

    Raises StopService if the database was written by a newer program.
    """
    found = revision_of(connection, revisions)
    if found == revisions.head:
        return
    # Only here, since most starts change nothing.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(revisions.folder).replace("%", "%%"))
    numbered = inspect(connection).has_table(revisions.numbered)
    if numbered:
        number = connection.execute(text(f"SELECT max(version) FROM {revisions.numbered}")).scalar()
        found = f"{number:04}" if number else None
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StopService(
            f"the {revisions.of} tables are of a newer version",
            found=found,
            expected=f"at most {revisions.head}",
            remedy="run the newer casebus",
        )
    if numbered:
        command.stamp(config, found or "base")
        connection.execute(text(f"DROP TABLE {revisions.numbered}"))
    command.upgrade(config, revisions.head)
