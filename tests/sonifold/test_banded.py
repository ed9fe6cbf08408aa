"""Products with banded matrices are the dense products."""

import numpy as np
import pytest
import torch

from sonifold.audio.banded import Banded
from sonifold.representation import grid
from sonifold.representation.spectral import BINS, GROUPS, Spectral

CENTRES = grid.band_centres(Spectral.bands, BINS)
MATRICES = {
    "bands of bins": grid.triangles(CENTRES, BINS).T,
    "bins between bands": grid.linear_interpolation(CENTRES, np.arange(BINS)).T,
    "means of hops": grid.group_means(GROUPS),
    "a full matrix": np.random.default_rng(0).random((7, 5)),
    "a block of nothing": np.kron([[1.0, 0.0], [0.0, 0.0]], np.ones((3, 4))),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_product_block_by_block_is_the_dense_one(name):
    matrix = MATRICES[name]
    values = torch.rand(2, 3, len(matrix), generator=torch.Generator().manual_seed(1))
    product = Banded(matrix).after(values)
    torch.testing.assert_close(product, values @ torch.from_numpy(matrix).float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 40, 255])
def test_rows_that_do_not_come_count_as_nothing(count):
    matrix = MATRICES["means of hops"]
    values = torch.rand(3, len(matrix), generator=torch.Generator().manual_seed(2))
    cut = torch.where(torch.arange(len(matrix)) < count, values, 0)
    banded = Banded(matrix)
    torch.testing.assert_close(banded.after(values[:, :count]), banded.after(cut))
