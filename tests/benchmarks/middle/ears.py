"""Middle steps as a judge hears them that nobody here trained: CDPAM, run in an environment of its own.

    python ears.py FOLDER PAIRS

How far is a middle step from the nearest of REAL recordings of the library that are neither end? Takes what child.py
left in FOLDER/base and FOLDER/new; an interrupted run goes on where it stopped. ``sonifold evaluate ears`` asks CDPAM
about whole ways.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
import torch
from table import interval, read

import sonifold
from sonifold_research.ears.judges.cdpam_judge import Judge

REAL = 150
MIDDLE = 1  # of the three steps that child.py keeps
WAYS = ("geodesic", "retimed")


class Heard:
    """CDPAM's embeddings, kept on the disk."""

    def __init__(self, folder: Path) -> None:
        self._judge, self._folder = Judge(), folder
        folder.mkdir(parents=True, exist_ok=True)

    def embedding(self, name: str, samples: np.ndarray, rate: int) -> torch.Tensor:
        """Of a sound (sample,), (512,); from the disk where it was computed before."""
        kept = self._folder / f"{name}.npy"
        if not kept.exists():
            heard = soxr.resample(np.asarray(samples, np.float32), rate, Judge.rate)
            np.save(kept, self._judge.prepared(heard).numpy())
        return torch.from_numpy(np.load(kept))

    def distances(self, one: torch.Tensor, many: torch.Tensor) -> np.ndarray:
        return np.array([self._judge.distance(one, other) for other in many])


def nearest(
    judge: Heard, model: sonifold.Model, output: Path, name: str, pairs: int
) -> dict[str, np.ndarray]:
    """Distance of each pair's middle step to the nearest recording, by side and way, (pair,)."""
    labels = model.library.labels
    places = [i for i, label in enumerate(labels) if name != "tonal" or label.pitch_hz]
    real = np.random.default_rng(0).choice(places, REAL, replace=False)
    recordings = torch.stack(
        [
            judge.embedding(labels[i].id, model.library.audio(labels[i].id).numpy(), model.sample_rate)
            for i in real
        ]
    )
    measured = {side: read(output / side, name) for side in ("base", "new")}
    found: dict[str, list[float]] = {f"{side} {way}": [] for side in measured for way in WAYS}
    for index in sorted(set(measured["base"]) & set(measured["new"]))[:pairs]:
        others = [labels[i].name not in measured["new"][index]["names"] for i in real]
        for side in measured:
            with np.load(output / side / f"{name}-{index:03d}.npz") as steps:
                for way in WAYS:
                    heard = judge.embedding(
                        f"{side}-{name}-{index:03d}-{way}", steps[way][MIDDLE], model.sample_rate
                    )
                    found[f"{side} {way}"].append(float(judge.distances(heard, recordings)[others].min()))
        print(".", end="", file=sys.stderr, flush=True)
    return {key: np.array(values) for key, values in found.items()}


def rows(found: dict[str, np.ndarray], name: str) -> Iterator[str]:
    count = len(found["new geodesic"])
    cells = [" / ".join(f"{found[f'{side} {way}'].mean():.3f}" for way in WAYS) for side in ("base", "new")]
    yield f"| {name} ({count}) | CDPAM, middle step to the nearest recording | {cells[0]} | {cells[1]} |"
    for label, one, other in (
        ("CDPAM, geodesic, new - base", "new geodesic", "base geodesic"),
        ("CDPAM, new, geodesic - re-timed line", "new geodesic", "new retimed"),
    ):
        yield f"| {name} ({count}) | {label} | | {interval(list(found[one] - found[other]))} |"


def main() -> None:
    output, pairs = Path(sys.argv[1]), int(sys.argv[2])
    model = sonifold.load("oneshots")
    judge = Heard(output / "cdpam")
    results = {}
    for name in ("random", "tonal"):
        found = nearest(judge, model, output, name, pairs)
        results[name] = {key: values.tolist() for key, values in found.items()}
        print(*rows(found, name), sep="\n", flush=True)
    (output / "cdpam.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
