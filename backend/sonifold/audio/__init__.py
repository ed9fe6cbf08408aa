"""Sounds as they come: reading, preparing, and how far apart they are to the ear."""

from sonifold.audio.timbre import timbre_features

__all__ = ["timbre_features"]
