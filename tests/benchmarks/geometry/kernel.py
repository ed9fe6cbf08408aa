"""Geodesics of the kernel metric: GEORCE and ``solve`` against L-BFGS on an energy differentiated by torch."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from decoders import load
from environments import BUILD, run
from judge import FINE
from safetensors.torch import save_file
from torch import Tensor

from sonifold.geodesic import georce, line, resample, solve
from sonifold.metric import KernelMetric

LATENT, CENTROIDS, PAIRS = 16, 200, 24
CLOSE = 1.01
LIMIT = 200


def metric(full: bool, latent: int = LATENT, centroids: int = CENTROIDS) -> KernelMetric:
    """Of the posteriors of a strokes VAE; ``full``: with matrices M_i that are not diagonal, as an RHVAE has."""
    case = load(latent, BUILD / "bench")
    picked = torch.randperm(len(case.means), generator=torch.Generator().manual_seed(3))[:centroids]
    diagonal = KernelMetric.posterior(case.means[picked], case.variances[picked])
    if not full:
        return diagonal
    turns = torch.linalg.qr(
        torch.randn(centroids, latent, latent, generator=torch.Generator().manual_seed(4))
    )[0]
    matrices = turns @ torch.diag_embed(diagonal.matrices) @ turns.mT
    return KernelMetric(
        diagonal.centroids, (matrices + matrices.mT) / 2, diagonal.temperature, diagonal.ridge
    )


def write(file: Path, kernel: KernelMetric, **more: Tensor) -> None:
    """For the peers' processes."""
    numbers = {"temperature": torch.tensor(kernel.temperature), "ridge": torch.tensor(kernel.ridge)}
    save_file({"centroids": kernel.centroids, "matrices": kernel.matrices, **numbers, **more}, file)


def measure(full: bool) -> dict:
    """Time to within 1 % of the best energy known, one pair after another."""
    kernel = metric(full)
    starts, ends = load(LATENT, BUILD / "bench").pairs(PAIRS, seed=5)
    fine = KernelMetric(
        *(kernel.centroids.double(), kernel.matrices.double()), kernel.temperature, kernel.ridge, 1
    )

    def judge(curves: Tensor) -> list[float]:
        return fine.energy(resample(curves.double(), FINE)).tolist()

    long = solve(fine, starts.double(), ends.double(), nodes=65, tolerance=1e-5, max_steps=300)
    traces = {
        "sonifold, solve": timed(lambda a, b: solve(kernel, a, b).nodes, starts, ends, judge),
        "sonifold, GEORCE": timed(
            lambda a, b: georce.minimise(kernel, line(a, b, 17), tolerance=2.5e-3).curves, starts, ends, judge
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        problem, output = Path(folder) / "problem.safetensors", Path(folder) / "report.json"
        write(problem, kernel, starts=starts.contiguous(), ends=ends.contiguous())
        note = run("run_kernel_lbfgs", problem, output, limit=LIMIT)
        traces["torch L-BFGS"] = json.loads(output.read_text())["timed"]
    best = [
        min(known, *(found[k]["energies"][-1] for found in traces.values() if k < len(found)))
        for k, known in enumerate(judge(long.nodes))
    ]
    straight = judge(line(starts, ends, 5))
    return {
        "latent": LATENT,
        "centroids": CENTROIDS,
        "full": full,
        "note": note,
        "line_over_best": statistics.median(a / b for a, b in zip(straight, best, strict=True)),
        "solvers": {name: summary(found, best) for name, found in traces.items()},
    }


def timed(
    solver: Callable[[Tensor, Tensor], Tensor],
    starts: Tensor,
    ends: Tensor,
    judge: Callable[[Tensor], list[float]],
) -> list[dict]:
    solver(starts[:1], ends[:1])
    traces = []
    for k in range(len(starts)):
        began = time.perf_counter()
        curves = solver(starts[k : k + 1], ends[k : k + 1])
        traces.append({"seconds": [time.perf_counter() - began], "energies": judge(curves)})
    return traces


def summary(traces: list[dict], best: list[float]) -> dict:
    times = [
        next(
            (t for t, e in zip(trace["seconds"], trace["energies"], strict=True) if e <= CLOSE * best[k]),
            float("inf"),
        )
        for k, trace in enumerate(traces)
    ]
    median = statistics.median(times) if times else float("inf")
    ratios = [trace["energies"][-1] / best[k] for k, trace in enumerate(traces)]
    return {
        "ms_to_1_percent": 1000 * median if median < float("inf") else None,
        "pairs": len(times),
        "pairs_that_arrive": sum(t < float("inf") for t in times),
        "energy_over_best_median": statistics.median(ratios) if ratios else None,
        "energy_over_best_max": max(ratios) if ratios else None,
    }
