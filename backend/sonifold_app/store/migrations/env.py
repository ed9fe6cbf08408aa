"""Alembic runs this for every migration: on the connection that ``postgres`` hands over, in its transaction."""

from alembic import context

from sonifold_app.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
