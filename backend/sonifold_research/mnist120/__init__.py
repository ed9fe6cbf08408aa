"""The reference experiment of geometry-based VAEs, on 120 digits.

digits     which ones train, judge and test
training   the VAE and the RHVAE of each seed
methods    the ways to new digits that are compared
judge      density, coverage, and what a classifier learns from samples
run        all of it, seed by seed, resumable
report     means and intervals over seeds
figure     the picture
page       docs/mnist120.md
"""

from __future__ import annotations

import json
from pathlib import Path

from sonifold.files import copied

from .training import Progress

__all__ = ["reproduce"]


def reproduce(
    out: Path, seeds: int, docs: Path | None, sources: Path | None, progress: Progress
) -> list[Path]:
    """Run what is not there yet, and write the figure, the table and the page; the files written.

    Raises ``DatasetError`` when the digits cannot be found, ``ModuleNotFoundError`` without matplotlib.
    """
    import matplotlib  # noqa: F401, before an hour of training rather than after it

    from . import digits, figure, page, report, run

    out.mkdir(parents=True, exist_ok=True)
    results = run.run(out, seeds, sources, progress)
    files = [out / "mnist120.png", out / "mnist120.md", out / "table.json"]
    split = digits.split(digits.load(sources), 0)
    figure.draw(run.latents_of(split, 0, out, progress), 0, files[0])
    files[1].write_text(page.page(results, files[0].name), encoding="utf-8")
    means = {
        method: {
            name: [m.value, m.half]
            for name in results[0][method]
            if (m := report.mean(results, method, name))
        }
        for method in results[0]
    }
    files[2].write_text(json.dumps(means, indent=1) + "\n", encoding="utf-8")
    return files if docs is None else [*files, *copied(files[:2], docs)]
