"""The report about the topology of a library: its words, its tables, its figure.

Needs the extra ``topology``, as :mod:`sonifold.evaluate.topology` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sonifold.evaluate import resume
from sonifold.evaluate.topology import (
    NEIGHBOURS,
    NULLS,
    PERSISTENT,
    SOUNDS,
    SPACES,
    Diagram,
    Distances,
    Progress,
    against_null,
    bar_lengths,
    coordinate_dimensions,
    diagram_distances,
    dimensions,
    distance_preservation,
    distances,
    distinct,
    gaussian_clouds,
    homology,
    purity,
    scaled,
)
from sonifold.files import write_whole
from sonifold.model import Model


def measure(model: Model, folder: Path, progress: Progress) -> dict[str, Any]:
    """Numbers for the card; writes topology.md and topology.png into the folder."""
    once = distinct(model.library.z, model.library.timbre)
    rows = np.sort(np.random.default_rng(0).choice(once, SOUNDS, replace=False))
    spaces = distances(model, torch.from_numpy(rows), progress)
    families = np.array(model.library.families)[rows]
    diagrams = {name: homology(scaled(d)) for name, d in spaces.items()}
    nulls = {}
    for number, (name, d) in enumerate(spaces.items(), 1):
        nulls[name] = [homology(scaled(cloud)) for cloud in gaussian_clouds(d, NULLS)]
        progress("null models", number, len(spaces))
    results = {
        "sounds": SOUNDS,
        "library": len(model.library),
        "weight": model.config.metric.weight,
        "dimension": {name: dimensions(d) for name, d in spaces.items()},
        "dimension_library": {
            "feature": coordinate_dimensions(model.library.timbre.double().numpy()),
            "latent": coordinate_dimensions(model.library.z.double().numpy()),
        },
        "homology": {name: against_null(diagrams[name], nulls[name]) for name in spaces},
        "families": {name: purity(d, families) for name, d in spaces.items()},
        "kept": {
            name: distance_preservation(spaces["feature"], spaces[name]) for name in ("latent", "geodesic")
        },
        "diagram_distance": {
            name: diagram_distances(spaces["feature"], spaces[name]) for name in ("latent", "geodesic")
        },
    }
    plot(folder / "topology.png", spaces, diagrams, nulls, results)
    write_whole(folder / "topology.md", "\n".join(report(results)).encode(), durable=False)
    resume.forget(f"{model.name}-topology")
    return results


def report(results: dict[str, Any]) -> list[str]:
    """The lines of topology.md."""
    return [
        "# The shape of this manifold of sounds",
        "",
        f"{results['sounds']} random sounds of the library under three distances: {', '.join(SPACES.values())} "
        f"(default metric, weight {results['weight']:g}). Intervals are 95 % bootstraps over sounds. Distances are "
        "divided by their median before spaces are compared. Made by `sonifold evaluate --only topology`.",
        "",
        "![Persistence diagrams, intrinsic dimension and distances of the three spaces](topology.png)",
        "",
        "## In words",
        "",
        *conclusions(results),
        *_report_dimension(results),
        *_report_homology(results),
        *_report_agreement(results),
        *_report_families(results),
        "",
    ]


def _report_dimension(results: dict[str, Any]) -> list[str]:
    from sonifold.evaluate.metrics import cell

    estimators = list(next(iter(results["dimension"].values())))
    of_library = results["dimension_library"]
    return [
        "",
        "## Intrinsic dimension",
        "",
        *_heading(estimators),
        *[
            f"| {title} | " + " | ".join(cell(results["dimension"][name][e]) for e in estimators) + " |"
            for name, title in SPACES.items()
        ],
        "",
        f"From coordinates, all {results['library']} sounds (scikit-dimension). Of 1,500 points of a Gaussian in 32 "
        "dimensions lPCA says 32, MLE and TLE 20, TwoNN 23: read the last three as lower bounds.",
        "",
        *_heading(of_library["latent"]),
        *[
            f"| {SPACES[name]} | " + " | ".join(f"{value:.1f}" for value in row.values()) + " |"
            for name, row in of_library.items()
        ],
    ]


def _report_homology(results: dict[str, Any]) -> list[str]:
    lines = [
        "",
        f"## Persistent homology, against {NULLS} Gaussian clouds of the same covariance",
        "",
        "Lengths of bars in median distances. Components: sum of all bars of H0, the length of the minimum spanning "
        "tree; under the null's range means denser clumps than a Gaussian of that covariance has.",
        "",
        *_heading(
            [
                "longest loop (H1)",
                "the clouds' longest",
                "loops beyond 95 % of them",
                "components (H0)",
                "the clouds'",
            ]
        ),
    ]
    for name, title in SPACES.items():
        row = results["homology"][name]
        lines.append(
            f"| {title} | {row['longest_loop']:.3f} | {_range(row['null_longest_loop'])} | "
            f"{row['loops_beyond_null']} | {row['components']:.1f} | {_range(row['null_components'])} |"
        )
    return lines


def _report_agreement(results: dict[str, Any]) -> list[str]:
    from sonifold.evaluate.metrics import cell

    columns = [
        "rank correlation",
        "trustworthiness",
        "continuity",
        "bottleneck (halves)",
        "Wasserstein (halves)",
    ]
    lines = [
        "",
        "## What the latent space keeps of the features",
        "",
        "Spearman over all pairs; trustworthiness (neighbours here that were none in the features count against it) "
        f"and continuity (the reverse) with {NEIGHBOURS} neighbours; distances of H1 diagrams of random halves, beside "
        "those of two different halves of the feature space, which is what sampling alone does.",
        "",
        *_heading(columns),
    ]
    for name, row in results["kept"].items():
        apart = results["diagram_distance"][name]
        cells = [cell(row[key]) for key in ("spearman", "trustworthiness", "continuity")]
        cells += [
            f"{apart['spaces'][k]:.3f} ({apart['halves'][k]:.3f})" for k in ("bottleneck", "wasserstein")
        ]
        lines.append(f"| {SPACES[name]} | " + " | ".join(cells) + " |")
    return lines


def _report_families(results: dict[str, Any]) -> list[str]:
    from sonifold.evaluate.metrics import cell

    return [
        "",
        "## Families",
        "",
        "Share of sounds whose nearest neighbour is of the same family:",
        "",
        *[
            f"- {SPACES[name]}: {cell(row['same'])} (chance {row['chance']:.2f})"
            for name, row in results["families"].items()
        ],
    ]


def _heading(columns: Iterable[str]) -> list[str]:
    """The first two lines of a Markdown table, whose first column names a space."""
    titles = ["", *columns]
    return ["|" + "".join(f" {title} |" if title else " |" for title in titles), "|---" * len(titles) + "|"]


def _range(q: dict[str, float]) -> str:
    return f"{q['median']:.3g} [{q['low']:.3g}, {q['high']:.3g}]"


def conclusions(results: dict[str, Any]) -> list[str]:
    """Sentences that follow from the numbers, and only those."""
    dims = {
        name: [e["mean"] if isinstance(e, dict) else e.mean for e in row.values()]
        for name, row in results["dimension"].items()
    }
    sentences = [
        "- Dimension: "
        + "; ".join(f"{SPACES[name]} {min(v):.0f} to {max(v):.0f}" for name, v in dims.items())
        + ", depending on the estimator. All of them look at small neighbourhoods of few points, which makes them low "
        "where the dimension is high."
    ]
    for name, title in SPACES.items():
        row = results["homology"][name]
        loops, clumped = row["loops_beyond_null"], row["components"] < row["null_components"]["low"]
        shape = (
            f"{loops} loop{'s' if loops > 1 else ''} longer than chance, the longest of them "
            f"{row['longest_loop']:.2f} of the median distance"
            if loops
            else "no loop longer than a Gaussian cloud has by chance"
        )
        clump = "clumped more than a Gaussian cloud" if clumped else "not clumped more than a Gaussian cloud"
        sentences.append(f"- {title}: {shape}; {clump}.")
    rho = {name: row["spearman"] for name, row in results["kept"].items()}
    mean = {name: e["mean"] if isinstance(e, dict) else e.mean for name, e in rho.items()}
    better = max(mean, key=mean.__getitem__)
    sentences.append(
        f"- Distances in the features are kept in rank by {mean['latent']:.2f} (Euclidean) and {mean['geodesic']:.2f} "
        f"(geodesic): of the two, {SPACES[better]} distance is nearer to what the ear's map says."
    )
    return sentences


def plot(
    file: Path,
    spaces: dict[str, Distances],
    diagrams: dict[str, list[Diagram]],
    nulls: dict[str, list[list[Diagram]]],
    results: dict[str, Any],
) -> None:
    """Persistence diagrams, dimensions and distance against distance, as a PNG of less than 300 kB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 6.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    top = max(float(diagram[1].max(initial=0)) for diagram in diagrams.values()) * 1.08
    for axis, (name, title) in zip(axes[0], SPACES.items(), strict=True):
        limit = float(np.quantile([bar_lengths(null[1]).max(initial=0) for null in nulls[name]], PERSISTENT))
        pooled = np.concatenate([null[1] for null in nulls[name][:5]])
        axis.scatter(*pooled.T, s=6, color="#c9c5bd", label="H1, five Gaussian clouds")
        axis.scatter(*diagrams[name][1].T, s=9, color="#d9583b", label="H1, sounds")
        axis.scatter(*diagrams[name][0].T, s=5, color="#3b6fd9", label="H0, sounds")
        axis.plot([0, top], [0, top], color="#555", lw=0.8)
        axis.plot(
            [0, top], [limit, top + limit], color="#555", lw=0.8, ls=":", label="95 % of the clouds' longest"
        )
        axis.set(title=title, xlim=(-0.03, top), ylim=(0, top), xlabel="birth / median distance")
    axes[0, 0].set_ylabel("death / median distance")
    axes[0, 0].legend(fontsize=7, loc="lower right")
    bars = axes[1, 0]
    estimators = list(results["dimension"]["feature"])
    for shift, (name, colour) in enumerate(zip(SPACES, ("#8a8578", "#3b6fd9", "#d9583b"), strict=True)):
        row = [results["dimension"][name][e] for e in estimators]
        middle = np.array([e.mean for e in row])
        error = np.array([[e.mean - e.low for e in row], [e.high - e.mean for e in row]]).clip(min=0)
        at = np.arange(len(estimators)) + 0.26 * (shift - 1)
        bars.bar(at, middle, 0.24, yerr=error, color=colour, label=SPACES[name], error_kw={"lw": 1})
    bars.set_xticks(range(len(estimators)), estimators)
    bars.set(ylabel="intrinsic dimension")
    bars.legend(fontsize=7)
    rows, columns = np.triu_indices(results["sounds"], 1)
    for axis, name in zip(axes[1, 1:], ("latent", "geodesic"), strict=True):
        x, y = (scaled(spaces[k])[rows, columns] for k in ("feature", name))
        axis.hexbin(x, y, gridsize=45, cmap="Greys", mincnt=1, bins="log")
        rho = results["kept"][name]["spearman"].mean
        axis.set(
            xlabel="distance in features / median",
            ylabel=f"{SPACES[name]} / median",
            title=f"rank correlation {rho:.2f}",
        )
    figure.savefig(file, dpi=110, metadata={"Software": None})
