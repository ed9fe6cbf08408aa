"""Notebook views of models, paths and clips: self-contained HTML.

Jupyter and its kin ask an object for ``_repr_html_``; ``Model``, ``Path`` and ``Clip`` answer with these parts.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT = 360, 240  # pixels of a drawing
MARGIN = 8
#: Told apart also by those who see few colours (Okabe & Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800")


def player(wav: bytes) -> str:
    """A sound as an ``<audio>`` element that carries it."""
    return f'<audio controls src="data:audio/wav;base64,{base64.b64encode(wav).decode()}"></audio>'


def table(rows: dict[str, str]) -> str:
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
    return f"<table>{cells}</table>"


def drawing(shapes: Iterable[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img">'
    return f"{head}<title>{escape(title)}</title>{''.join(shapes)}</svg>"


def dots(positions: np.ndarray, families: Sequence[str], names: Sequence[str]) -> list[str]:
    """Sounds at map positions (sound, 2) as SVG dots, a colour for each of the families' ``names``."""
    colour_of = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5" fill="{colour_of[family]}"/>'
        for (x, y), family in zip(fitted(positions, positions), families, strict=True)
    ]


def arrow(curve: np.ndarray) -> list[str]:
    """A curve (point, 2) as SVG shapes that fill a drawing: a ring at its start, a line, a dot at its end."""
    pixels = fitted(curve, curve)
    (x, y), (x1, y1) = pixels[0], pixels[-1]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    return [
        f'<polyline points="{points}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{COLOURS[0]}"/>',
        f'<circle cx="{x1:.1f}" cy="{y1:.1f}" r="4" fill="{COLOURS[0]}"/>',
    ]


def fitted(positions: np.ndarray, extent: np.ndarray) -> Sequence[Sequence[float]]:
    """Map positions (point, 2) in pixels of a drawing that holds ``extent`` (point, 2), north up, one scale."""
    low, high = extent.min(0), extent.max(0)
    scale = np.min((np.array([WIDTH, HEIGHT]) - 2 * MARGIN) / np.maximum(high - low, 1e-9))
    pixels = MARGIN + (positions - low) * scale
    pixels[:, 1] = HEIGHT - pixels[:, 1]
    rows: list[list[float]] = pixels.tolist()
    return rows
