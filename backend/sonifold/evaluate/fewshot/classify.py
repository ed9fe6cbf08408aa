"""Geometry for a classifier: synthetic sounds added to a few real ones per class.

The protocol of Chadebec, Thibeau-Sutre, Burgos and Allassonnière, "Data augmentation in high dimensional low sample
size setting using a geometry-based variational autoencoder" (TPAMI 2022), carried to sounds: three classes, N real
sounds of each, synthetic ones added, balanced accuracy on a fixed test set of real sounds, and on a second one from
elsewhere. Theirs is a VAE trained on each class; here the base stays as it is and the samplers work around the
class's latent points, so ``prior`` is the Gaussian of the class.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.adapt import alter, replay
from sonifold.datasets import table
from sonifold.evaluate.fewshot.bench import Bench
from sonifold.evaluate.fewshot.groups import KITS
from sonifold.metric import KernelMetric
from sonifold.path import NODES
from sonifold.sample.importance import ImportanceResampling
from sonifold.types import Points

CLASSES = ("Snare", "Tom", "Percussion")
COUNTS = (5, 10, 20, 50)
SEEDS = 10
TEST = 24  # real sounds of each class, the same for every cell
ELSEWHERE = 60  # sounds of each class in the second test set: the base's library
SYNTHETIC = 150  # of each class, in every arm that makes any
PAIRS = 50  # of each class, three places on each
SCALES = (0.25, 0.5, 1.0, 2.0)  # of the median distance, of the tuned classifier's kernel
RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
FOLDS = 4
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Material:
    """Real sounds by class: places among the bench's sounds to draw from and to test on, and the other test set."""

    pool: tuple[list[int], ...]
    test: tuple[list[int], ...]
    elsewhere: tuple[Tensor, ...]  # coefficients (sound, K)

    @classmethod
    def of(cls, bench: Bench, dataset: Path) -> Material:
        """Foreign kits for training and the first test; the library's sounds of the same families for the second."""
        families = []
        rows = table.read(dataset)
        for group in KITS:
            families += [row.family if row.split == "foreign" else "" for row in rows if row.group == group]
        library = replay.coefficients(bench.model)
        pool, test, elsewhere = [], [], []
        for number, name in enumerate(CLASSES):
            draw = np.random.default_rng(number)
            places = draw.permutation([i for i, family in enumerate(families) if family == name]).tolist()
            test.append(places[:TEST])
            pool.append(places[TEST:])
            known = [i for i, family in enumerate(bench.model.library.families) if family == name]
            elsewhere.append(library[draw.permutation(known)[:ELSEWHERE].tolist()])
        return cls(tuple(pool), tuple(test), tuple(elsewhere))


