"""Who may use the server besides the holder of its own token."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("name", "token_hash", "created")),
        *(sa.Column(name, sa.String) for name in ("rotated", "revoked")),
    )


def downgrade() -> None:
    op.drop_table("users")
