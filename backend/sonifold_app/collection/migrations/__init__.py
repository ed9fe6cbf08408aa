"""Alembic's steps from one version of a collection's tables to the next; ``versions`` holds one file a step."""
