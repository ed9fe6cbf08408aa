"""New places made from others: averages, analogies, what lies beyond."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from sonifold_app.engine import base
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import (
    OTHER_ID,
    SOUND_ID,
    Caveat,
    MetricName,
    Number,
    Reply,
    Request,
    Weight,
    Z,
    example,
    row_of,
    rows,
    short,
)
from sonifold_app.schemas.sounds import Neighbour

MAX_ANCHORS = 16
MAX_TO = 4.0

PLACE_EXAMPLE: dict[str, Any] = {
    "unit": "tdB",
    "point": Z,
    "x": 0.31,
    "y": -1.2,
    "in_distribution": False,
    "distance": 9.31,
    "nearest": [{"id": SOUND_ID, "distance": 9.31}],
    "warnings": [
        {
            "code": "off_the_data",
            "text": "outside what the model knows: the nearest sound, Kick 808, is 9.3 tdB away",
        }
    ],
    "audio": {**AUDIO_EXAMPLE, "mode": "sound", "seconds": 1.4861, "frames": 65536},
}


class Place(Reply):
    """A new point, where it lies, what it sounds like, what is around it."""

    unit: str = Field(description="Of distances between sounds.")
    point: list[float] = Field(description="The latent point.")
    x: float
    y: float
    in_distribution: bool = Field(description="Whether it lies among the sounds that the model learned from.")
    distance: float = Field(description="Perceptual distance to the nearest library sound.")
    nearest: list[Neighbour]
    warnings: list[Caveat]
    audio: AudioLink

    @staticmethod
    def fields_of(place: base.Place, unit: str, audio: AudioLink) -> dict[str, Any]:
        return {
            "unit": unit,
            "point": row_of(place.point),
            "x": short(place.position[0]),
            "y": short(place.position[1]),
            "in_distribution": place.in_distribution,
            "distance": short(place.nearest[0].distance),
            "nearest": [Neighbour.of(one) for one in place.nearest],
            "warnings": [Caveat.of(one) for one in place.caveats],
            "audio": audio,
        }


class MeanRequest(Request):
    """Several sounds, to be averaged."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}],
        weights=[2.0, 1.0],
        metric="blend",
        weight=1.0,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=MAX_ANCHORS)
    weights: list[Number] | None = Field(
        None,
        max_length=MAX_ANCHORS,
        description="One for each anchor, 0 or more, not all 0; by default equal.",
    )
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    @model_validator(mode="after")
    def weights_fit(self) -> Self:
        if self.weights is not None:
            if len(self.weights) != len(self.anchors):
                raise ValueError(
                    f"{len(self.anchors)} anchors need as many weights, {len(self.weights)} came"
                )
            if not all(0 <= weight <= 1e6 for weight in self.weights) or not sum(self.weights) > 1e-6:
                raise ValueError("weights are from 0 to 1e6, and not all 0")
        return self

    def query(self) -> base.MeanQuery:
        return base.MeanQuery(
            tuple(one.anchor() for one in self.anchors),
            None if self.weights is None else tuple(self.weights),
            self.metric,
            self.weight,
        )


class MeanReply(Place):
    """The Frechet mean: the place with the least sum of squared distances to the sounds."""

    model_config = example(
        **PLACE_EXAMPLE,
        spokes=[[[0.31, -1.2], [0.1, 0.2]], [[0.31, -1.2], [0.5, -2.0]]],
        distances=[3.1, 2.9],
        variance=9.05,
    )

    spokes: list[list[list[float]]] = Field(
        description="On the map, the shortest ways from the mean to each anchor: `[x, y]` each."
    )
    distances: list[float] = Field(description="Their lengths under the metric, in its own unit.")
    variance: float = Field(description="Weighted mean of the squared distances.")

    @classmethod
    def of(cls, mean: base.Mean, unit: str, audio: AudioLink) -> MeanReply:
        return cls(
            **Place.fields_of(mean.place, unit, audio),
            spokes=[rows(spoke) for spoke in mean.spokes],
            distances=row_of(mean.distances),
            variance=short(mean.variance),
        )


class AnalogyRequest(Request):
    """A is to B as C is to what?"""

    model_config = example(
        a={"sound": SOUND_ID}, b={"sound": OTHER_ID}, c={"position": [0.31, -1.2]}, metric="blend"
    )

    a: Anchor
    b: Anchor
    c: Anchor
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    def query(self) -> base.AnalogyQuery:
        return base.AnalogyQuery(self.a.anchor(), self.b.anchor(), self.c.anchor(), self.metric, self.weight)


class AnalogyReply(Place):
    """What is to C as B is to A."""

    model_config = example(**PLACE_EXAMPLE, course=[[0.1, 0.2], [0.31, -1.2]])

    course: list[list[float]] = Field(description="On the map, the way from C to the answer.")

    @classmethod
    def of(cls, analogy: base.Analogy, unit: str, audio: AudioLink) -> AnalogyReply:
        return cls(**Place.fields_of(analogy.place, unit, audio), course=rows(analogy.course))


class ExtrapolationRequest(Request):
    """On from A through B."""

    model_config = example(anchors=[{"sound": SOUND_ID}, {"sound": OTHER_ID}], to=1.5, metric="blend")

    anchors: list[Anchor] = Field(min_length=2, max_length=2, description="A and B.")
    to: float = Field(
        1.5,
        gt=1,
        le=MAX_TO,
        allow_inf_nan=False,
        strict=True,
        description="How far: 1 is B, 2 as far beyond B as A lies before it.",
    )
    metric: MetricName = "blend"
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    def query(self) -> base.ExtrapolationQuery:
        start, end = (one.anchor() for one in self.anchors)
        return base.ExtrapolationQuery(start, end, self.to, self.metric, self.weight)


class ExtrapolationReply(Place):
    """What lies beyond B, seen from A."""

    model_config = example(
        **PLACE_EXAMPLE, course=[[0.1, 0.2], [0.2, -0.5], [0.31, -1.2]], times=[0.0, 1.0, 1.5], left=1.3
    )

    course: list[list[float]] = Field(description="On the map, the way from A through B to the place.")
    times: list[float] = Field(description="Of the points of the course: 0 at A, 1 at B.")
    left: float | None = Field(description="The time from which on nothing on the way is known.")

    @classmethod
    def of(cls, found: base.Extrapolation, unit: str, audio: AudioLink) -> ExtrapolationReply:
        return cls(
            **Place.fields_of(found.place, unit, audio),
            course=rows(found.course),
            times=row_of(found.times),
            left=None if found.left is None else short(found.left),
        )
