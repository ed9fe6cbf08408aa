"""Words for timbre: what they say of places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, StrictBool

from sonifold_app.engine import questions
from sonifold_app.engine.answers import TraversalFacts
from sonifold_app.engine.choices import MetricName
from sonifold_app.engine.examples import SOUND_ID, Z, example
from sonifold_app.engine.numbers import short
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import MAX_STEPS, MetricField, Reply, Request, Weight

MAX_DESCRIBED = 64

DescriptorName = Literal["brightness", "attack", "decay", "noisiness", "inharmonicity", "roughness"]


class DescriptionRequest(Request):
    """Places, to be described."""

    model_config = example(anchors=[{"sound": SOUND_ID}, {"position": [0.31, -1.2]}])

    anchors: list[Anchor] = Field(min_length=1, max_length=MAX_DESCRIBED)


class DescriptionReply(Reply):
    """Values of the model's `descriptors` at each point, measured as the steps of a traversal are."""

    model_config = example(descriptors={"brightness": [14.2, 16.0], "attack": [-2.1, -1.4]})

    descriptors: dict[str, list[float]] = Field(description="By name, one number for each anchor.")

    @classmethod
    def of(cls, described: Sequence[Mapping[str, float]]) -> DescriptionReply:
        return cls(
            descriptors={
                name: [short(description[name]) for description in described] for name in described[0]
            }
        )


class TraversalRequest(Request):
    """Less and more of what a word says, from a place."""

    model_config = example(start={"sound": SOUND_ID}, descriptor="brightness", steps=9, reach=1.5, hold=True)

    start: Anchor
    descriptor: DescriptorName = Field(description="One of the model's `descriptors`.")
    steps: int = Field(
        9, ge=3, le=MAX_STEPS, strict=True, description="Sounds, that of the start among them."
    )
    reach: float | None = Field(
        None,
        gt=0,
        le=4,
        allow_inf_nan=False,
        strict=True,
        description="Largest change to either side, in standard deviations over the library; by default 1.5.",
    )
    hold: StrictBool = Field(
        True, description="Keep the other descriptors where they are, where that is cheap."
    )
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")

    def query(self) -> questions.TraversalQuery:
        return questions.TraversalQuery(
            self.start.anchor(), self.descriptor, self.steps, self.reach, self.hold, self.metric, self.weight
        )


class TraversalReply(TraversalFacts):
    """Sounds that differ in what the word says, less of it first, the start's own residual carried along."""

    model_config = example(
        descriptor="brightness",
        unit="ERB-rate",
        distance_unit="tdB",
        origin=1,
        values=[12.9, 14.2, 15.5],
        points=[Z, Z, Z],
        positions=[[0.3, -1.2], [0.31, -1.2], [0.35, -1.1]],
        in_distribution=[True, True, False],
        distances=[3.1, 0.0, 9.4],
        course=[[0.3, -1.2], [0.31, -1.2], [0.35, -1.1]],
        stopped={"less": "as far as was asked", "more": "any further leaves the known sounds"},
        descriptors={"brightness": [12.9, 14.2, 15.5]},
        warnings=[],
        sample_rate=44100,
        step_samples=65536,
        audio={**AUDIO_EXAMPLE, "mode": "steps"},
    )

    audio: AudioLink
