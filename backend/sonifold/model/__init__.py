"""A trained pack in memory: :class:`Model`.

face          Model: what others use
core          the trained parts: sounds to latent points, their decoding
encoding      recordings and library sounds, prepared and encoded
metrics       the metrics by name, on one device
morphing      paths and morphs of the face
paths         paths between two sounds, and what is measured on them
rendering     paths, points and sounds made audible
distribution  which latent points are in distribution, and the library sounds near them
points        new points: averages, analogies, extrapolations
samples       new points at random
traversal     less and more of a descriptor, from a sound
neighbours    distances, and the nearest sounds
provenance    what is written into the files
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonifold.model.face import Model

__all__ = ["Model"]


def __getattr__(name: str) -> Any:
    """Looked up when first used: what is written into files needs no torch."""
    if name in __all__:
        from sonifold.model import face

        return getattr(face, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
