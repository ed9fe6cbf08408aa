"""A run names the model that it analyses by, so that another process can go on with it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("ingests", sa.Column("model", sa.String))
