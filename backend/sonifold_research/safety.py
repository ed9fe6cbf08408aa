"""What must never happen, counted: paths worse than the line, numbers that are not finite, chains that escape.

On VAEs of the same digits as ``mnist120``, in 2, 8 and 16 dimensions, under every metric of the library; and HMC on the
pack as well. Each dimension's figures lie in the folder, and are not measured twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from sonifold import geodesic
from sonifold.evaluate import measures
from sonifold.metric import Blend, DecoderEnsemble, Flat, KernelMetric, Metric, Pullback, SamplingMetric
from sonifold.sample import VolumeHMC
from sonifold.types import Points
from sonifold.vae.dense import DenseConfig, DenseVAE
from sonifold.vae.fit import FitConfig, fit
from sonifold.vae.metric_network import mlp
from sonifold.vae.rhvae import RHVAE, RHVAEConfig

from .mnist120 import digits
from .mnist120.training import RHVAE_CONFIG, Progress

DIMENSIONS = (2, 8, 16)
PAIRS, NODES, FINE = 500, 17, 8
#: Centroids of the kernel metrics, chains of HMC, seeds of the RHVAE.
CENTROIDS, CHAINS, SEEDS = 200, 200, 10
#: How much dearer than its line a path may be on the finer grid before it counts as worse: float32 over 128 steps.
ROUND_OFF = 1e-5
COMMAND = "sonifold reproduce safety"
Counts = dict[str, float]


def reproduce(out: Path, sources: Path | None, progress: Progress) -> dict[str, Counts]:
    """All figures by what they are of; they are also recorded among the project's measures."""
    out.mkdir(parents=True, exist_ok=True)
    pool = digits.load(sources)
    images = torch.cat(list(pool.values()))
    counts: dict[str, Counts] = {}
    for d in DIMENSIONS:
        counts |= _cached(out / f"paths-{d}.json", partial(_dimension, images, d, progress))
    split = digits.split(pool, 0).train.images
    counts |= _cached(out / "rhvae.json", lambda: {"RHVAE, ten seeds": _ten_seeds(split, progress)})
    counts |= _cached(out / "pack.json", lambda: {"HMC, pack oneshots": _pack()})
    _record(counts)
    return counts


def table(counts_by_name: dict[str, Counts]) -> str:
    """One line each."""
    return "\n".join(
        f"{name:42s}  " + "  ".join(f"{column} {value:.4g}" for column, value in counts.items())
        for name, counts in counts_by_name.items()
    )


def _cached(file: Path, measure: Callable[[], dict[str, Counts]]) -> dict[str, Counts]:
    if not file.exists():
        measured = measure()
        draft = file.with_suffix(".part")
        draft.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        draft.replace(file)
    counts: dict[str, Counts] = json.loads(file.read_text(encoding="utf-8"))
    return counts


