"""Every number in an answer is finite: JSON cannot write others, and a picture cannot show them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from sonifold import errors

Answer = TypeVar("Answer")


def checked(answer: Answer) -> Answer:
    """The answer. Raises NotFinite where it has NaN or infinity in it."""
    if not is_finite(answer):
        raise errors.NotFinite(
            "the result is not a finite number: the model is flat or overflows there. Use other sounds, points nearer "
            "to the map, or another metric."
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
            return all(is_finite(member) for member in value.values())
        case Sequence():
            return all(is_finite(item) for item in value)
        case BaseModel():
            return all(is_finite(field) for _, field in value)
        case _ if dataclasses.is_dataclass(value):
            return all(is_finite(getattr(value, field.name)) for field in dataclasses.fields(value))
        case _:
            return True
