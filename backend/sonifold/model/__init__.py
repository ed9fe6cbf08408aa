"""A trained pack in memory: :class:`Model`, and what it is made of."""

from __future__ import annotations

from sonifold.model.face import Model

__all__ = ["Model"]
