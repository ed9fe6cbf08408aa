"""NumPy arrays as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def float_tensor(array: NDArray[Any], device: torch.device | str = "cpu") -> Tensor:
    """The array in single precision, of the same shape, on a device."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)
