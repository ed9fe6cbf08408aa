"""Latent points and timbre of a collection's sounds, in arrays beside the database.

Each is a file of float32 rows, without a header. **The database says how many rows count**: they are written and synced
first, and the transaction that names them comes after. What a kill leaves behind the last row that is named is written
over by the next.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sonifold.files import sync_folder

#: The folder of the arrays in that of the collection.
VECTORS = "vectors"
TIMBRE = 512  # numbers of Phi
#: Rows compared at once: what a processor's cache holds.
CHUNK = 256

Rows = NDArray[np.float32]


class VectorFile:
    """Rows of ``width`` numbers in a file."""

    def __init__(self, path: Path, width: int) -> None:
        self.path, self.width = path, width

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

    def rows(self, count: int) -> Rows:
        """The first ``count`` rows, (count, width), mapped from the disk; fewer where the file is shorter."""
        whole = min(count, self.path.stat().st_size // (4 * self.width)) if self.path.exists() else 0
        if not whole:
            return np.zeros((0, self.width), np.float32)
        return np.memmap(self.path, np.float32, "r", shape=(whole, self.width))


class Vectors:
    """The arrays of one pack: latent points of its model, and Phi."""

    def __init__(self, folder: Path, pack: str, latent_dim: int, unit_per_phi: float) -> None:
        """``folder``: of the arrays of all packs. ``unit_per_phi``: of distances."""
        self.pack, self.unit_per_phi = pack, unit_per_phi
        self.latent = VectorFile(folder / pack / "latent.f32", latent_dim)
        self.timbre = VectorFile(folder / pack / "timbre.f32", TIMBRE)

    @classmethod
    def create(cls, folder: Path, pack: str, latent_dim: int, unit_per_phi: float) -> Self:
        """Those of a pack, which begin empty."""
        (folder / pack).mkdir(parents=True, exist_ok=True)
        return cls(folder, pack, latent_dim, unit_per_phi)

    def write(self, first: int, latent: Rows, timbre: Rows) -> None:
        """Write rows from row ``first`` on; on the disk when this returns."""
        self.latent.write(first, latent)
        self.timbre.write(first, timbre)

    def distances(self, timbre: Rows) -> Rows:
        """Perceptual distances of a sound (512,) to every row, (row,), in the model's unit; exact."""
        rows = self.timbre.rows(self._count())
        distances = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), CHUNK):
            apart = rows[start : start + CHUNK] - timbre
            distances[start : start + CHUNK] = np.sqrt(np.einsum("rm,rm->r", apart, apart))
        return distances * np.float32(self.unit_per_phi)

    def _count(self) -> int:
        return self.timbre.path.stat().st_size // (4 * TIMBRE) if self.timbre.path.exists() else 0
