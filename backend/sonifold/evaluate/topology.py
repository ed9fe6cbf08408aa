"""The topology of the library's sounds, and how well the latent space preserves it.

The library under three distances: features (Phi of the recordings), Euclidean in latent space, and geodesic under the
pack's default metric. For each its intrinsic dimension by several estimators, the persistent homology of its
Vietoris-Rips complex against Gaussians of the same covariance, and how well the others agree with the first.

Needs the extra ``topology`` (gudhi, scikit-dimension, matplotlib).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from sonifold import geodesic
from sonifold.evaluate import resume
from sonifold.intervals import Estimate, bootstrap
from sonifold.model import Model

SOUNDS = 256  # of the library: 32,640 geodesics between them
NULLS = 100  # Gaussian clouds
HALVES = 10  # random splits, for the spread that sampling alone gives a diagram
NEIGHBOURS = 10
PERSISTENT = 0.95  # quantile of the null's longest bar that a loop must exceed
SPACES = {"feature": "features (Phi)", "latent": "latent, Euclidean", "geodesic": "latent, geodesic"}
Distances = NDArray[np.float64]
Diagram = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


# -- points ---------------------------------------------------------------------------------------


def distinct(*spaces: torch.Tensor) -> NDArray[np.intp]:
    """Rows of points (point, dimension) that are no earlier point again, in any of several spaces; ascending.

    A point that occurs twice has a neighbour at distance 0, whose logarithm decides every estimate of dimension:
    scikit-dimension's maximum likelihood then says 0.
    """
    first = [np.unique(space.numpy(), axis=0, return_index=True)[1] for space in spaces]
    return np.array(sorted(set.intersection(*(set(rows.tolist()) for rows in first))), dtype=np.intp)


# -- distances ------------------------------------------------------------------------------------


def distances(model: Model, rows: torch.Tensor, progress: Progress) -> dict[str, Distances]:
    """Distance matrices (sound, sound) of the chosen library sounds under each of SPACES."""
    z, phi = model.library.z[rows].double(), model.library.timbre[rows].double()
    return {
        "feature": torch.cdist(phi, phi).numpy(),
        "latent": torch.cdist(z, z).numpy(),
        "geodesic": _geodesic(model, rows, progress),
    }


def _geodesic(model: Model, sounds: torch.Tensor, progress: Progress) -> Distances:
    metric, z, count = model.metric(), model.library.z[sounds], len(sounds)

    def row(index: int) -> dict[str, Any]:
        progress("geodesics, row", index + 1, count - 1)
        return {
            "d": geodesic.lengths(metric, z[index].expand(count - index - 1, -1), z[index + 1 :]).tolist()
        }

    about = {
        "weights": model.config.files["weights.safetensors"],
        "metric": model.config.metric.model_dump(),
        "sounds": count,
    }
    rows = resume.cases(f"{model.name}-topology", about, count - 1, row)
    out = np.zeros((count, count))
    for index, record in enumerate(rows):
        out[index, index + 1 :] = out[index + 1 :, index] = record["d"]
    return out


def scaled(d: Distances) -> Distances:
    """Divided by the median distance, so that spaces can be compared."""
    return d / np.median(d[np.triu_indices(len(d), 1)])


# -- intrinsic dimension --------------------------------------------------------------------------


def dimensions(d: Distances) -> dict[str, Estimate]:
    """Three estimates from distances alone, with bootstrap intervals over points."""
    near = np.sort(d + np.diag(np.full(len(d), np.inf)), 1)[:, :NEIGHBOURS]
    return {
        "TwoNN": two_nn(near),
        f"MLE, k = {NEIGHBOURS}": maximum_likelihood(near),
        "correlation": correlation(d),
    }


def two_nn(near: Distances) -> Estimate:
    """Facco et al. 2017, "Estimating the intrinsic dimension by a minimal neighborhood information".

    near: (point, k >= 2), distances to the nearest, ascending. With mu = r2/r1, d = n / sum log mu; the interval is
    that of the mean of log mu, turned over.
    """
    mean = bootstrap(np.log(near[:, 1] / np.maximum(near[:, 0], 1e-12)))
    return _reciprocal(mean)


def maximum_likelihood(near: Distances) -> Estimate:
    """Levina & Bickel 2004, the inverse averaged over points as MacKay & Ghahramani 2005 say.

    near: (point, k), ascending. 1/d = mean of 1/(k-1) sum_j log(r_k / r_j).
    """
    k = near.shape[1]
    return _reciprocal(bootstrap(np.log(near[:, -1:] / np.maximum(near[:, :-1], 1e-12)).sum(1) / (k - 1)))


def _reciprocal(e: Estimate) -> Estimate:
    return Estimate(1 / e.mean, 1 / e.high, 1 / e.low, e.n)


def correlation(d: Distances, low: float = 0.005, high: float = 0.05, resamples: int = 200) -> Estimate:
    """Slope of log C(r) between two quantiles of the distances; Grassberger & Procaccia 1983.

    The interval is by resampling points, pairs of a point with itself left out.
    """

    def slope(values: NDArray[Any]) -> float:
        near, far = np.quantile(values, [low, high])
        return float(np.log(high / low) / np.log(far / max(near, 1e-12)))

    rows, columns = np.triu_indices(len(d), 1)
    resampled = [slope(d[pairs]) for pairs in _resampled_pairs(len(d), resamples)]
    return Estimate(slope(d[rows, columns]), *_interval(resampled), len(d))


def _resampled_pairs(count: int, resamples: int) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Pairs among points drawn with replacement, without those of a point and itself; (row, column) of each."""
    rows, columns = np.triu_indices(count, 1)
    draw = np.random.default_rng(0)
    for _ in range(resamples):
        indices = draw.integers(count, size=count)
        a, b = indices[rows], indices[columns]
        yield a[a != b], b[a != b]


