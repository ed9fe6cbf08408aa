"""The first version: roots, sounds, ingests, and the index of words."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "roots",
        sa.Column("id", ID, primary_key=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sa.UniqueConstraint("path", name="roots_path"),
    )
    op.create_table(
        "sounds",
        sa.Column("id", ID, primary_key=True),
        sa.Column("root", ID, sa.ForeignKey("roots.id", name="sounds_root_id"), nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("missing", sa.Boolean, nullable=False),
        sa.Column("tags", sa.String, nullable=False),
        sa.Column("tempo", sa.Float),
        sa.Column("key", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("sha256", sa.String),
        sa.Column("pack", sa.String),
        sa.Column("vector", sa.BigInteger),
        sa.Column("seconds", sa.Float),
        sa.Column("sample_rate", sa.Integer),
        sa.Column("channels", sa.Integer),
        sa.Column("family", sa.String),
        *(
            sa.Column(name, sa.Float)
            for name in ("confidence", "pitch_hz", "loudness", "brightness", "attack")
        ),
        *(
            sa.Column(name, sa.Float)
            for name in ("decay", "noisiness", "inharmonicity", "roughness", "x", "y")
        ),
        sa.Column("duplicates", sa.BigInteger),
        sa.UniqueConstraint("path", name="sounds_path"),
    )
    for column in ("state", "sha256", "vector", "family", "duplicates"):
        op.create_index(f"sounds_by_{column}", "sounds", [column])
    op.create_table(
        "ingests",
        sa.Column("id", ID, primary_key=True),
        sa.Column("folders", sa.String, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("wish", sa.String),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("listed", "missing", "analysed")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("unreadable", "remaining")),
        sa.Column("seconds_left", sa.Float),
        sa.Column("error", sa.String),
        sa.Column("created", sa.String, nullable=False),
        sa.Column("changed", sa.String, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE sound_words USING fts5("
            "name, folder, tags, tokenize = \"unicode61 remove_diacritics 2 tokenchars '#'\", prefix = '1 2 3')"
        )
