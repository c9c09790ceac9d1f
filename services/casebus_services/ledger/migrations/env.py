"""What alembic runs to upgrade the ledger database: all in the transaction of whoever asked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="ledger_revision")
context.run_migrations()
