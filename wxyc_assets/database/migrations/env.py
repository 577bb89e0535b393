"""Alembic's entry point: runs the scripts on the connection that ``migrate.py`` passes."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="wxyc_assets",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