def run(bench: Bench, dataset: Path, folder: Path, progress: Progress) -> None:
    """Every cell that is not there yet, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    material = Material.of(bench, dataset)
    cells = [(count, seed) for seed in range(SEEDS) for count in COUNTS]
    for done, (count, seed) in enumerate(cells, 1):
        path = folder / f"{count}-{seed}.json"
        if not path.exists():
            found = {"count": count, "seed": seed, "arms": measure(bench, material, count, seed)}
            path.write_text(json.dumps(found), encoding="utf-8")
        progress(f"classifier: {count} of each class", done, len(cells))


def measure(bench: Bench, material: Material, count: int, seed: int) -> dict[str, dict[str, float]]:
    """Balanced accuracies of both classifiers on both test sets, for every way of adding sounds."""
    draw = np.random.default_rng([seed, count])
    chosen = [draw.permutation(pool)[:count].tolist() for pool in material.pool]
    real = [bench.encodings.coefficients[places] for places in chosen]
    tests = {
        "test": [bench.encodings.coefficients[places] for places in material.test],
        "elsewhere": list(material.elsewhere),
    }
    found = {}
    for name, make in ARMS.items():
        made = (
            [make(bench, places, seed) for places in chosen]
            if make is not None
            else [rows[:0] for rows in real]
        )
        found[name] = _accuracies(bench, real, made, tests, seed)
    return found


# -- ways to make more ----------------------------------------------------------------------------


def _classic(bench: Bench, places: list[int], seed: int) -> Tensor:
    return _some(bench.encodings.copies[places].flatten(0, 1), seed)


def _transposed(bench: Bench, places: list[int], seed: int) -> Tensor:
    features, _ = bench.model.representation.analyse(bench.sounds.audio[places])
    each = -(-SYNTHETIC // len(places))
    made = alter.copies(features, each, bench.model.representation, np.random.default_rng(seed))
    return _some(bench.model.coefficients.analyse(made.flatten(0, 1)), seed)


def _between(bench: Bench, places: list[int], seed: int, kind: str) -> Tensor:
    """Three places on the way between random pairs of a class, residuals carried along."""
    draw = np.random.default_rng([seed, 3])
    pairs = np.array([draw.choice(len(places), 2, replace=False) for _ in range(PAIRS)])
    first, second = torch.from_numpy(pairs.T.copy())
    t = torch.from_numpy(draw.uniform(0.1, 0.9, (PAIRS, SYNTHETIC // PAIRS))).float()
    values, z = bench.encodings.coefficients[places], bench.encodings.z[places]

    def across(rows: Tensor) -> Tensor:
        return ((1 - t)[..., None] * rows[first][:, None] + t[..., None] * rows[second][:, None]).flatten(
            0, 1
        )

    if kind == "cross-fade":
        return across(values)
    if kind == "linear":
        points = across(z)
    else:
        nodes = geodesic.solve(bench.model.metric(), z[first], z[second], NODES).nodes
        points = geodesic.at(nodes, t).flatten(0, 1)
    vae = bench.model.vae
    return vae.decode(points) + across(values - vae.decode(z))


def _prior(bench: Bench, places: list[int], seed: int) -> Tensor:
    """The class's Gaussian, its covariance shrunk halfway to its diagonal."""
    z = bench.encodings.z[places]
    covariance = torch.cov(z.T)
    covariance = 0.5 * covariance + 0.5 * torch.diag(covariance.diagonal().clamp(min=1e-4))
    root = torch.linalg.cholesky(covariance + 1e-5 * torch.eye(len(covariance)))
    noise = torch.randn(SYNTHETIC, z.shape[1], generator=torch.Generator().manual_seed(seed))
    return _decoded(bench, places, z.mean(0) + noise @ root.T)


def _mixture(bench: Bench, places: list[int], seed: int) -> Tensor:
    """The posteriors of the class, mixed."""
    draw = torch.Generator().manual_seed(seed)
    which = torch.randint(len(places), (SYNTHETIC,), generator=draw)
    _, log_variance = bench.model.vae.encode(bench.encodings.coefficients[places])
    noise = torch.randn(SYNTHETIC, bench.model.latent_dim, generator=draw)
    return _decoded(
        bench, places, bench.encodings.z[places][which] + (0.5 * log_variance[which]).exp() * noise
    )


def _metric(bench: Bench, places: list[int], seed: int) -> Tensor:
    """The volume of the kernel metric over the class's posteriors."""
    _, log_variance = bench.model.vae.encode(bench.encodings.coefficients[places])
    metric = KernelMetric.posterior(bench.encodings.z[places], log_variance.exp())
    return _decoded(bench, places, ImportanceResampling(metric).sample(SYNTHETIC, seed).points)


def _decoded(bench: Bench, places: list[int], points: Points) -> Tensor:
    """Decodings with the residual of the class's nearest sound."""
    vae, z = bench.model.vae, bench.encodings.z[places]
    residuals = bench.encodings.coefficients[places] - vae.decode(z)
    return vae.decode(points) + residuals[torch.cdist(points, z).argmin(1)]


