"""The ways from one sound to another that are compared, each as the sounds of its steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from sonifold import geodesic
from sonifold.model import Model
from sonifold.morph.crossfade import cross_fade
from sonifold.morph.path import NODES
from sonifold.morph.render import Renderer
from sonifold.sound import Sound
from sonifold.types import AudioBatch, Curve
from sonifold_research.ears.linear import LinearRenderer

STEPS = 9
Ends = tuple[Sound, Sound]
Method = Callable[[Ends], AudioBatch]

DEFAULT, STRAIGHT, RETIMED = "geodesic", "straight line", "straight line, re-timed"


def methods(model: Model) -> dict[str, Method]:
    """By name; each gives the sounds (``STEPS``, sample) between two recorded sounds, the recordings at both ends."""
    linear = LinearRenderer.of(model)
    return {
        DEFAULT: partial(_morph, model, "geodesic", "blend"),
        "geodesic, pull-back": partial(_morph, model, "geodesic", "pullback"),
        "geodesic, kernel": partial(_morph, model, "geodesic", "kernel"),
        "through known sounds": partial(_morph, model, "graph", "blend"),
        STRAIGHT: partial(_morph, model, "linear", "blend"),
        RETIMED: partial(_morph, model, "retimed", "blend"),
        "spherical": lambda ends: _along(model, model.renderer, ends, spherical),
        "linear autoencoder": lambda ends: _along(
            model, linear, (linear.sound(ends[0]), linear.sound(ends[1])), _line
        ),
        "cross-fade": _faded,
    }


def spherical(start: torch.Tensor, end: torch.Tensor) -> Curve:
    """Spherical interpolation (Shoemake 1985) of latent points (latent,), as for Gaussian priors: (NODES, latent).

    Between points in one or opposite directions it is the straight line.
    """
    times = torch.linspace(0, 1, NODES)[:, None]
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    if torch.sin(angle) < 1e-4:
        return _line(start, end)
    curve: Curve = (torch.sin((1 - times) * angle) * start + torch.sin(times * angle) * end) / torch.sin(
        angle
    )
    return curve


def _line(start: torch.Tensor, end: torch.Tensor) -> Curve:
    return geodesic.line(start[None], end[None], NODES)[0]


def _morph(model: Model, kind: str, metric: str, ends: Ends) -> AudioBatch:
    _, clip = model.morph(model.paths([ends], kind, metric, steps=STEPS)[0])
    return clip.audio


def _along(
    model: Model,
    renderer: Renderer,
    ends: Ends,
    connect: Callable[[torch.Tensor, torch.Tensor], Curve],
) -> AudioBatch:
    """Steps evenly apart to the model's ear on a curve that no solver finds."""
    crossing = renderer.crossing(*ends)
    curve = crossing.curve(connect(*crossing.halfway()))
    heard = renderer.along(curve, *ends)
    times = geodesic.constant_speed(model.representation.timbre(heard), STEPS)
    progress = torch.linspace(0, 1, STEPS)
    return renderer.steps(geodesic.at(curve[None], times)[0], times, *ends, progress=progress)


def _faded(ends: Ends) -> AudioBatch:
    start, end = ends
    assert start.audio is not None
    assert end.audio is not None
    return cross_fade(start.audio, end.audio, STEPS)
