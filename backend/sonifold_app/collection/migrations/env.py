"""Alembic runs this for every migration: on the connection that ``database`` hands over, in its transaction."""

from alembic import context

from sonifold_app.collection.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
