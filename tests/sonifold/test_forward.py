"""Forward derivatives are right in however many threads they are taken at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from sonifold.forward import jvp
from sonifold.metric import AnyDecoder

THREADS = 4


def in_threads(function):
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, range(40 * THREADS)))


def test_threads_do_not_end_each_others_derivatives():
    """d/dz |z|^2 along v is 2 z . v, also while others differentiate."""
    z, v = torch.randn(2, 64, generator=torch.Generator().manual_seed(0))

    def slope(_):
        return jvp(lambda x: (x.square() * torch.ones(8, 64)).sum(1).mean(), (z,), (v,))[1]

    for found in in_threads(slope):
        torch.testing.assert_close(found, 2 * (z @ v))


def test_a_decoder_is_pushed_through_in_several_threads():
    torch.manual_seed(0)
    decoder = AnyDecoder(
        nn.Sequential(nn.Linear(4, 32), nn.LayerNorm(32), nn.Tanh(), nn.Linear(32, 8)).eval()
    )
    z, v = torch.randn(5, 4), torch.randn(5, 2, 4)
    value, image = decoder.push(z, v)
    for found, pushed in in_threads(lambda _: decoder.push(z, v)):
        torch.testing.assert_close(found, value)
        torch.testing.assert_close(pushed, image)
