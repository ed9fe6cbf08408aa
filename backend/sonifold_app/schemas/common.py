"""What all requests and replies share: bounds, numbers, how an example is given.

Requests are strict: an unknown field or a number that is not finite is an error. Bounds keep one request's
work small.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field

from sonifold_app.engine import base

MAX_DIMENSION = 512
MAX_POINTS = 1024
MAX_DECODINGS = 64
MAX_LEGS = 8
MAX_STEPS = 33
MAX_WEIGHT = 10.0
MAX_FILES = 20

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
#: Lists of numbers are left at the first that is none: a request may hold a hundred thousand.
Point = Annotated[
    list[Number],
    FailFast(),
    Field(
        min_length=1, max_length=MAX_DIMENSION, description="A latent point: as many numbers as `latent_dim`."
    ),
]
Position = Annotated[
    list[Number],
    FailFast(),
    Field(min_length=2, max_length=2, description="A position on the map, `[x, y]`."),
]
PathKind = Annotated[
    base.PathKind,
    Field(
        description="`geodesic`: shortest under the metric, at constant perceptual speed. `linear`: the "
        "straight line. `retimed`: the straight line at constant perceptual speed. `graph`: through real "
        "neighbours."
    ),
]
MetricName = Annotated[
    base.MetricName,
    Field(
        description="`blend`: pull-back of the perceptual distance plus a data term. `pullback`: without the "
        "data term. `kernel`: the data term alone. `flat`: Euclidean."
    ),
]
Weight = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_WEIGHT,
        allow_inf_nan=False,
        strict=True,
        description="Weight of the blend's data term: 0 is the shortest way, 10 keeps close to known sounds.",
    ),
]
Steps = Annotated[
    int, Field(ge=2, le=MAX_STEPS, strict=True, description="Sounds along the way, ends included.")
]
#: For examples: two sounds of the pack that comes with Sonifold, and the point of the first.
SOUND_ID, OTHER_ID = "67cf109a3df2", "aa1b4786188a"
Z = [
    *(-0.16, 0.45, 0.79, -0.02, -1.57, -0.47, 0.6, -1.12, -2.73, -1.77, 0.03, 0.01, 0.18, 0.96, -0.53, -1.75),
    *(0.14, -1.59, 0.07, 1.28, 0.54, 0.72, 1.08, 1.09, -0.2, 0.5, 1.2, -0.02, -1.28, -0.44, 0.66, -1.59),
]
#: Two of the user's own.
OWN_ID, OTHER_OWN_ID = "u1f2e3d4c5b6a", "u0a1b2c3d4e5f"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class Caveat(Reply):
    """Something to know about a result before trusting it."""

    code: str = Field(description="Stable between versions, for programs.")
    text: str

    @classmethod
    def of(cls, caveat: base.Caveat) -> Caveat:
        return cls(code=caveat.code, text=caveat.text)


# -- numbers -----------------------------------------------------------------------------------


def short(value: float) -> float:
    """A number to six digits, enough to draw and to compare by."""
    return float(f"{value:.6g}")


def row_of(values: base.Numbers) -> list[float]:
    """The shortest decimals that give back the same float32."""
    return shortest(values).tolist()


def rows(values: base.Numbers) -> list[list[float]]:
    return shortest(values).tolist()


def shortest(values: base.Numbers) -> NDArray[np.float64]:
    """Each number as the double that is written with the fewest digits and is the same as float32.

    ``float(str(value))`` of each, in a quarter of the time: replies have ten thousands of them.
    """
    exact = values.astype(np.float64)
    size = np.abs(exact)
    usual = (size > 1e-12) & (size < 1e12)  # powers of ten by which these are scaled are exact
    found, open_ = exact.copy(), usual.copy()
    for digits in range(1, 10):  # nine tell any two apart
        places = np.flatnonzero(open_)
        if not len(places):
            break
        some = exact.flat[places]
        power = digits - 1 - np.floor(np.log10(np.abs(some)))
        up, down = 10.0 ** power.clip(min=0), 10.0 ** (-power).clip(min=0)
        rounded = np.rint(some * up / down) / up * down
        same = rounded.astype(np.float32) == values.flat[places]
        found.flat[places[same]] = rounded[same]
        open_.flat[places[same]] = False
    for place in np.flatnonzero(~usual & (size > 0)):
        found.flat[place] = float(str(values.flat[place]))
    return found


def pitch_or_none(pitch: float | None) -> float | None:
    return None if pitch is None or pitch != pitch else round(float(pitch), 2)
