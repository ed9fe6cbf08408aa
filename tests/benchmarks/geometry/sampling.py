"""HMC on the volume element: ours against pythae's RHVAESampler, on the same metric with full matrices."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import kernel as kernels
import torch
from environments import PeerFailed, run

from sonifold.metric import KernelMetric
from sonifold.sample.hmc import VolumeHMC
from sonifold.sample.volume import VolumeDensity

COUNT = 1000
LIMIT = 200
#: Of pythae's hundred transitions, how many are timed, by latent dimension.
TRANSITIONS = {2: 20, 8: 6, 16: 3}


def measure(latent: int) -> dict:
    """Seconds for 1000 samples at each one's default settings, acceptance, escapes, error of the gradient."""
    metric = kernels.metric(True, latent)
    sampler = VolumeHMC(metric)
    sampler.sample(8)
    began = time.perf_counter()
    drawn = sampler.sample(COUNT)
    seconds = time.perf_counter() - began
    return {
        "latent": latent,
        "centroids": len(metric.centroids),
        "sonifold": {
            "seconds": seconds,
            "acceptance": drawn.acceptance,
            "escapes": drawn.escapes,
            "gradient_error": gradient_error(metric),
        },
        "pythae": pythae(metric),
    }


def pythae(metric: KernelMetric) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        problem, output = Path(folder) / "problem.safetensors", Path(folder) / "result.json"
        kernels.write(problem, metric)
        transitions = TRANSITIONS[metric.centroids.shape[1]]
        try:
            note = run("run_pythae", problem, output, transitions, COUNT, peer="pythae", limit=LIMIT)
        except PeerFailed as error:
            note = str(error)
        if not output.exists():
            return {
                "note": note,
                "seconds": None,
                "acceptance": None,
                "escapes": None,
                "gradient_error": None,
            }
        result = json.loads(output.read_text())
    density = VolumeDensity(metric)
    support = density.reach + 6 * density.edge
    escapes = sum(not away <= support for away in result.pop("away"))
    return {**result, "escapes": escapes, "note": note}


def gradient_error(metric: KernelMetric) -> float:
    """Largest relative error of the gradient in single precision, against autograd in double."""
    density, double = VolumeDensity(metric), VolumeDensity(metric.to(torch.float64))
    noise = torch.randn(32, metric.centroids.shape[1], generator=torch.Generator().manual_seed(0))
    z = metric.centroids[:32] + 0.1 * noise
    found = density(z)[1].double()
    y = z.double().requires_grad_(True)
    (exact,) = torch.autograd.grad(double(y)[0].sum(), y)
    return float((found - exact).norm() / exact.norm())