def _dimension(images: Tensor, d: int, progress: Progress) -> dict[str, Counts]:
    progress(f"{d} dimensions, training", 0, 1)
    vae, rhvae = _models(images, d)
    with torch.no_grad():
        means, log_variances = vae.encode(images)
    centroids, variances = means[:: len(means) // CENTROIDS], log_variances[:: len(means) // CENTROIDS].exp()
    posterior = KernelMetric.posterior(centroids, variances)
    learned = rhvae.learned_metric(images, CENTROIDS)
    ensemble = DecoderEnsemble.over(_decoders(images, means, vae), centroids)
    pullback = Pullback(vae.decoder)
    with torch.no_grad():
        rhvae_means = rhvae.encode(images)[0]
    metrics: dict[str, tuple[Metric, Points]] = {
        "flat": (Flat(), means),
        "kernel, posterior": (posterior, means),
        "kernel, isotropic": (KernelMetric.isotropic(centroids), means),
        "kernel, learned": (learned, rhvae_means),
        "kernel, learned, normalised": (learned.normalised(), rhvae_means),
        "pullback": (pullback, means),
        "ensemble": (ensemble, means),
        "blend, kernel": (Blend.over(pullback, posterior, centroids), means),
        "blend, kernel, weight 10": (Blend.over(pullback, posterior, centroids, 10.0), means),
        "blend, ensemble": (Blend.over(pullback, ensemble, centroids), means),
    }
    counts: dict[str, Counts] = {}
    for number, (name, (metric, points)) in enumerate(metrics.items()):
        progress(f"{d} dimensions, paths under: {name}", number, len(metrics))
        counts[f"paths, d = {d}, {name}"] = paths(metric, points)
    volumes: dict[str, KernelMetric | SamplingMetric] = {
        "posterior": posterior,
        "learned": learned,
        "sampling metric": SamplingMetric(centroids, variances),
    }
    for number, (name, volume) in enumerate(volumes.items()):
        progress(f"{d} dimensions, HMC on: {name}", number, len(volumes))
        counts[f"HMC, d = {d}, {name}"] = chains(volume)
    return counts


@torch.no_grad()
def paths(metric: Metric, points: Points, pairs: int = PAIRS) -> Counts:
    """Solve random pairs of the points (count, latent); what is not finite, and what is dearer than its line."""
    source = torch.Generator().manual_seed(0)
    starts, ends = points[torch.randint(len(points), (2, pairs), generator=source)]
    solved = geodesic.solve(metric, starts, ends, NODES)
    fine = FINE * (NODES - 1) + 1
    geodesics, lines = (
        torch.cat([metric.energy(part) for part in curves.split(50)])
        for curves in (solved.sample(fine), geodesic.line(starts, ends, fine))
    )
    finite = torch.isfinite(solved.nodes).flatten(1).all(1) & torch.isfinite(geodesics)
    worse = finite & (geodesics > (1 + ROUND_OFF) * lines)
    gain = (geodesics / lines)[(lines > 0) & finite]
    return {
        "pairs": pairs,
        "not finite": int((~finite).sum()),
        "worse than the line": int(worse.sum()),
        "converged": sum(solved.converged) / pairs,
        "energy over the line's, median": float(gain.median()),
    }


def chains(metric: KernelMetric | SamplingMetric, count: int = CHAINS) -> Counts:
    """HMC on a metric's volume: acceptance, escapes, and the gradient's largest error against autograd."""
    samples = VolumeHMC(metric).sample(count)
    y = samples.points.double().requires_grad_(True)
    double = metric.to(torch.float64)
    (expected,) = torch.autograd.grad(double.magnification(y).sum(), y)
    gradient = metric.magnification_gradient(samples.points)[1].double()
    return {
        "chains": count,
        "acceptance": float(samples.acceptance or 0),
        "escapes": int(samples.escapes or 0),
        "gradient error": float((gradient - expected).norm() / expected.norm()),
    }


def _models(images: Tensor, d: int) -> tuple[DenseVAE, RHVAE]:
    sizes = {"features": images.shape[1], "latent_dim": d, "encoder": (256,), "decoder": (256, 256)}
    vae, _ = fit(DenseVAE, DenseConfig(**sizes), images, FitConfig(epochs=20, batch=128, patience=None))
    config = RHVAEConfig(**sizes, metric=(256,))
    rhvae, _ = fit(RHVAE, config, images, FitConfig(epochs=6, batch=128, patience=None))
    return vae, rhvae


def _decoders(images: Tensor, means: Points, vae: DenseVAE, members: int = 3) -> list[nn.Module]:
    """The VAE's decoder, and others trained from other seeds on its means."""
    decoders: list[nn.Module] = [vae.decoder]
    for seed in range(1, members):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            decoder = mlp([means.shape[1], *vae.config.decoder, images.shape[1]])
            optimiser = torch.optim.Adam(decoder.parameters(), 2e-3)
            for _ in range(300):
                batch = torch.randint(len(images), (128,))
                loss = nn.functional.binary_cross_entropy_with_logits(decoder(means[batch]), images[batch])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        decoders.append(decoder.requires_grad_(False))
    return decoders


def _ten_seeds(images: Tensor, progress: Progress) -> Counts:
    """Trainings of the RHVAE at ten times the usual rate: updates left out, and metrics that are not finite."""
    skipped = broken = 0
    for seed in range(SEEDS):
        progress("RHVAE, ten seeds", seed, SEEDS)
        training = FitConfig(epochs=60, learning_rate=1e-2, patience=None, seed=seed)
        model, how = fit(RHVAE, RHVAE_CONFIG, images, training)
        metric = model.learned_metric(images)
        skipped += how.skipped
        broken += not bool(torch.isfinite(metric.log_det(metric.centroids)).all())
    return {"seeds": SEEDS, "not finite": broken, "updates left out": skipped}


def _pack() -> Counts:
    import sonifold

    return chains(sonifold.load("oneshots").kernel, 64)


def _record(counts_by_name: dict[str, Counts]) -> None:
    solved = [counts for name, counts in counts_by_name.items() if name.startswith("paths")]
    sampled = [counts for name, counts in counts_by_name.items() if name.startswith("HMC")]
    bad = sum(counts["not finite"] + counts["worse than the line"] for counts in solved)
    total = int(sum(counts["pairs"] for counts in solved))
    rows = [
        ("paths on digits with NaN or more energy than the line, every metric", bad, "pairs", "<= 0", total),
        ("HMC acceptance, least", min(c["acceptance"] for c in sampled), "", ">= 0.8", len(sampled)),
        ("HMC escapes", sum(c["escapes"] for c in sampled), "chains", "<= 0", len(sampled)),
        (
            "HMC gradient against autograd, worst",
            max(c["gradient error"] for c in sampled),
            "",
            "<= 1e-4",
            len(sampled),
        ),
        (
            "RHVAE trainings with NaN",
            counts_by_name["RHVAE, ten seeds"]["not finite"],
            "seeds",
            "<= 0",
            SEEDS,
        ),
    ]
    for measure, value, unit, bar, n in rows:
        measures.record(measure, value, unit, bar, n, COMMAND, "geometry-safety")
