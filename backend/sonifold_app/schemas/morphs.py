"""Ways between two sounds, made audible."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from sonifold_app.engine import choices, questions
from sonifold_app.engine.answers import PathFacts
from sonifold_app.engine.choices import MetricName, PathKind
from sonifold_app.engine.examples import OTHER_ID, SOUND_ID, example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.audio import AUDIO_EXAMPLE, AudioLink
from sonifold_app.schemas.common import MetricField, PathKindField, Reply, Request, Steps, Weight
from sonifold_app.schemas.paths import PATH_EXAMPLE
from sonifold_app.schemas.problems import ProblemDocument

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


class MorphStreamRequest(Request):
    """Ways between two anchors, to be made audible step by step."""

    model_config = example(
        anchors=[{"sound": SOUND_ID}, {"sound": OTHER_ID}],
        kinds=["geodesic", "linear"],
        metric="blend",
        weight=1.0,
        steps=17,
    )

    anchors: list[Anchor] = Field(min_length=2, max_length=2)
    kinds: list[PathKindField] = Field(
        [PathKind.GEODESIC, PathKind.LINEAR], min_length=1, max_length=len(PathKind)
    )
    metric: MetricField = MetricName.BLEND
    weight: Weight | None = Field(None, description="By default the model's own, see its `weights`.")
    steps: Steps = 17

    @field_validator("kinds")
    @classmethod
    def all_different(cls, kinds: list[PathKind]) -> list[PathKind]:
        if len(set(kinds)) < len(kinds):
            raise ValueError("each kind once")
        return kinds

    def complete(self) -> MorphRequest:
        """The request whose reply holds the same."""
        return MorphRequest(**dict(self))


class MorphRequest(MorphStreamRequest):
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

    mode: choices.MorphMode = "steps"
    seconds: GlideSeconds = 4.0

    def query(self) -> questions.MorphQuery:
        start, end = (anchor.anchor() for anchor in self.anchors)
        return questions.MorphQuery(
            start, end, tuple(self.kinds), self.metric, self.weight, self.steps, self.mode, self.seconds
        )


class Morph(PathFacts):
    """A path and its sound."""

    audio: AudioLink


class MorphLayout(Reply):
    """How the steps of a morph lie in its sound, and what its lengths are in."""

    unit: str = Field(description="The unit of lengths and speeds.")
    sample_rate: int
    step_samples: int = Field(description="Length of one step, in samples.")
    steps: int


class MorphReply(MorphLayout):
    model_config = example(
        unit="tdB",
        sample_rate=44100,
        step_samples=65536,
        steps=17,
        morphs=[{**PATH_EXAMPLE, "audio": AUDIO_EXAMPLE}],
    )

    morphs: list[Morph] = Field(description="One for each kind, in the order asked for.")


# -- frames of a stream ------------------------------------------------------------------------


class PathsFrame(MorphLayout):
    """The first frame: where the ways lead, as they are timed before anything is rendered."""

    model_config = example(
        frame="paths",
        bytes=0,
        unit="tdB",
        sample_rate=44100,
        step_samples=65536,
        steps=17,
        paths=[PATH_EXAMPLE],
    )

    frame: Literal["paths"] = "paths"
    bytes: Literal[0] = 0
    paths: list[PathFacts] = Field(description="One for each kind, in the order asked for.")


class StepFrame(Reply):
    """One step; after the line come the bytes of a WAV file of its own. It does not change any more."""

    model_config = example(frame="step", bytes=132426, kind="geodesic", step=1)

    frame: Literal["step"] = "step"
    bytes: int = Field(description="Length of the WAV file.")
    kind: PathKind
    step: int = Field(description="0 is the first anchor.")


class EndFrame(Reply):
    """The last frame: everything has come."""

    model_config = example(
        frame="end",
        bytes=0,
        reply={
            "unit": "tdB",
            "sample_rate": 44100,
            "step_samples": 65536,
            "steps": 17,
            "morphs": [{**PATH_EXAMPLE, "audio": AUDIO_EXAMPLE}],
        },
    )

    frame: Literal["end"] = "end"
    bytes: Literal[0] = 0
    reply: MorphReply = Field(description="The reply to the same request to `morphs`; its facts are final.")


class ProblemFrame(Reply):
    """The last frame where something went wrong on the way. What came before holds."""

    model_config = example(
        frame="problem",
        bytes=0,
        problem={
            "type": "urn:sonifold:problem:not_computable",
            "title": "This cannot be computed",
            "status": 422,
            "detail": "the result is not a finite number: the model is flat or overflows there.",
            "code": "not_computable",
        },
    )

    frame: Literal["problem"] = "problem"
    bytes: Literal[0] = 0
    problem: ProblemDocument


FRAMES = (PathsFrame, StepFrame, EndFrame, ProblemFrame)
