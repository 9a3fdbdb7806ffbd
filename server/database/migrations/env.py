"""What Alembic runs to reach the database: the connection that ``upgrade_tables`` gave it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
