"""Products with matrices that are nonzero only near a diagonal, as those of overlapping bands and frames are."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonifold.arrays import float_tensor

BLOCKS = 4  # of columns: with more the products become too small to be fast


class Banded:
    """A matrix (row, column) that is multiplied block by block, each block of columns with the rows it needs.

    The same numbers as the dense product to rounding, in a third of the time for triangular bands of an FFT.
    """

    def __init__(
        self, matrix: NDArray[np.floating], device: torch.device | str = "cpu", blocks: int = BLOCKS
    ):
        """``blocks`` of columns, as equal as can be."""
        self._parts: list[tuple[slice, Tensor]] = []
        for columns in np.array_split(matrix, blocks, axis=1):
            used = np.flatnonzero(columns.any(1))
            rows = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
            self._parts.append((rows, float_tensor(columns[rows], device)))
        self.rows: int = matrix.shape[0]

    @property
    def device(self) -> torch.device:
        return self._parts[0][1].device

    def to(self, device: torch.device) -> Banded:
        """A copy on a device."""
        copied = Banded.__new__(Banded)
        copied._parts = [(rows, part.to(device)) for rows, part in self._parts]
        copied.rows = self.rows
        return copied

    def after(self, values: Tensor) -> Tensor:
        """``values`` (..., row) @ matrix, (..., column). Of ``values`` fewer rows may come: the others count as 0."""
        count = values.shape[-1]
        return torch.cat(
            [values[..., rows] @ part[: max(0, count - rows.start)] for rows, part in self._parts], -1
        )
