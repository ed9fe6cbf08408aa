"""The table over seeds, and the page in docs/ that shows it with the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import t as student

from .run import COUNTS, REAL, Result

COLUMNS = {
    "density": "density",
    "coverage": "coverage",
    **{f"{how} {n}": f"accuracy, {n} {how}" for n in COUNTS for how in ("alone", "added")},
}


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, with half the width of its 95 % interval by Student's t."""

    value: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        n, mean = len(values), sum(values) / len(values)
        if n < 2:
            return cls(mean, math.nan)
        deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
        return cls(mean, float(student.ppf(0.975, n - 1)) * deviation / math.sqrt(n))

    @property
    def sure(self) -> bool:
        """Whether the interval leaves zero out."""
        return abs(self.value) > self.half

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.half:.3f}" if math.isfinite(self.half) else f"{self.value:.3f}"


def mean(results: Sequence[Result], method: str, name: str) -> Mean | None:
    """Of one figure over the seeds; None where there is none."""
    values = [v for result in results if (v := result[method].get(name)) is not None]
    return Mean.of(values) if values else None


def table(results: Sequence[Result]) -> str:
    """All methods beside one another, in Markdown."""
    lines = [
        "| samples | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for method in results[0]:
        cells = [mean(results, method, name) for name in COLUMNS]
        if method == REAL:
            only = mean(results, method, "accuracy")
            lines.append(f"| {REAL} alone | | | " + " | ".join(str(only) for _ in range(4)) + " |")
            judged = " | ".join(str(cell) for cell in cells[:2])
            lines.append(f"| other real digits | {judged} | | | | |")
        else:
            lines.append(f"| {method} | " + " | ".join(str(cell or "") for cell in cells) + " |")
    return "\n".join(lines)


def paired(results: Sequence[Result], name_of_method: str, other: str, name: str) -> Mean:
    """How much one method is above another, seed by seed."""
    differences = [float(r[name_of_method][name] or 0) - float(r[other][name] or 0) for r in results]
    return Mean.of(differences)
