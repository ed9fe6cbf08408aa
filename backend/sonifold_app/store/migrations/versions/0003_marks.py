"""What a user says of sounds of the collection: favourites, ratings, notes, and collections with names."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("favourite", sa.Integer, nullable=False),
        sa.Column("rating", sa.Integer),
        *(sa.Column(name, sa.String, nullable=False) for name in ("note", "changed")),
    )
    op.create_table(
        "named_collections",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("name", "created")),
        sa.Column("removed", sa.String),
    )
    op.create_table(
        "named_collection_sounds",
        sa.Column(
            "collection",
            sa.Integer,
            sa.ForeignKey("named_collections.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("added", sa.String, nullable=False),
    )


def downgrade() -> None:
    for table in ("named_collection_sounds", "named_collections", "marks"):
        op.drop_table(table)
