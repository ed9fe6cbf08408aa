"""Folders can be followed: what changes in them is taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("roots", sa.Column("followed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("ingests", sa.Column("changes", sa.String))
