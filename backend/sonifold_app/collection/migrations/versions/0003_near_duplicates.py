"""Sounds that are nearly the same are grouped."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("sounds", sa.Column("near_duplicates", sa.BigInteger))
    op.create_index("sounds_by_near_duplicates", "sounds", ["near_duplicates"])
    op.create_index("sounds_by_missing", "sounds", ["missing"])
