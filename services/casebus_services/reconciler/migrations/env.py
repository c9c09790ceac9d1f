"""What alembic runs to upgrade the accounts database: all in the transaction of whoever asked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="recon_revision")
context.run_migrations()
