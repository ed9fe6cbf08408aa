"""Sounds as they come: reading, preparing, and how far apart they are to the ear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonifold.audio.timbre import timbre_features

__all__ = ["timbre_features"]


def __getattr__(name: str) -> Any:
    """Looked up when first used: limits and names of files need no torch."""
    if name in __all__:
        from sonifold.audio import timbre

        return getattr(timbre, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
