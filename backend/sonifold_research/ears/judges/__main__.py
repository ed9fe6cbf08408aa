"""A judge as a process: asked by lines on standard input, answering by lines on standard output.

    python -m sonifold_research.ears.judges NAME RECORDINGS

RECORDINGS and every file that a line names are .npz files at the model's rate, ``rate``. RECORDINGS holds ``audio``
(recording, sample); the others the morphs of a pair by method, (step, sample), and for each ``METHOD nearest``, rows of
the recordings that its middle step may be near to. An answer is :class:`Verdict` by method, as JSON.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypedDict

import numpy as np
import soxr
from numpy.typing import NDArray

from sonifold_research.ears.judges import NEAREST


class Verdict(TypedDict):
    """Distances of one morph."""

    steps: list[float]  # from each sound to the next
    ends: float  # from the first to the last
    halves: list[float]  # from the first to the middle, from there to the last
    nearest: float  # from the middle to the nearest of the recordings


class Judge(Protocol):
    """What a judge's module has by this name, made without arguments."""

    rate: int  #: of the samples that it takes, Hz

    def prepared(self, samples: NDArray[np.float32], /) -> Any:
        """What it compares, of samples (sample,)."""

    def distance(self, first: Any, second: Any, /) -> float:
        """Of two of those."""


class Bench:
    """A judge with the recordings."""

    def __init__(self, judge: Judge, recordings: Path) -> None:
        self._judge = judge
        with np.load(recordings) as file:
            self._audio, self._rate = file["audio"], int(file["rate"])
        self._recording = lru_cache(maxsize=None)(lambda row: self._prepared(self._audio[row]))

    def verdicts(self, morphs: Path) -> dict[str, Verdict]:
        """Of every method in a file."""
        with np.load(morphs) as file:
            names = [name for name in file.files if f"{name}{NEAREST}" in file.files]
            ends = [self._prepared(sound) for sound in file[names[0]][[0, -1]]]
            return {name: self._verdict(ends, file[name], file[f"{name}{NEAREST}"]) for name in names}

    def _verdict(self, ends: list[Any], audio: NDArray[np.float32], rows: NDArray[np.int64]) -> Verdict:
        sounds = [ends[0], *(self._prepared(sound) for sound in audio[1:-1]), ends[1]]
        middle, distance = sounds[len(sounds) // 2], self._judge.distance
        return {
            "steps": [distance(first, second) for first, second in itertools.pairwise(sounds)],
            "ends": distance(*ends),
            "halves": [distance(ends[0], middle), distance(middle, ends[1])],
            "nearest": min(distance(self._recording(int(row)), middle) for row in rows),
        }

    def _prepared(self, samples: NDArray[np.float32]) -> Any:
        heard = soxr.resample(np.asarray(samples, np.float32), self._rate, self._judge.rate)
        return self._judge.prepared(heard)


def main() -> None:
    module = importlib.import_module(f"sonifold_research.ears.judges.{sys.argv[1]}_judge")
    bench = Bench(module.Judge(), Path(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(bench.verdicts(Path(line.strip()))), flush=True)


if __name__ == "__main__":
    main()