def _interval(resampled: list[float]) -> tuple[float, float]:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def coordinate_dimensions(points: NDArray[Any]) -> dict[str, float]:
    """Of points (point, dimension) by estimators that want coordinates, from scikit-dimension (Bac et al. 2021).

    Repeated points count once. In many dimensions all but lPCA come out low.
    """
    import skdim

    estimators = {
        "lPCA": skdim.id.lPCA(),
        "MLE": skdim.id.MLE(),
        "TLE": skdim.id.TLE(),
        "TwoNN": skdim.id.TwoNN(),
    }
    once = points[distinct(torch.from_numpy(points))]
    return {name: float(estimator.fit(once).dimension_) for name, estimator in estimators.items()}


# -- persistent homology --------------------------------------------------------------------------


def homology(d: Distances) -> list[Diagram]:
    """Diagrams (bar, 2) of birth and death in H0 and H1 of the Vietoris-Rips complex, finite bars only.

    gudhi's Rips persistence, built on Ripser (Bauer 2021).
    """
    from gudhi.sklearn.rips_persistence import RipsPersistence

    # a matrix that is symmetric but for rounding sends Ripser round in circles until the memory is full
    exact = np.tril(d, -1)
    rips = RipsPersistence(homology_dimensions=[0, 1], input_type="full distance matrix")
    return [
        bars[np.isfinite(bars[:, 1])] for bars in map(np.asarray, rips.fit_transform([exact + exact.T])[0])
    ]


def gaussian_clouds(d: Distances, count: int, seed: int = 0) -> list[Distances]:
    """Distances of Gaussian clouds of as many points with the same covariance.

    The covariance is that of the classical scaling (Torgerson 1952) of the distances, its negative part left out: for
    Euclidean distances exactly that of the points.
    """
    n = len(d)
    centring = np.eye(n) - 1 / n
    variances = np.linalg.eigvalsh(-0.5 * centring @ d**2 @ centring).clip(min=0) / (n - 1)
    draw = np.random.default_rng(seed)
    deviations = np.sqrt(variances[variances > 1e-9 * variances.max()])
    clouds = (torch.from_numpy(draw.normal(size=(n, len(deviations))) * deviations) for _ in range(count))
    return [torch.cdist(cloud, cloud).numpy() for cloud in clouds]


