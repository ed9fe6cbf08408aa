"""The tables of the user's database, declared once. ``sqlite.MIGRATIONS`` leads files of any version to them."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

#: The sounds of users.
user_sounds = Table(
    "kept_sounds",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("pack", String),
    Column("kind", String),
    Column("name", String),
    Column("seconds", Float),
    Column("pitch", Float),
    Column("x", Float),
    Column("y", Float),
    Column("known", Integer),
    Column("z", LargeBinary),
    Column("timbre", LargeBinary),
    Column("audio", String),
    Column("source", String),
    Column("created", String),
    Column("facts", String),
)

#: Recordings that wait for their sounds to be chosen.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("files", String),
    Column("created", Float),
)

#: A number that is another after every change of a model's sounds; triggers count it.
revisions = Table(
    "kept_revisions",
    metadata,
    Column("model", String, primary_key=True),
    Column("number", Integer),
)

adaptations = Table(
    "adaptations",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("pack", String),
    Column("title", String),
    Column("seed", Integer),
    Column("sounds", String),
    Column("told", String),
    Column("created", String),
)

#: What sounds' files are told apart by.
fingerprints = Table(
    "fingerprints",
    metadata,
    Column("audio", String, primary_key=True),
    Column("map", LargeBinary),
)

#: Points of users' sounds in adapted models.
adapted_points = Table(
    "settled_places",
    metadata,
    Column("model", String, primary_key=True),
    Column("sound", String, primary_key=True),
    Column("version", String),
    Column("z", LargeBinary),
    Column("x", Float),
    Column("y", Float),
    Column("known", Integer),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String),
    Column("pack", String),
    Column("title", String),
    Column("request", String),
    Column("state", String),
    Column("cancel", Integer),
    Column("attempts", Integer),
    Column("error", String),
    Column("created", String),
    Column("finished", String),
)

events = Table(
    "job_events",
    metadata,
    Column("job", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String),
    Column("data", String),
)

listening_tests = Table(
    "listening_tests",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String),
    Column("request", String),
    Column("models", String),
    Column("pairs", String),
    Column("stimuli", String),
    Column("error", String),
    Column("created", String),
)

#: Runs through listening tests. ``seed``: the key to the orders.
listeners = Table(
    "listeners",
    metadata,
    Column("id", String, primary_key=True),
    Column("test", String),
    Column("name", String),
    Column("seed", String),
    Column("client", String),
    Column("created", String),
)

listening_answers = Table(
    "listening_answers",
    metadata,
    Column("listener", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("answer", String),
    Column("listens", String),
    Column("created", String),
)

#: Who may use the server besides the holder of its own token.
users = Table(
    "users",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String),
    Column("token_hash", String),
    Column("created", String),
    Column("rotated", String),
    Column("revoked", String),
)

#: What is said of sounds of the collection, by the hash of their bytes.
marks = Table(
    "marks",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("favourite", Integer),  # 0 or 1
    Column("rating", Integer),  # 1 to 5
    Column("note", String),
    Column("changed", String),
)

#: Sounds of the collection that were put together under a name.
named_collections = Table(
    "named_collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Column("created", String),
    Column("removed", String),  # when, where it was and can be brought back
)

named_collection_sounds = Table(
    "named_collection_sounds",
    metadata,
    Column("collection", Integer, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("added", String),
)
