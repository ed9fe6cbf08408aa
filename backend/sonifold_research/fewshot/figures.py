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


def panels(rows: int, columns: int, width: float, height: float) -> tuple[Any, Any]:
    """(figure, flat array of axes)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    picture, axes = pyplot.subplots(rows, columns, figsize=(width, height), dpi=90, layout="constrained")
    return picture, axes.flatten()


def save(picture: Any, path: Path) -> None:
    """Write and forget it."""
    from matplotlib import pyplot

    picture.savefig(path)
    pyplot.close(picture)
