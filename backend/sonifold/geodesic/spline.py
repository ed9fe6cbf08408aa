"""Curves between their nodes: cubic interpolation (not-a-knot) over evenly spaced nodes.

Interpolation is linear in the nodes, so for given times it is one matrix, worked out once and kept.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from sonifold.types import Curves


def resample(curves: Curves, nodes: int) -> Curves:
    """The curves at ``nodes`` evenly spaced times; (batch, nodes, latent). Exact for cubics; the ends are
    kept.
    """
    if nodes == curves.shape[1]:
        return curves
    return _even(curves.shape[1], nodes).to(curves) @ curves


def at(curves: Curves, times: Tensor) -> Curves:
    """The curves at ``times`` in [0, 1], (time,) for all or (batch, time) each its own; (batch, time,
    latent).
    """
    if times.ndim == 1:
        return _matrix(curves.shape[1], times.detach().cpu().double().numpy()).to(curves) @ curves
    return torch.cat([at(curve[None], curve_times) for curve, curve_times in zip(curves, times, strict=True)])


def slopes(curves: Curves, times: Tensor | None = None) -> Curves:
    """Velocities dz/dt of the curves at their nodes, or at ``times`` (time,) in [0, 1]; (batch, time, latent)."""
    nodes = curves.shape[1]
    at_times = np.linspace(0, 1, nodes) if times is None else times.detach().cpu().double().numpy()
    return torch.from_numpy(_basis(nodes)(at_times, 1)).to(curves) @ curves


@lru_cache(maxsize=64)
def rates(nodes: int) -> Tensor:
    """(nodes, nodes): values at evenly spaced times in [0, 1] to the time derivatives there of their spline."""
    times = np.linspace(0, 1, nodes)
    return torch.from_numpy(_basis(nodes)(times, 1))


def _matrix(nodes: int, times: np.ndarray) -> Tensor:
    """(time, nodes): interpolated values as weighted sums of the node values."""
    return torch.from_numpy(_basis(nodes)(times))


@lru_cache(maxsize=64)
def _basis(nodes: int) -> CubicSpline:
    """Of each node what its value adds, over all times in [0, 1]."""
    return CubicSpline(np.linspace(0, 1, nodes), np.eye(nodes))


@lru_cache(maxsize=64)
def _even(nodes: int, new_nodes: int) -> Tensor:
    matrix = _matrix(nodes, np.linspace(0, 1, new_nodes))
    matrix[[0, -1]] = 0.0
    matrix[0, 0] = matrix[-1, -1] = 1.0  # the end points are given, not interpolated
    return matrix
