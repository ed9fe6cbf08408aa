"""Comparison of metrics for paths: each between the same pairs, judged by measures that none was made from.

The judge is the coarse log-mel level of the rendered audio: no metric is fitted in it (Phi, which the pullback and the
blends optimise, is given beside it). ``gained`` are paired differences to the line at constant perceptual speed, which
is the fair baseline: re-timing alone already makes a path even.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sonifold.evaluate import paths, resume
from sonifold.evaluate.measures import recorder
from sonifold.evaluate.paths import Judgement
from sonifold.intervals import Estimate, bootstrap
from sonifold.model import Model

PAIRS = 100
BASELINE = "line, re-timed"
WITHIN = 0.02  # a line is as good as the path where its energy or length is within this part
COLUMNS = {
    "variation_mel": "speed variation, log-mel",
    "largest_mel": "largest step / mean, log-mel",
    "nearest_mel": "mid points: nearest real sound, log-mel dB",
    "density_mel": "density, log-mel",
    "reencoding": "re-encoding error",
    "switches": "family switches",
    "variation": "speed variation, Phi",
    "density": "density, Phi",
    "length": "length",
    "straightness": "straightness",
}
GAINED = ("variation_mel", "nearest_mel", "density_mel", "density", "reencoding", "length")
Judged = list[dict[str, Judgement]]


def measure(model: Model, progress: Any, pairs: int = PAIRS) -> dict[str, Any]:
    """Judge every metric's paths between random pairs: estimates by method, gains over the re-timed line."""
    judge = paths.Judge(model, pairs, methods=paths.metric_methods(model))

    def case(index: int) -> dict[str, Any]:
        judgements = judge(index)
        progress("metrics", index + 1, pairs)
        return {method: vars(judgement) for method, judgement in judgements.items()}

    about = {"weights": model.config.files["weights.safetensors"], "methods": list(judge.methods)}
    cases = resume.cases(f"{model.name}-metrics", about, pairs, case)
    judged = [{method: Judgement(**numbers) for method, numbers in case.items()} for case in cases]
    summary = summarise(judged)
    command, record = f"sonifold evaluate {model.name} --only metrics", recorder(model.name)
    for method, gains in summary["gained"].items():
        for name in ("variation_mel", "density_mel"):
            record(
                f"{method}: {COLUMNS[name]}, against the re-timed line",
                gains[name].mean,
                "",
                None,
                pairs,
                command,
            )
    resume.forget(f"{model.name}-metrics")
    return summary


def summarise(judged: Judged) -> dict[str, Any]:
    """Estimates of every measure by method; gains over the re-timed line; how often a line would do."""
    methods = list(judged[0])
    solved = [method for method in methods if method not in (BASELINE, "line", "graph", "cross-fade")]
    return {
        "methods": paths.summary(judged),
        "gained": {
            method: {name: paths.advantage(judged, name, method, BASELINE) for name in GAINED}
            for method in methods
            if method != BASELINE
        },
        "straight": {method: _straight(judged, method) for method in solved},
        "pairs": len(judged),
    }


def _straight(judged: Judged, method: str) -> dict[str, Any]:
    """Shares of pairs whose line is within 2 % of the path, in its own energy and in length of what is heard."""
    energy = np.array([judgements[method].energy for judgements in judged])
    length = np.array(
        [abs(judgements[method].length / judgements["line"].length - 1) for judgements in judged]
    )
    return {
        "energy": bootstrap(energy),
        "in_energy": float(np.mean(energy > 1 - WITHIN)),
        "in_length": float(np.mean(length < WITHIN)),
    }


def section(results: dict[str, Any]) -> list[str]:
    """The card's chapter, from the card's own numbers."""
    lines = [
        f"## Which metric: {results['pairs']} pairs, every metric",
        "",
        "Judged in log-mel levels of the rendered audio, which no metric here was made from, and in Phi, which "
        "pullback and blends optimise. All but the line are timed to constant perceptual speed. Mid points are "
        "three steps about the middle, residuals included. Straightness: distance between the ends over the length.",
        "",
        "| | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for method, row in paths.by_method(results).items():
        lines.append(f"| {method} | " + " | ".join(cell(row[name]) for name in COLUMNS) + " |")
    lines += [
        "",
        "Difference to the re-timed line, paired:",
        "",
        "| | "
        + " | ".join(COLUMNS[name] for name in GAINED)
        + " | energy / line's | line within 2 %: energy, length |",
        "|---" * (len(GAINED) + 3) + "|",
    ]
    for method, row in results["gained"].items():
        straight = results["straight"].get(method)
        share = (
            f"{100 * straight['in_energy']:.0f} %, {100 * straight['in_length']:.0f} %" if straight else "-"
        )
        energy = cell(straight["energy"]) if straight else "-"
        cells = " | ".join(cell(row[name], signed=True) for name in GAINED)
        lines.append(f"| {method} | {cells} | {energy} | {share} |")
    return [*lines, ""]


def cell(estimate: dict[str, Any] | Estimate, signed: bool = False) -> str:
    """Mean and interval; a dash where nothing was measured."""
    e = vars(estimate) if isinstance(estimate, Estimate) else estimate
    if e["n"] == 0:
        return "-"
    sign = "+" if signed else ""
    return f"{e['mean']:{sign}.2f} [{e['low']:{sign}.2f}, {e['high']:{sign}.2f}]"
