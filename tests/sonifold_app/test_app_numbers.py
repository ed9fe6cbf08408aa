"""Numbers in replies are written with as few digits as say what they are."""

from __future__ import annotations

import numpy as np
import pytest

from sonifold_app.engine.numbers import row_of, rows

SOURCE = np.random.default_rng(0)


@pytest.mark.parametrize(
    "values",
    [
        40 * SOURCE.random(5_000),
        SOURCE.normal(size=5_000) * 1e-3,
        10.0 ** SOURCE.uniform(-44, 38, 5_000) * SOURCE.choice([-1, 1], 5_000),
        np.array([0, -0.0, 1, 2.5, 0.1, 1 / 3, 123_456_789, 1e-45, 3.4e38, np.inf, -np.inf]),
        np.empty(0),
    ],
)
def test_a_number_is_the_shortest_decimal_that_gives_back_the_same_float32(values):
    values = values.astype(np.float32)
    assert row_of(values) == [float(str(value)) for value in values]
    assert rows(values[:4].reshape(-1, 2)) == [row_of(row) for row in values[:4].reshape(-1, 2)]
