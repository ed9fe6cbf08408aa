"""The names that requests choose from, as types."""

from __future__ import annotations

from typing import Literal

ModelKind = Literal["library", "adapted", "finetuned", "imported"]
PathKind = Literal["geodesic", "linear", "retimed", "graph"]
MetricName = Literal["blend", "pullback", "kernel", "flat"]
MorphMode = Literal["steps", "glide"]
DistanceName = Literal["geodesic", "perceptual", "euclidean"]

PATH_KINDS: tuple[PathKind, ...] = ("geodesic", "linear", "retimed", "graph")
METRICS: tuple[MetricName, ...] = ("blend", "pullback", "kernel", "flat")
DISTANCES: tuple[DistanceName, ...] = ("geodesic", "perceptual", "euclidean")