def _some(rows: Tensor, seed: int) -> Tensor:
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows[order[:SYNTHETIC]]


ARMS: dict[str, Callable[[Bench, list[int], int], Tensor] | None] = {
    "real only": None,
    "classic augmentation": _classic,
    "transposed in features": _transposed,
    "cross-fade": lambda bench, places, seed: _between(bench, places, seed, "cross-fade"),
    "linear interpolation": lambda bench, places, seed: _between(bench, places, seed, "linear"),
    "geodesic": lambda bench, places, seed: _between(bench, places, seed, "geodesic"),
    "prior (class Gaussian)": _prior,
    "mixture of posteriors": _mixture,
    "metric volume": _metric,
}

# -- classifiers ----------------------------------------------------------------------------------


@torch.no_grad()
def _accuracies(
    bench: Bench, real: list[Tensor], made: list[Tensor], tests: dict[str, list[Tensor]], seed: int
) -> dict[str, float]:
    heard = [torch.cat(rows) @ bench.heard.T for rows in (real, made)]
    centre, spread = heard[0].mean(0), heard[0].std()
    inputs = [(rows - centre) / spread for rows in heard]
    labels = [_labels(real), _labels(made)]
    train, wanted = torch.cat(inputs), torch.cat(labels)
    tuned = _tuned(inputs[0], labels[0], train, wanted, seed)
    found = {}
    for name, rows in tests.items():
        given, truth = (torch.cat(rows) @ bench.heard.T - centre) / spread, _labels(rows)
        found[f"weak, {name}"] = balanced_accuracy(_nearest(train, wanted, given), truth)
        found[f"tuned, {name}"] = balanced_accuracy(tuned(given), truth)
    return found


def _labels(rows: list[Tensor]) -> Tensor:
    return torch.cat([torch.full((len(part),), number) for number, part in enumerate(rows)])


def balanced_accuracy(said: Tensor, truth: Tensor) -> float:
    """Mean over classes of the share recognised."""
    return float(
        torch.stack([(said[truth == label] == label).float().mean() for label in truth.unique()]).mean()
    )


def _nearest(train: Tensor, wanted: Tensor, given: Tensor) -> Tensor:
    """The weak classifier: the nearest sound to the ear, with nothing to tune."""
    return wanted[torch.cdist(given, train).argmin(1)]


def _tuned(
    real: Tensor, labels: Tensor, train: Tensor, wanted: Tensor, seed: int
) -> Callable[[Tensor], Tensor]:
    """Kernel ridge, one class against the others; scale and ridge by cross-validation on the real sounds."""
    unit = torch.pdist(real).median()
    folds = torch.arange(len(real)) % FOLDS
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    folds = folds[order.argsort()]
    best, settings = -1.0, (SCALES[0], RIDGES[0])
    for scale in SCALES:
        for ridge in RIDGES:
            said = torch.empty_like(labels)
            for fold in range(FOLDS):
                out = folds == fold
                fit = _kernel_ridge(real[~out], labels[~out], scale * unit, ridge)
                said[out] = fit(real[out])
            reached = balanced_accuracy(said, labels)
            if reached > best:
                best, settings = reached, (scale, ridge)
    return _kernel_ridge(train, wanted, settings[0] * unit, settings[1])


def _kernel_ridge(rows: Tensor, labels: Tensor, scale: Tensor, ridge: float) -> Callable[[Tensor], Tensor]:
    def kernel(given: Tensor) -> Tensor:
        return (-0.5 * (torch.cdist(given, rows) / scale).square()).exp()

    counts = torch.bincount(labels, minlength=len(CLASSES)).float()
    weights = 1 / counts[labels]
    targets = torch.nn.functional.one_hot(labels, len(CLASSES)).float() * 2 - 1
    noise = ridge / (weights / weights.mean())
    solution = torch.linalg.solve(kernel(rows) + torch.diag(noise), targets)
    return lambda given: (kernel(given) @ solution).argmax(1)
