"""Sonifold: explore the latent manifold of sound.

    import sonifold
    model = sonifold.load("oneshots")
    a, b = model.encode("kick.wav"), model.encode("bell.wav")
    path = model.geodesic(a, b)
    model.render(path, seconds=4).write("glide.wav")

``sonifold.metric`` and ``sonifold.geodesic`` work with any decoder of your own.
"""

from __future__ import annotations

from pathlib import Path

from sonifold import geodesic, metric
from sonifold.clip import Clip
from sonifold.model import Model
from sonifold.pack import PackStatus, find, packs
from sonifold.sound import Sound

__version__ = "0.1.0"
__all__ = ["Clip", "Model", "PackStatus", "Sound", "geodesic", "load", "metric", "packs"]


def load(name_or_path: str | Path, folder: Path | None = None) -> Model:
    """A trained pack by its name under models/, or by its path.

    Raises:
        PackNotFound: there is none of that name.
        PackInvalid, ArtifactCorrupt: it is not a whole pack.
    """
    return Model.load(find(name_or_path, folder))
