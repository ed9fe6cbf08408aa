"""Sonifold: explore the latent manifold of sound.

    import sonifold
    model = sonifold.load("oneshots")
    a, b = model.encode("kick.wav"), model.encode("bell.wav")
    path = model.geodesic(a, b)
    model.render(path, seconds=4).write("glide.wav")

``sonifold.metric``, ``sonifold.geodesic`` and ``sonifold.sample`` work with any decoder of your own.
"""

from __future__ import annotations

import importlib
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from sonifold.version import __version__ as __version__

if TYPE_CHECKING:
    from sonifold import adapt, audio, geodesic, listening, metric, plot, quotient, sample, training, vae
    from sonifold.audio.clip import Clip
    from sonifold.model import Model
    from sonifold.morph.path import Path
    from sonifold.pack import PackStatus, packs
    from sonifold.sound import Sound

__all__ = [
    "Clip",
    "Model",
    "PackStatus",
    "Path",
    "Sound",
    "adapt",
    "audio",
    "geodesic",
    "listening",
    "load",
    "metric",
    "packs",
    "plot",
    "quotient",
    "sample",
    "training",
    "vae",
]

_MODULES = (
    "adapt",
    "audio",
    "geodesic",
    "listening",
    "metric",
    "plot",
    "quotient",
    "sample",
    "training",
    "vae",
)
_HOME = {
    "Clip": "sonifold.audio.clip",
    "Model": "sonifold.model",
    "PackStatus": "sonifold.pack",
    "Path": "sonifold.morph.path",
    "Sound": "sonifold.sound",
    "packs": "sonifold.pack",
}


def load(name_or_path: str | FilePath, folder: FilePath | None = None, device: str = "cpu") -> Model:
    """A trained pack by its name under models/, or by its path.

    Args:
        name_or_path: such as ``"oneshots"``, or the folder of a pack.
        folder: of packs, to look for the name in; by default those that come with Sonifold.
        device: where it computes: ``cpu``, ``cuda``, ``mps``, or ``auto`` for a GPU where there is one.

    Raises:
        PackNotFound: there is none of that name.
        PackInvalid, ArtifactCorrupt: it is not a whole pack.
        DeviceUnavailable: there is no such device.
    """
    from sonifold.device import choose
    from sonifold.model import Model
    from sonifold.pack import find

    return Model.load(find(name_or_path, folder), choose(device))


def __getattr__(name: str) -> Any:
    """Names are looked up when first used: torch takes seconds to import, and errors and settings need none of it."""
    if name in _MODULES:
        return importlib.import_module(f"sonifold.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
