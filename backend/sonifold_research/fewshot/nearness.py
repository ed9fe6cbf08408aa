"""Nearest by which distance? Between the sounds that a classifier may know and those it is asked about.

by ear      |Phi_a - Phi_b| of the recordings
latent      |z_a - z_b|
pull-back   length of the straight line under the decoder's metric in Phi, N steps
geodesic    length of the geodesic under the pack's metric
through     shortest way through the pack's library, each step costing its squared distance by ear (Bijral, Ratliff
            and Srebro 2011): unlabelled sounds take part
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from sonifold.geodesic.distances import lengths
from sonifold.types import Points
from sonifold_research.fewshot.bench import Bench

STEPS = 6  # of the straight line
PAIRS = 256  # solved at once
NEIGHBOURS = 10
NAMES = ("by ear", "latent", "pull-back", "geodesic", "through")
Progress = Callable[[str, int, int], None]


def tables(
    bench: Bench,
    queries: tuple[Tensor, Points],
    references: tuple[Tensor, Points],
    cache: Path,
    progress: Progress,
) -> dict[str, Tensor]:
    """Every distance between queries and references, each (coefficients, points); kept in ``cache``.

    Returns:
        by name, (query, reference).
    """
    if not cache.exists():
        distances = {
            "by ear": torch.cdist(queries[0] @ bench.timbre_weight.T, references[0] @ bench.timbre_weight.T),
            "latent": torch.cdist(queries[1], references[1]),
            "pull-back": straight(bench, queries[1], references[1]),
            "through": through(
                queries[0] @ bench.timbre_weight.T,
                references[0] @ bench.timbre_weight.T,
                bench.library @ bench.timbre_weight.T,
            ),
            "geodesic": _geodesic(bench, queries[1], references[1], progress),
        }
        save_file({name: table.contiguous() for name, table in distances.items()}, cache)
    return load_file(cache)


@torch.no_grad()
def straight(bench: Bench, queries: Points, references: Points, steps: int = STEPS) -> Tensor:
    """Lengths of straight lines by ear, (query, reference)."""
    t = torch.linspace(0, 1, steps + 1)[:, None, None]
    rows = []
    for point in queries:
        decoded = bench.model.coordinates(((1 - t) * point + t * references).flatten(0, 1))
        rows.append(decoded.unflatten(0, (steps + 1, -1)).diff(dim=0).norm(dim=2).sum(0))
    return torch.stack(rows)


def _geodesic(bench: Bench, queries: Points, references: Points, progress: Progress) -> Tensor:
    metric = bench.model.metric()
    rows, columns = torch.cartesian_prod(torch.arange(len(queries)), torch.arange(len(references))).T
    parts = []
    for block in torch.arange(len(rows)).split(PAIRS):
        parts.append(lengths(metric, queries[rows[block]], references[columns[block]]).float())
        progress("classifier: geodesics", int(block[-1]) + 1, len(rows))
    return torch.cat(parts).view(len(queries), len(references))


def through(queries: Tensor, references: Tensor, between: Tensor, neighbours: int = NEIGHBOURS) -> Tensor:
    """Least sum of squared steps from (query, feature) to (reference, feature) over each other and ``between``."""
    everything = torch.cat([queries, references, between]).double()
    apart = torch.cdist(everything, everything).square()
    near = apart.topk(min(neighbours + 1, len(everything)), largest=False)
    rows = torch.arange(len(everything)).repeat_interleave(near.indices.shape[1]).numpy()
    # an edge of length zero would be no edge to scipy
    weights = near.values.clamp(min=1e-12).flatten().numpy()
    graph = csr_array((weights, (rows, near.indices.flatten().numpy())), shape=apart.shape)
    lengths_over_graph = dijkstra(graph, directed=False, indices=range(len(queries)))[
        :, len(queries) : len(queries) + len(references)
    ]
    path_lengths = torch.from_numpy(lengths_over_graph)
    # where no way leads, the direct step
    return torch.where(
        path_lengths.isfinite(),
        path_lengths,
        apart[: len(queries), len(queries) : len(queries) + len(references)],
    ).float()
