"""The tables of a collection's database, declared once. ``migrations`` leads files of any version to them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

#: A whole number that SQLite counts up by itself.
Id = BigInteger().with_variant(Integer, "sqlite")

#: Folders that were taken in, with all that is in them.
roots = Table(
    "roots",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", String, nullable=False),
    Column("created", String, nullable=False),
    Column("followed", Boolean, nullable=False),  # whether a server takes in what changes
    UniqueConstraint("path", name="roots_path"),
)

#: Files, a row each from the moment they were first seen. None is deleted because its file is gone.
sounds = Table(
    "sounds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("root", Id, ForeignKey("roots.id", name="sounds_root_id"), nullable=False),
    Column("path", String, nullable=False),
    Column("folder", String, nullable=False),  # of the path
    Column("name", String, nullable=False),  # with its ending
    Column("size", BigInteger, nullable=False),  # bytes
    Column("modified", BigInteger, nullable=False),  # nanoseconds since 1970
    Column("missing", Boolean, nullable=False),
    Column("tags", String, nullable=False),  # with a space between
    Column("tempo", Float),  # beats a minute
    Column("key", String),
    Column("state", String, nullable=False),  # of State
    Column("reason", String),  # why it is unreadable, as a sentence
    # what its analysis found
    Column("sha256", String),
    Column("pack", String),  # whose latent space the vectors are of
    Column("vector", BigInteger),  # their row in the arrays
    Column("seconds", Float),
    Column("sample_rate", Integer),
    Column("channels", Integer),
    Column("family", String),
    Column("confidence", Float),  # in the family, 0 to 1
    Column("pitch_hz", Float),
    Column("loudness", Float),  # LUFS
    Column("brightness", Float),
    Column("attack", Float),  # seconds
    Column("decay", Float),  # seconds
    Column("noisiness", Float),
    Column("inharmonicity", Float),
    Column("roughness", Float),
    Column("x", Float),
    Column("y", Float),
    Column("duplicates", BigInteger),  # the least id of the sounds with the same bytes, if there are others
    Column(
        "near_duplicates", BigInteger
    ),  # the id of the sound that it is nearly the same as, see ``duplicates``
    UniqueConstraint("path", name="sounds_path"),
    Index("sounds_by_state", "state"),
    Index("sounds_by_sha256", "sha256"),
    Index("sounds_by_vector", "vector"),
    Index("sounds_by_family", "family"),
    Index("sounds_by_duplicates", "duplicates"),
    Index("sounds_by_near_duplicates", "near_duplicates"),
    Index("sounds_by_missing", "missing"),
)

#: Runs over folders, latest last. ``wish`` is what a user wants of one that is under way.
ingests = Table(
    "ingests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("folders", String, nullable=False),  # JSON
    Column("changes", String),  # JSON: paths that alone are looked at; null: all
    Column("model", String),  # that sounds are analysed by
    Column("phase", String, nullable=False),
    Column("state", String, nullable=False),
    Column("wish", String),
    Column("listed", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("analysed", Integer, nullable=False),
    Column("unreadable", Integer, nullable=False),
    Column("remaining", Integer, nullable=False),
    Column("seconds_left", Float),
    Column("error", String),
    Column("created", String, nullable=False),
    Column("changed", String, nullable=False),
)