def against_null(diagram: list[Diagram], nulls: list[list[Diagram]]) -> dict[str, Any]:
    """Longest loop, loops longer than almost all of the null's longest, and total length of components, with ranks."""
    loops, pieces = (bar_lengths(diagram[k]) for k in (1, 0))
    longest = np.array([bar_lengths(null[1]).max(initial=0) for null in nulls])
    total = np.array([bar_lengths(null[0]).sum() for null in nulls])
    limit = float(np.quantile(longest, PERSISTENT))
    return {
        "longest_loop": float(loops.max(initial=0)),
        "null_longest_loop": _quantiles(longest),
        "loops_beyond_null": int((loops > limit).sum()),
        "rank_of_longest": float(np.mean(longest < loops.max(initial=0))),
        "components": float(pieces.sum()),
        "null_components": _quantiles(total),
    }


def _quantiles(values: NDArray[Any]) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return {"low": float(low), "median": float(middle), "high": float(high)}


def bar_lengths(diagram: Diagram) -> NDArray[Any]:
    return diagram[:, 1] - diagram[:, 0]


def diagram_distances(first: Distances, second: Distances) -> dict[str, Any]:
    """Bottleneck and 1-Wasserstein distance of H1, beside those between random halves of the first space.

    Halves have fewer points, hence longer bars; so the spaces are compared on halves as well: the same half in both,
    against two different halves of one.
    """
    import gudhi
    from gudhi.hera import wasserstein_distance

    draw = np.random.default_rng(0)
    across: dict[str, list[float]] = {"bottleneck": [], "wasserstein": []}
    within: dict[str, list[float]] = {"bottleneck": [], "wasserstein": []}
    for _ in range(HALVES):
        order = draw.permutation(len(first))
        half_of_first, other = np.array_split(order, 2)
        a, b, c = (
            homology(scaled(d[np.ix_(half, half)]))[1]
            for d, half in ((first, half_of_first), (second, half_of_first), (first, other))
        )
        for kind, x, y in ((across, a, b), (within, a, c)):
            kind["bottleneck"].append(gudhi.bottleneck_distance(x, y))
            kind["wasserstein"].append(wasserstein_distance(x, y, order=1, internal_p=2))
    return {
        "spaces": {name: float(np.mean(values)) for name, values in across.items()},
        "halves": {name: float(np.mean(values)) for name, values in within.items()},
    }


# -- does the latent keep it? ---------------------------------------------------------------------


def distance_preservation(before: Distances, after: Distances) -> dict[str, Estimate]:
    """Rank correlation of all distances, trustworthiness and continuity (Venna & Kaski 2001) of ``after``."""
    return {
        "spearman": rank_agreement(before, after),
        "trustworthiness": trustworthiness(before, after),
        "continuity": trustworthiness(after, before),
    }


def rank_agreement(before: Distances, after: Distances, resamples: int = 200) -> Estimate:
    """Spearman's rho over pairs of points; the interval by resampling points."""
    rows, columns = np.triu_indices(len(before), 1)
    resampled = [
        spearmanr(before[pairs], after[pairs]).statistic for pairs in _resampled_pairs(len(before), resamples)
    ]
    rho = float(spearmanr(before[rows, columns], after[rows, columns]).statistic)
    return Estimate(rho, *_interval(resampled), len(before))


def trustworthiness(before: Distances, after: Distances, k: int = NEIGHBOURS) -> Estimate:
    """1 - 2/(k (2n - 3k - 1)) sum over neighbours after that were none before, of rank before - k, a point's mean."""
    n = len(before)
    ranks = np.argsort(np.argsort(before + np.diag(np.full(n, -np.inf)), 1), 1)  # 0 is the point itself
    near = np.argsort(after + np.diag(np.full(n, np.inf)), 1)[:, :k]
    excess = np.maximum(np.take_along_axis(ranks, near, 1) - k, 0).sum(1)
    return bootstrap(1 - 2 / (k * (2 * n - 3 * k - 1)) * excess)


def purity(d: Distances, families: NDArray[Any]) -> dict[str, Any]:
    """Share of sounds whose nearest other one is of their family, and what chance would give."""
    near = np.argmin(d + np.diag(np.full(len(d), np.inf)), 1)
    _, counts = np.unique(families, return_counts=True)
    chance = float((counts * (counts - 1)).sum() / (len(d) * (len(d) - 1)))
    return {"same": bootstrap((families == families[near]).astype(float)), "chance": chance}
