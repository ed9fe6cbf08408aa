"""Shared parts of requests and replies: bounds, numbers, examples.

Requests are strict: an unknown field or a number that is not finite is an error. Bounds keep one request's
work small.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field

from sonifold.choices import Choice
from sonifold_app.engine.answers import Answer
from sonifold_app.engine.choices import MetricName, PathKind

MAX_DIMENSION = 512
MAX_POINTS = 1024
MAX_DECODINGS = 64
MAX_LEGS = 8
MAX_STEPS = 33
MAX_WEIGHT = 10.0
MAX_FILES = 20


def words_of(choices: type[Choice]) -> str:
    """Each of the names with what it means, for the API's description."""
    return " ".join(f"`{choice}`: {choice.words.sentence}." for choice in choices)


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
PathKindField = Annotated[PathKind, Field(description=words_of(PathKind))]
MetricField = Annotated[MetricName, Field(description=words_of(MetricName))]
Weight = Annotated[
    float,
    Field(
        ge=0,
        le=MAX_WEIGHT,
        allow_inf_nan=False,
        strict=True,
        description="Weight of the blend's data term: 0 is the shortest path, 10 keeps close to known sounds.",
    ),
]
Steps = Annotated[
    int, Field(ge=2, le=MAX_STEPS, strict=True, description="Sounds along the path, ends included.")
]


#: Base of replies: what the engine answers, and what the service adds.
Reply = Answer


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def pitch_or_none(pitch: float | None) -> float | None:
    return None if pitch is None or pitch != pitch else round(float(pitch), 2)
