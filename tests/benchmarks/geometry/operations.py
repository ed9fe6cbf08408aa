"""The app's operations on the pack ``oneshots``, with two threads."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

import sonifold
from sonifold.geodesic import analogy, frechet_mean, neighbours, solve

REPEATS = 15


def measure() -> dict:
    """Medians in milliseconds: one geodesic and 64 on one thread, the rest on two."""
    model = sonifold.load("oneshots")
    metric, z = model.metric(), model.library.z
    order = torch.randperm(len(z), generator=torch.Generator().manual_seed(0))

    def some(k: int, count: int) -> torch.Tensor:
        return z[order[(torch.arange(count) + 137 * k) % len(z)]]

    def three(k: int) -> list[torch.Tensor]:
        return list(some(k, 3)[:, None].unbind(0))

    torch.set_num_threads(1)
    found = {
        "one_geodesic_ms": median(lambda k: solve(metric, some(k, 2)[:1], some(k, 2)[1:])),
        "batch_of_64_ms": median(lambda k: solve(metric, *some(k, 128).split(64)), 7),
    }
    torch.set_num_threads(2)
    found |= {
        "mean_of_8_ms": median(lambda k: frechet_mean(metric, some(k, 8))),
        "analogy_ms": median(lambda k: analogy(metric, *three(k))),
        "neighbours_of_50_ms": median(lambda k: neighbours(metric, some(k, 1)[0], z)),
    }
    torch.set_num_threads(1)
    return {**found, "latent": z.shape[1], "sounds": len(z)}


def median(call: Callable[[int], object], repeats: int = REPEATS) -> float:
    """Milliseconds, after one call that does not count."""
    call(0)
    seconds = []
    for k in range(1, repeats + 1):
        began = time.perf_counter()
        call(k)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)
