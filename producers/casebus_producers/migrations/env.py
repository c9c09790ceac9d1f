"""What alembic runs to upgrade an agency's own file: all in the transaction of whoever asked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="outbox_revision")
context.run_migrations()
