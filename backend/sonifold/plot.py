"""Figures of a model, its paths and its sounds, by plotly.

Each function returns a ``plotly.graph_objects.Figure``: a notebook shows it, ``write_html`` saves it as a page.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sonifold.audio.levels import FLOOR, MEL_BANDS, mel_levels
from sonifold.audio.timbre import hz_to_mel, mel_to_hz
from sonifold.notebook import COLOURS

if TYPE_CHECKING:
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.morph.path import Path

LAND = "Greys_r"
PATH_COLOURS = ("black", "red", "blue", "green")
MEL_HOP = 256  # samples between two frames of mel_levels
LOWEST_HZ = 20.0
MOST_ROWS = 33  # spectrograms in one figure


def map(model: Model, paths: Sequence[Path] = ()) -> go.Figure:
    """The map of a model: library sounds over the magnification log sqrt det G, and paths on it.

    The magnification is that of a kernel metric, which grows away from library sounds: low on land, where one is near
    on the map and alike in timbre, and high at sea. The thick contour is the coast.

    Args:
        model: as :func:`sonifold.load` returns it.
        paths: between sounds of this model; each is drawn as a line with a dot for each step.
    """
    figure = go.Figure()
    figure.add_traces([_magnification(model), _coast(model), *_families(model)])
    for way, colour in zip(paths, itertools.cycle(PATH_COLOURS), strict=False):
        figure.add_traces(_course(way, colour))
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, scaleanchor="x", constrain="domain")
    return figure.update_layout(
        title=model.config.title, plot_bgcolor="white", height=640, margin={"t": 48, "b": 16}
    )


def path(path: Path) -> go.Figure:
    """One path: its course on the map, and how far each step is from the one before, in the model's unit."""
    figure = make_subplots(cols=2, column_titles=["on the map", "distance to the step before"])
    figure.add_traces(_course(path, PATH_COLOURS[0]), cols=1, rows=1)
    steps = np.arange(2, path.steps + 1)
    figure.add_trace(
        go.Bar(x=steps, y=path.speed.tolist(), name="step", marker_color=COLOURS[0]), col=2, row=1
    )
    figure.update_xaxes(visible=False, constrain="domain", col=1)
    figure.update_yaxes(visible=False, scaleanchor="x", constrain="domain", col=1)
    figure.update_xaxes(title="step", col=2)
    figure.update_yaxes(rangemode="tozero", col=2)
    title = f"{path.kind}: length {path.length:.2f}, straight {path.line_length:.2f}, guesswork {path.guesswork:.0%}"
    return figure.update_layout(title=title, showlegend=False)


def spectrograms(clip: Clip) -> go.Figure:
    """Log-mel spectrograms of the sounds of a clip, one above the other, in dB under each sound's loudest cell.

    Raises:
        ValueError: the clip holds more than 33 sounds.
    """
    sounds = clip.audio.detach().cpu().reshape(-1, clip.audio.shape[-1])
    if len(sounds) > MOST_ROWS:
        raise ValueError(
            f"expected at most {MOST_ROWS} sounds, got {len(sounds)}; pass a part of `clip.each()`."
        )
    levels = mel_levels(sounds.float(), clip.sample_rate).numpy()
    seconds = np.arange(levels.shape[2]) * MEL_HOP / clip.sample_rate
    figure = make_subplots(rows=len(sounds), shared_xaxes=True, vertical_spacing=0.25 / len(sounds))
    for row, level in enumerate(levels, start=1):
        figure.add_trace(
            go.Heatmap(x=seconds, y=_band_hertz(clip.sample_rate), z=level, coloraxis="coloraxis"),
            row=row,
            col=1,
        )
    figure.update_yaxes(type="log", dtick=1, title="Hz" if len(sounds) < 5 else None)
    figure.update_xaxes(title="s", row=len(sounds))
    figure.update_layout(
        coloraxis={"colorscale": "Magma", "cmin": FLOOR, "cmax": 0, "colorbar": {"title": "dB"}}
    )
    return figure.update_layout(height=160 + 120 * len(sounds))


def _magnification(model: Model) -> go.Heatmap:
    field = model.atlas.field
    return go.Heatmap(
        x=field.x.tolist(),
        y=field.y.tolist(),
        z=field.values.tolist(),
        zmax=field.coast,
        colorscale=LAND,
        colorbar={"title": "log √det G", "orientation": "h", "y": -0.2, "thickness": 12},
        hoverinfo="skip",
        opacity=0.6,
    )


def _coast(model: Model) -> go.Contour:
    field = model.atlas.field
    return go.Contour(
        x=field.x.tolist(),
        y=field.y.tolist(),
        z=field.values.tolist(),
        contours={"coloring": "none", "start": field.coast, "end": field.coast, "size": 1},
        line={"width": 2, "color": "#555555"},
        showscale=False,
        hoverinfo="skip",
        name="coast",
    )


def _families(model: Model) -> list[go.Scatter]:
    """Library sounds as dots, a trace for each family, in the order of the library."""
    positions = model.library.positions.cpu().numpy()
    families = np.array(model.library.families)
    names = np.array(model.library.names)
    return [
        go.Scatter(
            x=positions[families == family, 0],
            y=positions[families == family, 1],
            text=names[families == family],
            mode="markers",
            name=family,
            marker={"size": 5, "color": COLOURS[number % len(COLOURS)]},
            hovertemplate="%{text}<extra>%{fullData.name}</extra>",
        )
        for number, family in enumerate(dict.fromkeys(model.library.families))
    ]


def _course(path: Path, colour: str) -> list[go.Scatter]:
    """The course of a path on the map, and its steps: filled on land, open at sea."""
    course, steps = path.map.detach().cpu().numpy(), path.step_positions.detach().cpu().numpy()
    symbols = ["circle" if on_land else "circle-open" for on_land in path.on_land.tolist()]
    label = f"{path.kind}, {path.length:.1f}"
    return [
        go.Scatter(
            x=course[:, 0], y=course[:, 1], mode="lines", name=label, line={"width": 3, "color": colour}
        ),
        go.Scatter(
            x=steps[:, 0],
            y=steps[:, 1],
            mode="markers",
            name=f"steps of {path.kind}",
            text=[f"step {number}" for number in range(1, path.steps + 1)],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 8, "color": colour, "symbol": symbols},
            showlegend=False,
        ),
    ]


def _band_hertz(sample_rate: int) -> np.ndarray:
    """Centres of the bands of ``mel_levels`` in Hz, (band,)."""
    low, high = hz_to_mel(LOWEST_HZ), hz_to_mel(sample_rate / 2)
    return mel_to_hz(np.linspace(float(low), float(high), MEL_BANDS + 2)[1:-1])
