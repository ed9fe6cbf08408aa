"""Do words mean what they say? Descriptors read from features against audio, and traversals along them.

Two questions. Does the differentiable reading rank sounds as the measurement on audio does (Spearman, on the library's
recordings and on what the model makes of its points)? And of the methods to make a sound half a library standard
deviation brighter (noisier, longer...) - the natural gradient with the other words held, the natural gradient, the
Euclidean gradient, the difference of class means - which changes the other words least and stays nearest to known
sounds?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from sonifold.audio.descriptors import DESCRIPTORS
from sonifold.evaluate import resume
from sonifold.evaluate.measures import recorder
from sonifold.evaluate.paths import by_method
from sonifold.intervals import RESAMPLES, Estimate, bootstrap
from sonifold.metric import Flat
from sonifold.model import Model
from sonifold.sound import Sound
from sonifold.types import Points

SOUNDS = 100
DECODED = 300  # library points decoded to audio for the agreement
CHANGE = 0.5  # library standard deviations
QUARTER = 0.25  # of the library that counts as having much, or little, of a descriptor
LINE_NODES = 17
#: Method -> whether it is a flow, in which metric, with the other words held.
METHODS = {
    "natural gradient, others held": ("blend", True),
    "natural gradient": ("blend", False),
    "Euclidean gradient": ("flat", False),
    "difference of class means": None,
}
OURS = next(iter(METHODS))


def measure(model: Model, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Agreement of the readings, and the comparison of methods to change a descriptor; for the card."""
    results = {"agreement": agreement(model, progress)} | compare(model, progress)
    command, record = f"sonifold evaluate {model.name} --only directions", recorder(model.name)
    for name, row in results["agreement"].items():
        record(
            f"{name} read from features: Spearman with audio",
            row["recordings"].mean,
            "",
            ">= 0.6",
            row["recordings"].n,
            command,
        )
    for method, row in results["methods"].items():
        record(
            f"{method}: change of the other words at half an sd",
            row["others"].mean,
            "sd",
            None,
            SOUNDS,
            command,
        )
    resume.forget(f"{model.name}-directions")
    return results


# -- agreement ------------------------------------------------------------------------------------


