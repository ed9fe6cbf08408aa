"""Ways between two sounds, made audible."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from sonifold_app.engine import choices, questions
from sonifold_app.engine.answers import PathFacts
from sonifold_app.engine.choices import MetricName, PathKind
from sonifold_app.engine.examples import OTHER_ID, SOUND_ID, example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import MetricField, PathKindField, Reply, Request, Steps, Weight
from sonifold_app.schemas.paths import PATH_EXAMPLE

GlideSeconds = Annotated[
    float,
    Field(
        ge=0.5,
        le=20,
        allow_inf_nan=False,
        strict=True,
        description="Length of a glide; steps have their own.",
    ),
]


class MorphRequest(Request):
    """Ways between two anchors, to be made audible."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"sound": OTHER_ID}],
        kinds=["geodesic", "linear"],
        metric="blend",
        weight=1.0,
        steps=17,
        mode="steps",
        seconds=4.0,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=2)
    kinds: list[PathKindField] = Field(
        [PathKind.GEODESIC, PathKind.LINEAR], min_length=1, max_length=len(PathKind)
    )
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17
    mode: choices.MorphMode = "steps"
    seconds: GlideSeconds = 4.0

    @field_validator("kinds")
    @classmethod
    def all_different(cls, kinds: list[PathKind]) -> list[PathKind]:
        if len(set(kinds)) < len(kinds):
            raise ValueError("each kind once")
        return kinds

    def query(self) -> questions.MorphQuery:
        start, end = (anchor.anchor() for anchor in self.anchors)
        return questions.MorphQuery(
            start, end, tuple(self.kinds), self.metric, self.weight, self.steps, self.mode, self.seconds
        )


class Morph(PathFacts):
    """A path and its sound."""

    audio: AudioLink


class MorphReply(Reply):
    model_config = example(
        unit="tdB",
        sample_rate=44100,
        step_samples=65536,
        steps=17,
        morphs=[{**PATH_EXAMPLE, "audio": AUDIO_EXAMPLE}],
    )

    unit: str = Field(description="The unit of lengths and speeds.")
    sample_rate: int
    step_samples: int = Field(description="Length of one step, in samples.")
    steps: int
    morphs: list[Morph] = Field(description="One for each kind, in the order asked for.")
