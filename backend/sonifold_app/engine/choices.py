"""The names that requests choose from: the science's own, with their words, and the service's."""

from __future__ import annotations

from typing import Literal

from sonifold.choices import DistanceName, MetricName, PathKind, SamplerName

ModelKind = Literal["library", "adapted", "finetuned", "imported"]
MorphMode = Literal["steps", "glide"]

#: What a listening test compares: kinds of paths, and the recordings faded into each other.
StimulusKind = Literal["geodesic", "linear", "retimed", "graph", "crossfade"]

__all__ = [
    "DistanceName",
    "MetricName",
    "ModelKind",
    "MorphMode",
    "PathKind",
    "SamplerName",
    "StimulusKind",
]
