"""Collections of made rows: positions around a model's library sounds, names as producers write them; no files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import sonifold
from sonifold_app.collection.database import DATABASE, FOLDER, open_database
from sonifold_app.engine.packs import meaning_of_points

KINDS = ("Kick", "Snare", "Clap", "Hat Closed", "Tom", "Perc", "Bass", "Pad", "Pluck", "Bell")
PER_FOLDER = 200
SUB_FOLDERS = 40  # that the root has
SPREAD = 0.03  # on a map 2 across


def fill(data: Path, count: int, model: sonifold.Model, seed: int = 0) -> None:
    """A collection of so many analysed sounds in a data folder."""
    open_database(data).close()
    with sqlite3.connect(data / FOLDER / DATABASE) as connection:
        connection.execute("INSERT INTO roots VALUES (1, '/samples', '', 0)")
        columns = list(next(rows(1, model, seed)))
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO sounds ({', '.join(columns)}) VALUES ({marks})",
            (tuple(row.values()) for row in rows(count, model, seed)),
        )
    connection.close()


def rows(count: int, model: sonifold.Model, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of the table of sounds, each near a sound of the library."""
    random = np.random.default_rng(seed)
    library = model.library
    near = random.integers(len(library.ids), size=count)
    at = np.asarray(model.atlas.positions)[near] + random.normal(0, SPREAD, (count, 2))
    brightness = random.uniform(0, 1, count)
    pack = meaning_of_points(model)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        folder = f"/samples/Pack {number // PER_FOLDER % SUB_FOLDERS:02d}/{kind} {number // PER_FOLDER:05d}"
        name = f"{kind} {number:07d}.wav"
        yield {
            "id": number + 1, "root": 1, "path": f"{folder}/{name}", "folder": folder, "name": name, "size": 20_000,
            "modified": number, "missing": 0, "tags": kind.lower(), "state": "analysed", "pack": pack,
            "vector": number, "seconds": 0.4, "sample_rate": 44_100, "channels": 1,
            "family": library.families[near[number]], "confidence": 0.9, "brightness": float(brightness[number]),
            "x": float(at[number, 0]), "y": float(at[number, 1]),
        }  # fmt: skip
