"""Latent points and timbre of a collection's sounds, in arrays beside the database.

Each is a file of float32 rows, without a header. **The database says how many rows count**: they are written and synced
first, and the transaction that names them comes after. What a kill leaves behind the last row that is named is written
over by the next.

The nearest rows are found exactly. A quarter of the numbers, those that vary most, and the length of what the others
have together are in an array of their own: distances between such short rows are never more than between the whole
ones. One product of it with a sound gives all of these, with a rounding error that is bounded; whatever may be among
the nearest by them is measured in full, in double precision.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sonifold.files import sync_folder, write_whole

#: The folder of the arrays in that of the collection.
VECTORS = "vectors"
#: What the numbers of a pack's arrays mean, beside them.
SPACE = "space.json"
TIMBRE = 512  # numbers of Phi
#: Of these in the short rows, and which they are, in a file beside them.
LEADING, COLUMNS = 128, "leading.json"
#: Rows that are measured in full to know how far the nearest are at most: so many for each that is wanted, and more.
TRIED, MORE_TRIED = 2, 32
#: Rows that are taken into double precision at once.
CHUNK = 4096
#: Rounding error at most of a squared distance that comes from a product of floats, by the sum of both squared norms:
#: n units of roundoff of a sum of n products (Higham 2002, section 3.1), and some for what is added.
ROUNDING = (TIMBRE + 8) * 2.0**-24

Rows = NDArray[np.float32]
Distances = NDArray[np.float64]


class VectorFile:
    """Rows of ``width`` numbers in a file."""

    def __init__(self, path: Path, width: int) -> None:
        self.path, self.width = path, width
        #: ((inode, rows), the file as it was mapped): each page of it costs a fault the first time that it is read.
        self._mapped: tuple[tuple[int, int], Rows] | None = None

    def write(self, first: int, rows: Rows) -> None:
        """Write rows from row ``first`` on, over whatever is there; on the disk when this returns."""
        new = not self.path.exists()
        with self.path.open("wb" if new else "r+b") as out:
            out.seek(first * self.width * 4)
            out.write(np.ascontiguousarray(rows, np.float32).tobytes())
            out.flush()
            os.fsync(out.fileno())
        if new:
            sync_folder(self.path.parent)

    def count(self) -> int:
        """Whole rows in the file."""
        return self.path.stat().st_size // (4 * self.width) if self.path.exists() else 0

    def rows(self, count: int) -> Rows:
        """The first ``count`` rows, (count, width), mapped from the disk; fewer where the file is shorter."""
        if not self.path.exists():
            return np.zeros((0, self.width), np.float32)
        about = self.path.stat()
        whole = about.st_size // (4 * self.width)
        if not whole:
            return np.zeros((0, self.width), np.float32)
        if self._mapped is None or self._mapped[0] != (about.st_ino, whole):
            mapped: Rows = np.memmap(self.path, np.float32, "r", shape=(whole, self.width))
            self._mapped = (about.st_ino, whole), mapped
        return self._mapped[1][:count]


class Vectors:
    """The arrays of one pack: latent points of its model, Phi, and the squared norms of Phi."""

    def __init__(self, folder: Path, pack: str, latent_dim: int, unit_per_phi: float) -> None:
        """``folder``: of the arrays of all packs. ``unit_per_phi``: of distances."""
        self.pack, self.unit_per_phi = pack, unit_per_phi
        self.latent = VectorFile(folder / pack / "latent.f32", latent_dim)
        self.timbre = VectorFile(folder / pack / "timbre.f32", TIMBRE)
        self.squares = VectorFile(folder / pack / "squares.f32", 1)
        self.leading = VectorFile(folder / pack / "leading.f32", LEADING + 1)
        self._columns: tuple[int, ...] | None = None

    @classmethod
    def open(cls, folder: Path, pack: str) -> Self:
        """Those that were written by ``create``. Raises FileNotFoundError."""
        space = json.loads((folder / pack / SPACE).read_text(encoding="utf-8"))
        return cls(folder, pack, **space)

    @classmethod
    def create(cls, folder: Path, pack: str, latent_dim: int, unit_per_phi: float) -> Self:
        """Those of a pack, which begin empty."""
        (folder / pack).mkdir(parents=True, exist_ok=True)
        space = {"latent_dim": latent_dim, "unit_per_phi": unit_per_phi}
        write_whole(folder / pack / SPACE, json.dumps(space).encode())
        return cls(folder, pack, latent_dim, unit_per_phi)

    def write(self, first: int, latent: Rows, timbre: Rows) -> None:
        """Write rows from row ``first`` on; on the disk when this returns."""
        self.latent.write(first, latent)
        self.timbre.write(first, timbre)
        rows = self.timbre.rows(first + len(timbre))
        lacking = min(self.squares.count(), first)  # an array that is older than the norms has none
        self.squares.write(lacking, squared_norms(rows[lacking:]))
        if self._leading_columns() is None:
            self._choose_columns(rows)
        lacking = min(self.leading.count(), first)
        for start in range(lacking, len(rows), CHUNK):
            self.leading.write(start, self._short(rows[start : start + CHUNK]))

    def nearest(
        self, timbre: Rows, count: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], Distances]:
        """The ``count`` rows that are nearest to a sound (512,), nearest first, and their perceptual distances in the
        model's unit. Exact. ``among``: rows, each once, that others are left out for.
        """
        rows = self.timbre.rows(self.timbre.count())
        numbers = np.arange(len(rows)) if among is None else among[among < len(rows)]
        tried = TRIED * count + MORE_TRIED
        if tried < len(numbers):
            least = self._least(rows, timbre)[numbers]
            nearest = numbers[np.argpartition(least, tried)[:tried]]
            furthest = np.partition(exact_distances(rows, nearest, timbre), count - 1)[count - 1]
            numbers = numbers[least <= furthest**2]
        distances = exact_distances(rows, numbers, timbre)
        order = np.lexsort((numbers, distances))[:count]
        return numbers[order], distances[order] * self.unit_per_phi

    def near_before(self, first: int, count: int, limit: float) -> Iterator[tuple[int, list[int]]]:
        """Of ``count`` rows from ``first`` on: each that rows before it are near to, and these, the nearest first.
        ``limit``: perceptual distance at most, in the model's unit. Exact.
        """
        rows = self.timbre.rows(first + count)
        squares = self._squares(rows)
        short = self.leading.rows(len(rows))
        new, furthest = rows[first:], (limit / self.unit_per_phi) ** 2
        near: list[list[int]] = [[] for _ in new]
        for start in range(0, len(rows), CHUNK):
            both = squares[start : start + CHUNK, None] + squares[first:]
            least = least_squares(both, short[start : start + CHUNK] @ short[first:].T)
            for earlier, number in zip(*np.nonzero(least <= furthest), strict=True):
                if start + earlier < first + number:
                    near[number].append(start + int(earlier))
        for number, candidates in enumerate(near):
            earlier = np.array(candidates, np.int64)
            distances = exact_distances(rows, earlier, new[number]) * self.unit_per_phi
            order = np.lexsort((earlier, distances))[: int(np.count_nonzero(distances <= limit))]
            if len(order):
                yield first + number, earlier[order].tolist()

    def _squares(self, rows: Rows) -> Rows:
        """The squared norm of each row, (row,)."""
        squares = self.squares.rows(len(rows))[:, 0]
        if len(squares) < len(rows):
            squares = np.concatenate([squares, squared_norms(rows[len(squares) :])[:, 0]])
        return squares

    def _least(self, rows: Rows, timbre: Rows) -> Rows:
        """What each row's squared distance to a sound is at least, (row,)."""
        both = self._squares(rows) + np.float32(timbre @ timbre)
        if self._leading_columns() is None:
            products = rows @ timbre
        else:
            short, sound = self.leading.rows(len(rows)), self._short(timbre[None])[0]
            products = np.concatenate([short @ sound, self._short(rows[len(short) :]) @ sound])
        return least_squares(both, products)

    def _short(self, rows: Rows) -> Rows:
        """The leading numbers of rows, and the norm of the others, (row, LEADING + 1)."""
        columns = list(self._leading_columns() or ())
        others = np.delete(rows, columns, axis=1).astype(np.float64)
        norms = np.sqrt(np.einsum("rm,rm->r", others, others))
        return np.concatenate([rows[:, columns], norms[:, None]], axis=1, dtype=np.float32)

    def _leading_columns(self) -> tuple[int, ...] | None:
        """Which numbers lead; None before any row was written."""
        path = self.leading.path.with_name(COLUMNS)
        if self._columns is None and path.exists():
            self._columns = tuple(json.loads(path.read_text(encoding="utf-8")))
        return self._columns

    def _choose_columns(self, rows: Rows) -> None:
        """Those that vary most among the first rows."""
        order = np.argsort(-rows[:CHUNK].astype(np.float64).var(axis=0), kind="stable")
        columns = sorted(order[:LEADING].tolist())
        write_whole(self.leading.path.with_name(COLUMNS), json.dumps(columns).encode())
        self._columns = tuple(columns)


def least_squares(both: Rows, products: Rows) -> Rows:
    """What squared distances are at least, of the sums of both squared norms and the products of short rows."""
    least: Rows = both - 2 * products - np.float32(ROUNDING) * both
    return least


def squared_norms(rows: Rows) -> Rows:
    """Of each row, (row, 1)."""
    chunks = (rows[start : start + CHUNK].astype(np.float64) for start in range(0, len(rows), CHUNK))
    squares = [np.einsum("rm,rm->r", chunk, chunk) for chunk in chunks]
    return np.concatenate([np.zeros(0), *squares]).astype(np.float32)[:, None]


def exact_distances(rows: Rows, numbers: NDArray[np.int64], timbre: Rows) -> Distances:
    """Euclidean distances of a sound (512,) to some of the rows, (number,)."""
    distances = np.empty(len(numbers))
    for start in range(0, len(numbers), CHUNK):
        apart = rows[numbers[start : start + CHUNK]].astype(np.float64) - timbre
        distances[start : start + CHUNK] = np.sqrt(np.einsum("rm,rm->r", apart, apart))
    return distances
