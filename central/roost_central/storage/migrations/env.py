"""Alembic's entry: runs migrations on the connection that ``storage/migrate.py`` passes."""

from alembic import context

from roost_central.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table only by copying it
    transactional_ddl=True,  # our own BEGIN holds DDL too
)
with context.begin_transaction():
    context.run_migrations()
