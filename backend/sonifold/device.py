"""The device to compute on: the CPU, or a GPU that PyTorch can use.

The geometry (``sonifold.metric``, ``geodesic``, ``sample``) computes where its metric is. Of a model everything that
costs computes on its device: encoding, metrics, paths, distances, means, samplers, words, rendering, adaptation. Points
go in from anywhere; points, paths and sounds come out on the CPU, where what is done with them is.

What stays on the CPU, whichever device is set:

- files: reading, writing, resampling (soxr);
- listening: pitch, onsets, when a sound does what, and loudness, by which rendered steps get their level;
- the map: its layout (UMAP), places on it, and the table of the library that points are compared with;
- shortest paths through graphs (SciPy), times along a curve (splines), and LAPACK's banded solver for a single curve's
  Newton step;
- the draws of random numbers, so that a seed gives the same ones everywhere;
- on Apple hardware, whose GPUs have no double precision, what is solved in it: how far an adaptation carries.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

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


class Placed(Protocol):
    """What is on a device: a tensor, or something made of them."""

    @property
    def device(self) -> torch.device: ...


def is_on(device: torch.device, tensor: Placed) -> bool:
    """Whether a tensor is on a device; ``cuda`` without a number is any of them."""
    return tensor.device.type == device.type and device.index in (None, tensor.device.index)


def in_double(values: Tensor) -> Tensor:
    """In double precision, and on the CPU where the device has none."""
    return values.to("cpu", torch.float64) if values.device.type == "mps" else values.double()
