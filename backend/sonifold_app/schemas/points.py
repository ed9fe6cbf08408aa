"""New points made from others: averages, analogies, what lies beyond."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from sonifold_app.engine import questions
from sonifold_app.engine.answers import AnalogyFacts, ExtrapolationFacts, MeanFacts
from sonifold_app.engine.choices import MetricName
from sonifold_app.engine.examples import OTHER_ID, SOUND_ID, Z, example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import MetricField, Number, Request, Weight

MAX_ANCHORS = 16
MAX_TO = 4.0

POINT_EXAMPLE: dict[str, Any] = {
    "unit": "tdB",
    "point": Z,
    "x": 0.31,
    "y": -1.2,
    "in_distribution": False,
    "decoded_distance": 9.31,
    "nearest": [{"id": SOUND_ID, "distance": 9.31}],
    "warnings": [
        {
            "code": "off_the_data",
            "text": "outside what the model knows: no sound that it knows is nearer than Kick 808",
        }
    ],
    "audio": {**AUDIO_EXAMPLE, "mode": "sound", "seconds": 1.4861, "frames": 65536},
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
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    @model_validator(mode="after")
    def weights_fit(self) -> Self:
        if self.weights is not None:
            if len(self.weights) != len(self.anchors):
                raise ValueError(
                    f"expected {len(self.anchors)} weights, one for each anchor; got {len(self.weights)}"
                )
            if not all(0 <= weight <= 1e6 for weight in self.weights) or not sum(self.weights) > 1e-6:
                raise ValueError("weights are from 0 to 1e6, and not all 0")
        return self

    def query(self) -> questions.MeanQuery:
        return questions.MeanQuery(
            tuple(anchor.anchor() for anchor in self.anchors),
            None if self.weights is None else tuple(self.weights),
            self.metric,
            self.weight,
        )


class MeanReply(MeanFacts):
    """The Frechet mean: the point with the least sum of squared distances to the sounds."""

    model_config = example(
        **POINT_EXAMPLE,
        spokes=[[[0.31, -1.2], [0.1, 0.2]], [[0.31, -1.2], [0.5, -2.0]]],
        distances=[3.1, 2.9],
        variance=9.05,
    )

    audio: AudioLink


class AnalogyRequest(Request):
    """A is to B as C is to what?"""

    model_config = example(
        a={"sound": SOUND_ID}, b={"sound": OTHER_ID}, c={"position": [0.31, -1.2]}, metric="blend"
    )

    a: Anchor
    b: Anchor
    c: Anchor
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    def query(self) -> questions.AnalogyQuery:
        return questions.AnalogyQuery(
            self.a.anchor(), self.b.anchor(), self.c.anchor(), self.metric, self.weight
        )


class AnalogyReply(AnalogyFacts):
    """The point that relates to C as B relates to A."""

    model_config = example(**POINT_EXAMPLE, course=[[0.1, 0.2], [0.31, -1.2]])

    audio: AudioLink


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
        description="Position on the geodesic: 1 is B, 2 as far beyond B as A lies before it.",
    )
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    def query(self) -> questions.ExtrapolationQuery:
        start, end = (anchor.anchor() for anchor in self.anchors)
        return questions.ExtrapolationQuery(start, end, self.to, self.metric, self.weight)


class ExtrapolationReply(ExtrapolationFacts):
    """A point beyond B on the geodesic from A."""

    model_config = example(
        **POINT_EXAMPLE, course=[[0.1, 0.2], [0.2, -0.5], [0.31, -1.2]], times=[0.0, 1.0, 1.5], left=1.3
    )

    audio: AudioLink
