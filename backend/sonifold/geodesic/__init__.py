"""Paths in latent space, and what else a Riemannian metric gives.

solve           shortest paths under any metric, batched, with an outcome for each
line            straight, the baseline
NeighbourGraph  through real points
retime          any of these at constant perceptual speed
exponential, logarithm      straight on from a point; the velocity that arrives at another
extrapolate     beyond B
transport, analogy          carry a direction along a path; A is to B as C is to what?
frechet_mean    the average of several points
distances, neighbours, k_means      by geodesic distance
"""

from .distances import Clusters, Neighbours, distances, k_means, lengths, neighbours
from .exponential import Flow, continued, exponential
from .extrapolate import Extrapolation, extrapolate
from .graph import GraphPath, NeighbourGraph
from .line import line
from .logarithm import logarithm
from .mean import Mean, frechet_mean
from .outcome import Geodesics, Stop
from .retime import constant_speed, retime
from .solve import solve
from .spline import at, resample, slopes
from .transport import analogy, pole_ladder, transport

__all__ = [
    "Clusters",
    "Extrapolation",
    "Flow",
    "Geodesics",
    "GraphPath",
    "Mean",
    "NeighbourGraph",
    "Neighbours",
    "Stop",
    "analogy",
    "at",
    "constant_speed",
    "continued",
    "distances",
    "exponential",
    "extrapolate",
    "frechet_mean",
    "k_means",
    "lengths",
    "line",
    "logarithm",
    "neighbours",
    "pole_ladder",
    "resample",
    "retime",
    "slopes",
    "solve",
    "transport",
]