def agreement(model: Model, progress: Callable[[str, int, int], None]) -> dict[str, dict[str, Any]]:
    """Spearman of the reading with the audio, by descriptor, on recordings and decoded points; the calibration too."""
    library = model.library
    recorded = _Paired()
    for number, ids in enumerate(_blocks(library.ids), 1):
        audio = torch.stack([library.audio(i, model.sound_samples) for i in ids])
        recorded.add(model.readout(model.representation.analyse(audio)[0]), model.describe_audio(audio))
        progress("descriptors of recordings", number, -(-len(library) // BLOCK))
    decoded = _Paired()
    drawn_points = library.z[torch.linspace(0, len(library) - 1, DECODED).round().long()]
    for number, points in enumerate(drawn_points.split(BLOCK), 1):
        with torch.no_grad():
            decoded.add(model.describe(points), model.describe_audio(model.decode(points).audio))
        progress("descriptors of decoded points", number, -(-DECODED // BLOCK))
    return {
        name: {
            "recordings": recorded.spearman(name),
            "decoded": decoded.spearman(name),
            "calibration_off": recorded.calibration(name),
        }
        for name in DESCRIPTORS
    }


BLOCK = 16


def _blocks(ids: list[str]) -> list[list[str]]:
    return [ids[i : i + BLOCK] for i in range(0, len(ids), BLOCK)]


class _Paired:
    """Readings and measurements of the same sounds."""

    def __init__(self) -> None:
        self.read: dict[str, list[Tensor]] = {name: [] for name in DESCRIPTORS}
        self.measured: dict[str, list[Tensor]] = {name: [] for name in DESCRIPTORS}

    def add(self, read: dict[str, Tensor], measured: dict[str, Tensor]) -> None:
        for name in DESCRIPTORS:
            self.read[name].append(read[name])
            self.measured[name].append(measured[name])

    def of(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return torch.cat(self.read[name]).double().numpy(), torch.cat(self.measured[name]).double().numpy()

    def spearman(self, name: str) -> Estimate:
        return rank_correlation(*self.of(name))

    def calibration(self, name: str) -> tuple[float, float]:
        """Offset and slope that would still have to be applied to the reading; (0, 1) when CALIBRATION is right."""
        read, measured = self.of(name)
        slope = float(measured.std() / read.std())
        return float(measured.mean() - slope * read.mean()), slope


def rank_correlation(a: np.ndarray, b: np.ndarray, resamples: int = RESAMPLES // 8) -> Estimate:
    """Spearman's rho of two columns (n,) with its 95 % bootstrap interval."""
    draw = np.random.default_rng(0).integers(len(a), size=(resamples, len(a)))
    resampled = [spearmanr(a[rows], b[rows]).statistic for rows in draw]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Estimate(float(spearmanr(a, b).statistic), float(low), float(high), len(a))


# -- methods to change a descriptor ---------------------------------------------------------------


def compare(
    model: Model, progress: Callable[[str, int, int], None], count: int = SOUNDS, seed: int = 2
) -> dict[str, Any]:
    """Every method from ``count`` random sounds, CHANGE standard deviations up and down in each descriptor."""
    indices = np.random.default_rng(seed).choice(len(model.library), count, replace=False)
    means = _class_means(model)

    def case(index: int) -> dict[str, Any]:
        sound = model.sound(model.library.ids[int(indices[index])])
        changes = {method: _changes(model, sound, how, means) for method, how in METHODS.items()}
        traversals = [_travelled(model, sound, name) for name in DESCRIPTORS]
        progress("directions", index + 1, count)
        return {"methods": changes, "travels": traversals}

    about = {
        "weights": model.config.files["weights.safetensors"],
        "seed": seed,
        "change": CHANGE,
        "methods": list(METHODS),
    }
    cases = resume.cases(f"{model.name}-directions", about, count, case)
    rows = {
        method: [{k: np.array(v) for k, v in case["methods"][method].items()} for case in cases]
        for method in METHODS
    }
    traversals = [traversal for case in cases for traversal in case["travels"]]
    return {
        "sounds": count,
        "methods": {method: _summary(row, rows[OURS]) for method, row in rows.items()},
        "travels": {
            name: _traversal_summary([t for t in traversals if t["name"] == name]) for name in DESCRIPTORS
        },
    }


def _class_means(model: Model) -> dict[str, Tensor]:
    """Mean latent point of the quarter of the library with most of a descriptor, less that with least; (latent,)."""
    z = model.library.z
    with torch.no_grad():
        parts = [model.describe(part) for part in z.split(32)]
    directions = {}
    for name in DESCRIPTORS:
        order = torch.cat([part[name] for part in parts]).argsort()
        share = int(QUARTER * len(order))
        directions[name] = z[order[-share:]].mean(0) - z[order[:share]].mean(0)
    return directions


def _changes(
    model: Model, sound: Sound, how: tuple[str, bool] | None, means: dict[str, Tensor]
) -> dict[str, list[float]]:
    """At the point where the descriptor has changed by CHANGE standard deviations, up and down, for each descriptor.

    reached: 1 or 0; others: mean absolute change of the other descriptors in standard deviations; away: distance to
    the nearest library sound in the model's unit; both NaN where it was not reached. (descriptor * 2,) each.
    """
    directions = model.traversals
    residual = torch.zeros_like(model.coefficients.mean) if sound.residual is None else sound.residual
    at: list[Tensor] = []
    for name in DESCRIPTORS:
        if how is None:
            nodes, values = _line(model, sound, residual, means[name], name)
        else:
            metric = model.metric() if how[0] == "blend" else Flat()
            nodes, values, _ = directions.flow(metric, sound.z, residual, name, CHANGE, how[1], float("inf"))
        at += [_where(nodes, values, sound.z, sense) for sense in (-1.0, 1.0)]
    points = torch.stack(at)
    reached = torch.isfinite(points).all(1)
    safe = torch.where(reached[:, None], points, sound.z)
    descriptors = torch.stack(list(directions.heard(torch.cat([safe, sound.z[None]]), residual).values()), 1)
    change = ((descriptors[:-1] - descriptors[-1]) / directions.scale).abs()
    named = torch.arange(len(DESCRIPTORS)).repeat_interleave(2)
    named_change = change[torch.arange(len(change)), named]
    others = (change.sum(1) - named_change) / (len(DESCRIPTORS) - 1)
    distance = directions.away(safe) * model.config.unit_per_phi
    blank = torch.where(reached, 0.0, torch.nan)
    columns = {
        "reached": reached.float(),
        "named": named_change + blank,
        "others": others + blank,
        "away": distance + blank,
    }
    return {key: value.tolist() for key, value in columns.items()}


def _line(
    model: Model, sound: Sound, residual: Tensor, direction: Tensor, name: str
) -> tuple[Points, Tensor]:
    """Nodes on a straight line through the sound, and the descriptor there in standard deviations."""
    nodes = sound.z + torch.linspace(-1, 1, LINE_NODES)[:, None] * direction
    return nodes, model.traversals.heard(nodes, residual)[name] / model.traversals.spread[name]


def _where(nodes: Points, values: Tensor, origin: Tensor, sense: float) -> Tensor:
    """The point on the nodes' side of more (or less) at which the change is first reached; NaN if it never is."""
    start = int((nodes - origin).norm(dim=1).argmin())
    side = slice(start, None) if sense > 0 else slice(start, None, -1)
    order = list(range(len(nodes)))[side] if sense > 0 else list(range(start, -1, -1))
    gain = sense * (values[order] - values[start])
    beyond = (gain >= 0.95 * CHANGE).nonzero()
    if not len(beyond):
        return torch.full_like(origin, torch.nan)
    after = int(beyond[0])
    low, high = float(gain[after - 1]), float(gain[after])
    share = min(1.0, (CHANGE - low) / max(high - low, 1e-9))
    return torch.lerp(nodes[order[after - 1]], nodes[order[after]], share)


def _summary(
    rows: list[dict[str, np.ndarray]], reference: list[dict[str, np.ndarray]]
) -> dict[str, Estimate]:
    """Means over sounds (each sound's mean over descriptors and senses), paired differences to our method."""
    columns = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    base = {key: np.stack([row[key] for row in reference]) for key in reference[0]}
    out = {key: bootstrap(_row_means(value)) for key, value in columns.items()}
    for key in ("others", "away"):
        out[f"{key}_more"] = bootstrap(_row_means(columns[key] - base[key]))
    return out


def _row_means(values: np.ndarray) -> np.ndarray:
    """Mean of each row over what is finite in it; NaN for a row without."""
    finite = np.isfinite(values)
    means: np.ndarray = np.where(finite, values, 0).sum(1) / np.where(finite.any(1), finite.sum(1), np.nan)
    return means


def _travelled(model: Model, sound: Sound, name: str) -> dict[str, Any]:
    """One traversal as the app makes it: how far it gets, and what is measured on the audio of its two ends."""
    traversal = model.traversal(sound, name)
    ends = torch.stack([traversal.points[0], traversal.points[-1]])
    audio = model.renderer.steps(ends, torch.zeros(2), sound, sound)
    measured = model.describe_audio(audio)[name]
    spread = model.traversals.spread[name]
    others = [
        abs(traversal.descriptors[n][-1] - traversal.descriptors[n][0]) / model.traversals.spread[n]
        for n in DESCRIPTORS
        if n != name
    ]
    return {
        "name": name,
        "range": float(traversal.values[-1] - traversal.values[0]) / spread,
        "audio": float(measured[1] - measured[0]) / spread,
        "others": float(np.mean(others)),
        "stopped": list(traversal.stopped.values()),
    }


def _traversal_summary(traversals: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "range": bootstrap([t["range"] for t in traversals]),
        "audio": bootstrap([t["audio"] for t in traversals]),
        "rises": bootstrap([float(t["audio"] > 0) for t in traversals]),
        "others": bootstrap([t["others"] for t in traversals]),
        "stopped": dict(Counter(end for t in traversals for end in t["stopped"])),
    }


# -- the card -------------------------------------------------------------------------------------


def section(results: dict[str, Any]) -> list[str]:
    """The card's chapter, from the card's own numbers."""
    from sonifold.evaluate.metrics import cell

    lines = [
        "## Words: descriptors and named directions",
        "",
        "Spearman correlation of the differentiable reading with the measurement on audio, and travel as the app makes "
        f"it from {results['sounds']} random sounds: range from one end to the other and what of it is measured on the "
        "rendered audio, both in library standard deviations of the reading; share of travels that rise on audio at "
        "all; mean change of the five other words.",
        "",
        "| | recordings | decoded points | range | on audio | rise | others |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in DESCRIPTORS:
        rho, traversal = results["agreement"][name], results["travels"][name]
        cells = [
            rho["recordings"],
            rho["decoded"],
            *(traversal[k] for k in ("range", "audio", "rises", "others")),
        ]
        lines.append(f"| {name} | " + " | ".join(cell(value) for value in cells) + " |")
    weak = [
        name
        for name in DESCRIPTORS
        if results["travels"][name]["audio"]["mean"] < 0.5 * results["travels"][name]["range"]["mean"]
    ]
    if weak:
        lines += [
            "",
            f"Less than half of the change asked for is found on audio for {', '.join(weak)}: a recording's fine "
            "structure, which is carried along unchanged, holds its partials where they are.",
        ]
    lines += [
        "",
        "Ways to change a word by half a standard deviation, up and down, not stopped at the edge of the data; means "
        "over sounds, words and senses, differences paired with the first way:",
        "",
        "| | got there | change of the others, sd | more than the first | to known sounds | more than the first |",
        "|---|---|---|---|---|---|",
    ]
    for method, row in by_method(results).items():
        cells = [
            cell(row[key], signed=key.endswith("more"))
            for key in ("reached", "others", "others_more", "away", "away_more")
        ]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return [*lines, ""]
