"""The map of a library: layout, the way there and back, the magnification field."""

from sonifold.atlas.atlas import Atlas, Field, smooth_course

__all__ = ["Atlas", "Field", "smooth_course"]
