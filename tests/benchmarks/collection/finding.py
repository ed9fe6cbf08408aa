"""Searches and neighbours among very many sounds, with names and vectors that are made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sample_files import names
from sqlalchemy import Connection, insert

import sonifold
from sonifold_app.collection.database import FOLDER, open_database
from sonifold_app.collection.listing import State, described_by_name, root_of
from sonifold_app.collection.query import read_query
from sonifold_app.collection.search import Search
from sonifold_app.collection.tables import sounds
from sonifold_app.collection.vectors import VECTORS, Vectors
from sonifold_app.collection.walk import File
from sonifold_app.collection.words import Fts5Index

LETTERS = ("k", "s", "ki", "sn", "hat", "snar", "tape kick", "kick -loop", "808 hard")
FILTERS = ("kick", "family:snare", "length:<0.5", "tape kick", "is:missing", "family:kick brightness:>.5")
ROUNDS = 12
MISSING, WRITTEN = 7, 20_000  # every so manieth sound; vectors at once

Keep = Callable[[str, float, str, str | None, int], Any]


def measure(data: Path, count: int, keep: Keep) -> None:
    """Make a collection of so many sounds and search it."""
    vectors = populate(data, count)
    search = Search(open_database(data), Fts5Index())
    typed = [timed(page, search, text) for _ in range(ROUNDS) for text in LETTERS]
    keep(f"search as one types with its count among {count}, p95", p95(typed), "ms", "<= 60", len(typed))
    missing = [timed(page, search, "is:missing") for _ in range(ROUNDS)]
    keep(f"is:missing with its count among {count}, p95", p95(missing), "ms", "<= 60", len(missing))
    random = np.random.default_rng(1)
    wanted = [np.array(vectors.timbre.rows(count)[row]) for row in random.integers(count, size=8 * ROUNDS)]
    search.near(wanted[0], vectors, read_query(""))
    plain = [timed(search.near, timbre, vectors, read_query(""), 10) for timbre in wanted]
    keep(f"neighbours among {count}, p95", p95(plain), "ms", "<= 30", len(plain))
    for text in FILTERS:
        fitting = [timed(search.near, timbre, vectors, read_query(text), 10) for timbre in wanted]
        keep(f"neighbours among {count} that fit {text}, p95", p95(fitting), "ms", "<= 30", len(fitting))
    keep(f"neighbours among {count}: recall@10", recall(vectors, wanted), "", "== 1", len(wanted))


def page(search: Search, text: str) -> None:
    query = read_query(text)
    search.find(query)
    search.count(query)


def timed(run: Callable[..., Any], *arguments: Any) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    run(*arguments)
    return 1000 * (time.perf_counter() - began)


def p95(values: list[float]) -> float:
    return float(np.quantile(values, 0.95))


def recall(vectors: Vectors, wanted: list[np.ndarray]) -> float:
    """Of the ten nearest by a comparison with each in double precision."""
    rows = vectors.timbre.rows(vectors.timbre.count()).astype(np.float64)
    shares = []
    for timbre in wanted[:10]:
        brute = np.argsort(np.linalg.norm(rows - timbre, axis=1), kind="stable")[:10]
        shares.append(len(set(brute.tolist()) & set(vectors.nearest(timbre, 10)[0].tolist())) / 10)
    return float(np.mean(shares))


def populate(data: Path, count: int) -> Vectors:
    """Rows and vectors: the library's sounds, each over and over with something else about it."""
    library, random = sonifold.load("oneshots").library, np.random.default_rng(0)
    timbre, latent, families = library.timbre.numpy(), library.z.numpy(), sorted(set(library.families))
    vectors = Vectors.create(data / FOLDER / VECTORS, "made", latent.shape[1], 1.0)
    spread = 0.3 * timbre.std(axis=0)
    for first in range(0, count, WRITTEN):
        rows = np.arange(first, min(count, first + WRITTEN)) % len(timbre)
        made = timbre[rows] + spread * random.standard_normal((len(rows), timbre.shape[1]))
        vectors.write(first, latent[rows], made.astype(np.float32))
    root, database = Path("/samples"), open_database(data)
    root_id = database.write(lambda connection: root_of(connection, root))
    described = []
    for id, path in enumerate(names(count), 1):
        file = File(str(root / path), str((root / path).parent), path.name, 1000, 1)
        row, entry = described_by_name(id, root, root_id, file)
        facts = {
            "state": State.ANALYSED, "pack": "made", "vector": id - 1, "seconds": 0.1 + id % 97 / 50,
            "brightness": id % 89 / 89, "missing": id % MISSING == 0, "family": families[id % len(families)],
        }  # fmt: skip
        described.append((row | facts, entry))

    def write(connection: Connection) -> None:
        connection.execute(insert(sounds), [row for row, _ in described])
        Fts5Index().add(connection, [entry for _, entry in described])

    database.write(write)
    return vectors
