"""Plots without a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def figure(width: float, height: float) -> tuple[Any, Any]:
    """(figure, axes), sizes in inches."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), dpi=110, layout="constrained")


def figures_beside(count: int, width: float, height: float) -> tuple[Any, Any]:
    """(figure, array of axes) side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot.subplots(1, count, figsize=(width, height), dpi=110, layout="constrained")


def save(picture: Any, path: Path) -> None:
    """Write and forget it."""
    from matplotlib import pyplot

    picture.savefig(path)
    pyplot.close(picture)
