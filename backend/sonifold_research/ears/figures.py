"""What is read off a judge's distances along a morph, in the terms of the literature on morphing.

Smoothness (how even the steps are), intermediateness (how far the way is beyond the distance of its ends, and whether
the middle lies in the middle) and correspondence (whether the middle is a sound that exists); Niu et al. 2024.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sonifold.intervals import bootstrap

SMALLEST = 1e-9
#: The figure's name -> what a table calls it. Of all, less is better.
FIGURES = {
    "unevenness": "unevenness of the steps",
    "largest": "largest step over the mean",
    "length": "length over the ends' distance",
    "off_middle": "middle off the middle",
    "nearest": "middle to the nearest recording",
}


def figures(verdict: Mapping[str, Any]) -> dict[str, float]:
    """Of one morph: the verdict's distances as ``FIGURES``.

    ``unevenness``: standard deviation over mean of the steps; ``length``: their sum over the distance of the ends, 1 at
    best; ``off_middle``: the difference of both halves over their sum; ``nearest``: over the distance of the ends.
    """
    steps, ends = np.asarray(verdict["steps"], float), max(float(verdict["ends"]), SMALLEST)
    mean = max(float(steps.mean()), SMALLEST)
    first, second = verdict["halves"]
    return {
        "unevenness": float(steps.std()) / mean,
        "largest": float(steps.max()) / mean,
        "length": float(steps.sum()) / ends,
        "off_middle": abs(first - second) / max(first + second, SMALLEST),
        "nearest": float(verdict["nearest"]) / ends,
    }


def summary(pairs: Sequence[Mapping[str, Mapping[str, float]]], reference: str) -> dict[str, Any]:
    """Means of every number over pairs, {method: {number: value}}, and what ``reference`` has less than each other.

    Returns:
        {method: {"mean": {number: Estimate}, "saved": {number: Estimate}}}; ``saved`` is paired, above 0 where the
        reference is better, and missing for the reference itself.
    """
    table: dict[str, Any] = {}
    for method, numbers in pairs[0].items():
        rows = {name: [pair[method][name] for pair in pairs] for name in numbers}
        table[method] = {"mean": {name: bootstrap(values) for name, values in rows.items()}}
        if method == reference:
            continue
        saved = {
            name: np.array(values) - [pair[reference][name] for pair in pairs]
            for name, values in rows.items()
        }
        table[method]["saved"] = {name: bootstrap(values) for name, values in saved.items()}
    return table
