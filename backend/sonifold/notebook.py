"""How models, paths and clips show themselves in a notebook: HTML with nothing to load from elsewhere.

Jupyter and its kin ask an object for ``_repr_html_``; :class:`Model`, :class:`Path` and :class:`Clip` answer with
these.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.morph.path import Path

WIDTH, HEIGHT = 360, 240  # pixels of a drawing
MARGIN = 8
#: Told apart also by those who see few colours (Okabe & Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800")


def clip_html(clip: Clip) -> str:
    """A player for each sound of a clip, at most eight of them."""
    sounds = clip.each()
    players = "".join(player(sound) for sound in sounds[:8])
    more = f"<p>and {len(sounds) - 8} more</p>" if len(sounds) > 8 else ""
    return f"<div>{players}{more}<small>{clip.seconds:.2f} s, {clip.sample_rate} Hz</small></div>"


def player(clip: Clip) -> str:
    """One sound as an ``<audio>`` element that carries it."""
    data = base64.b64encode(clip.to_bytes("wav")).decode()
    return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'


def path_html(path: Path) -> str:
    """What was measured on a path, beside its curve on the map: a ring at its start, a dot at its end."""
    rows = {
        "kind": f"{path.kind}, metric {path.metric}",
        "length": f"{path.length:.2f}, straight {path.line_length:.2f}",
        "guesswork": f"{path.guesswork:.0%}",
        "variation of the steps": f"{path.speed_variation:.1%}",
        "outcome": path.outcome,
    }
    curve = path.map.detach().cpu().numpy()
    scaled = fitted(curve, curve)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in scaled)
    line = f'<polyline points="{points}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>'
    ends = (
        f'<circle cx="{scaled[0][0]:.1f}" cy="{scaled[0][1]:.1f}" r="5" fill="none" stroke="{COLOURS[0]}"/>'
        f'<circle cx="{scaled[-1][0]:.1f}" cy="{scaled[-1][1]:.1f}" r="4" fill="{COLOURS[0]}"/>'
    )
    return f"<div>{table(rows)}{drawing([line, ends], 'The path on the map')}</div>"


def model_html(model: Model) -> str:
    """A pack's title and size beside its map, one colour a family."""
    library = model.library
    rows = {
        "model": f"{model.title} ({model.name})",
        "sounds": f"{len(library)} in {len(library.family_names)} families",
        "latent space": f"{model.latent_dim} dimensions",
        "unit of distances": model.unit,
    }
    colour_of = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(library.family_names)}
    positions = library.positions.detach().cpu().numpy()
    dots = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.5" fill="{colour_of[family]}"/>'
        for (x, y), family in zip(fitted(positions, positions), library.families, strict=True)
    )
    return f"<div>{table(rows)}{drawing(dots, 'The map of its sounds')}</div>"


def table(rows: dict[str, str]) -> str:
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
    return f"<table>{cells}</table>"


def drawing(shapes: Iterable[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img">'
    return f"{head}<title>{escape(title)}</title>{''.join(shapes)}</svg>"


def fitted(positions: np.ndarray, extent: np.ndarray) -> Sequence[Sequence[float]]:
    """Map positions (point, 2) in pixels of a drawing that holds ``extent`` (point, 2), north up, one scale."""
    low, high = extent.min(0), extent.max(0)
    scale = np.min((np.array([WIDTH, HEIGHT]) - 2 * MARGIN) / np.maximum(high - low, 1e-9))
    pixels = MARGIN + (positions - low) * scale
    pixels[:, 1] = HEIGHT - pixels[:, 1]
    rows: list[list[float]] = pixels.tolist()
    return rows
