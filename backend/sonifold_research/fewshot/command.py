"""``sonifold evaluate fewshot``: everything, from the sounds to the page of docs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from sonifold import pack
from sonifold.model import Model
from sonifold_research.fewshot import classify, learned, rendered, report
from sonifold_research.fewshot import run as cells
from sonifold_research.fewshot.bench import Bench

CACHE, DOCS = Path("build/fewshot"), Path("docs")
Progress = Callable[[str, int, int], None]


def run(dataset: Path, progress: Progress, models: Path | None = None) -> None:
    """Measure what has not been measured yet, and write docs/fewshot.md.

    Raises:
        DatasetError: no data set at ``dataset``.
    """
    torch.set_num_threads(1)
    bench = Bench.build(Model.load(pack.find("oneshots", models)), dataset, CACHE, progress)
    cells.run(bench, CACHE / "cells", "report", progress)
    classify.run(bench, dataset, CACHE / "classifier", progress)
    rendered_scores = rendered.run(bench, CACHE / "rendered.json", progress)
    measured = report.Measured(
        list(cells.read(CACHE / "cells")),
        classify.read(CACHE / "classifier"),
        classify.read_rendered(CACHE / "classifier"),
        rendered_scores,
        learned.learned(bench).losses.tolist(),
    )
    report.write(measured, bench.sounds.groups, DOCS)
