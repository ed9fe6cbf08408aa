"""No answer holds a number that is none: JSON has no word for it, and no picture a place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from sonifold import errors

Answer = TypeVar("Answer")


def checked(answer: Answer) -> Answer:
    """The answer. Raises NotFinite where it has NaN or infinity in it."""
    if not is_finite(answer):
        raise errors.NotFinite(
            "what this leads to is beyond what numbers can hold: the model is flat or overflows there. Ask with other "
            "sounds, points nearer to the map, or another metric."
        )
    return answer


def is_finite(value: Any) -> bool:
    """Whether all numbers in plain data are finite."""
    match value:
        case float():
            return math.isfinite(value)
        case np.ndarray():
            return value.dtype.kind != "f" or bool(np.isfinite(value).all())
        case str() | bytes():
            return True
        case Mapping():
            return all(is_finite(one) for one in value.values())
        case Sequence():
            return all(is_finite(one) for one in value)
        case _ if dataclasses.is_dataclass(value):
            return all(is_finite(getattr(value, one.name)) for one in dataclasses.fields(value))
        case _:
            return True
