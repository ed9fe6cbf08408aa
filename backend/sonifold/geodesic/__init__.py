"""Paths in latent space: shortest ones, straight ones, and ones through known points.

solve         shortest paths under any metric, batched, with an outcome for each
line          straight, the baseline
NeighbourGraph  through real points
retime        any of these at constant perceptual speed
"""

from .graph import GraphPath, NeighbourGraph
from .line import line
from .outcome import Geodesics, Stop
from .retime import constant_speed, retime
from .solve import solve
from .spline import at, resample

__all__ = [
    "Geodesics",
    "GraphPath",
    "NeighbourGraph",
    "Stop",
    "at",
    "constant_speed",
    "line",
    "resample",
    "retime",
    "solve",
]
