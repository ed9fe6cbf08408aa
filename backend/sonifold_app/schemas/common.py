"""What all requests and replies share: bounds, numbers, how an example is given.

Requests are strict: an unknown field or a number that is not finite is an error. Bounds keep one request's
work small.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sonifold_app.engine import base

MAX_DIMENSION = 512
MAX_POINTS = 1024
MAX_DECODINGS = 64
MAX_LEGS = 8
MAX_STEPS = 33
MAX_WEIGHT = 10.0
MAX_FILES = 20

Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Point = Annotated[
    list[Number],
    Field(
        min_length=1, max_length=MAX_DIMENSION, description="A latent point: as many numbers as `latent_dim`."
    ),
]
Position = Annotated[
    list[Number], Field(min_length=2, max_length=2, description="A position on the map, `[x, y]`.")
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
Z = [0.12, -0.94, 0.31]
SOUND_ID = "5f2b8c1e9a07"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


# -- numbers -----------------------------------------------------------------------------------


def short(value: float) -> float:
    """A number to six digits, enough to draw and to compare by."""
    return float(f"{value:.6g}")


def row_of(values: base.Numbers) -> list[float]:
    """The shortest decimals that give back the same float32."""
    return [float(str(value)) for value in values]


def rows(values: base.Numbers) -> list[list[float]]:
    return [row_of(row) for row in values]


def pitch_or_none(pitch: float | None) -> float | None:
    return None if pitch is None or pitch != pitch else round(float(pitch), 2)
