"""What was measured of the running server: docs/scale.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class MorphCost:
    """Processor seconds of a batch: ``overhead`` and, for each morph in it, one of ``each``."""

    overhead: float
    each: NDArray[np.float64]

    @classmethod
    def of(cls, bursts: dict[str, list[float]]) -> MorphCost:
        """From bursts by their size: a line through their means; what single morphs took varies around it."""
        sizes = np.array([int(size) for size in bursts], float)
        means = np.array([np.mean(costs) for costs in bursts.values()])
        slope, overhead = np.polyfit(sizes, means, 1)
        overhead = max(0.0, float(overhead))
        alone = np.array(bursts["1"])
        each = alone - overhead
        return cls(overhead, each * (float(slope) / each.mean()))

    @property
    def mean(self) -> float:
        """Of one morph more in a batch."""
        return float(self.each.mean())

    @property
    def alone(self) -> float:
        """Of a batch of one."""
        return self.overhead + self.mean

    def draw(self, generator: Generator, size: int) -> float:
        """Seconds of a batch of so many."""
        return self.overhead + float(generator.choice(self.each, size).sum())


@dataclass(frozen=True)
class Measured:
    """The parts of docs/scale.json."""

    parts: dict[str, Any]

    @classmethod
    def read(cls, file: Path) -> Measured:
        """Raises OSError, ValueError."""
        return cls(json.loads(file.read_text(encoding="utf-8")))

    def __getitem__(self, part: str) -> dict[str, Any]:
        values: dict[str, Any] = self.parts[part]
        return values

    @property
    def morph(self) -> MorphCost:
        return MorphCost.of(self["morphs"]["cpu_seconds_of_burst"])

    @property
    def stored_bytes_a_second(self) -> float:
        """Of a second of uploaded sound, with what is stored beside it."""
        return float(self["uploads"]["bytes_of_sound"] / self["uploads"]["seconds_of_sound"])
