"""The device to compute on: the CPU, or a GPU that PyTorch can use.

The geometry (``sonifold.metric``, ``geodesic``, ``sample``) computes where its decoder or its points are. Of a model
the solving of paths, distances and neighbours, the samplers by volume, and fine-tuning run on its device. What stays on
the CPU, whichever is set: reading, analysing and rendering sounds, averages, analogies and what lies beyond, words,
instant adaptation, the map and its layout (UMAP), shortest paths through graphs, and LAPACK's banded solver for a
single curve's Newton step.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch

from sonifold.errors import DeviceUnavailable

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


def available() -> list[str]:
    """The devices there are, the fastest first."""
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(name for name, is_there in usable.items() if is_there), "cpu"]


def choose(name: str | torch.device = "auto") -> torch.device:
    """The device of a name; ``auto`` is a GPU where there is one.

    Raises:
        DeviceUnavailable: there is none of that name here.
    """
    if isinstance(name, torch.device):
        return name
    kind = name.split(":")[0]
    if kind not in DEVICES:
        raise DeviceUnavailable(f"no device {name!r}; choose one of {', '.join(DEVICES)}.")
    if kind == "auto":
        return torch.device(available()[0])
    if kind not in available():
        raise DeviceUnavailable(
            f"there is no {kind} device that PyTorch {torch.__version__} can use here; it has "
            f"{', '.join(available())}. "
            + ("`make run TORCH=cuda` installs PyTorch with CUDA. " if kind == "cuda" else "")
            + "Choose auto to take what there is."
        )
    return torch.device(name)
