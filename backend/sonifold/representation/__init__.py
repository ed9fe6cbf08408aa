"""Fixed, training-free analysis/synthesis pairs: audio <-> features."""

from sonifold.representation.spectral import Spectral

__all__ = ["Spectral"]
