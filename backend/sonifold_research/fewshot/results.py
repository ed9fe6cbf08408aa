"""Scores by arm, number of uploads, group and draw; paired differences and their intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sonifold.intervals import RESAMPLES, Estimate

Cells = list[dict[str, Any]]


class Results:
    """Scores by arm, number of uploads and group, seeds averaged. An arm that two parts measured counts once."""

    def __init__(self, cells: Iterable[dict[str, Any]]):
        scores: dict[tuple[str, int, str], dict[int, dict[str, float]]] = defaultdict(dict)
        self.kinds: dict[str, str] = {}
        self.forecasts: dict[tuple[int, str, int], tuple[float | None, float | None]] = {}
        self.gains: dict[tuple[int, str, int], float] = {}
        self.cells = 0
        for cell in cells:
            self.cells += 1
            self.kinds[cell["group"]] = cell["kind"]
            key = cell["count"], cell["group"], cell["seed"]
            self.forecasts[key] = cell["coherence"], cell["expected"]
            arms = cell["arms"]
            for name, score in arms.items():
                scores[name, cell["count"], cell["group"]][cell["seed"]] = score
            if "instant" in arms and "none" in arms:
                self.gains[key] = 1 - arms["instant"]["others"] / arms["none"]["others"]
        self.scores = scores

    def counts(self, name: str) -> list[int]:
        """The numbers of uploads that an arm was measured with."""
        return sorted({count for arm, count, _ in self.scores if arm == name})

    def groups(self, *names: str, count: int) -> list[str]:
        """Groups for which all these arms were measured."""
        return sorted(
            group for group in self.kinds if all((name, count, group) in self.scores for name in names)
        )

    def mean(
        self, name: str, count: int, group: str, column: str = "others", like: str | None = None
    ) -> float:
        """Over seeds; only those that ``like`` was measured with as well, so that pairs are pairs."""
        rows = self.scores[name, count, group]
        seeds = rows.keys() & self.scores[like, count, group].keys() if like is not None else rows.keys()
        return float(np.mean([rows[seed][column] for seed in seeds])) if seeds else float("nan")

    def over(
        self, name: str, count: int, groups: Sequence[str], column: str = "others", like: str | None = None
    ) -> np.ndarray:
        """One number a group."""
        return np.array([self.mean(name, count, group, column, like) for group in groups])

    def saved(self, name: str, than: str, count: int) -> tuple[np.ndarray, list[str]]:
        """Share of the error of ``than`` that ``name`` saves, for each group, seed by seed paired."""
        groups = [
            group
            for group in self.groups(name, than, count=count)
            if self.scores[name, count, group].keys() & self.scores[than, count, group].keys()
        ]
        errors = self.over(name, count, groups, like=than)
        reference = self.over(than, count, groups, like=name)
        return 1 - errors / reference, groups

    def mean_forecast(self, count: int, group: str, index: int) -> float:
        """Mean over seeds of what was known before adapting: coherence (0) or the gain foretold (1)."""
        values = [
            forecast[index] for (n, g, _), forecast in self.forecasts.items() if (n, g) == (count, group)
        ]
        return float(np.mean([value for value in values if value is not None]))

    def coherence(self, count: int, group: str) -> float:
        """Mean cosine between residuals of different uploads."""
        return self.mean_forecast(count, group, 0)

    def foretold(self, count: int, group: str) -> float:
        """Share of the error that was expected to be saved."""
        return self.mean_forecast(count, group, 1)

    def draws(self, name: str, count: int, than: str | None = None) -> int:
        """The fewest of any group."""
        rows = [
            self.scores[name, count, group].keys() & self.scores[than or name, count, group].keys()
            for group in self.groups(name, than or name, count=count)
        ]
        return min((len(seeds) for seeds in rows if seeds), default=0)


def median(values: np.ndarray, seed: int = 0) -> Estimate:
    """Median over groups with its percentile-bootstrap interval."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draw = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(np.median(values[draw], 1), [0.025, 0.975])
    return Estimate(float(np.median(values)), float(low), float(high), len(values))


def average(values: np.ndarray, seed: int = 0) -> Estimate:
    """Mean over groups with its percentile-bootstrap interval."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    draw = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[draw].mean(1), [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def percent(estimate: Estimate) -> str:
    """As a table shows it."""
    if not estimate.n:
        return "-"
    return f"{100 * estimate.mean:+.1f} % [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def said(estimate: Estimate, better: str, unclear: str, worse: str) -> str:
    """The words that fit where the interval lies: above 0, around it, or below."""
    if estimate.low > 0:
        return better
    return worse if estimate.high < 0 else unclear
