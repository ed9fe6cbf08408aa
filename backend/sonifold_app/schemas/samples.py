"""New sounds, drawn by one of a model's samplers."""

from __future__ import annotations

from pydantic import Field

from sonifold_app.engine import questions
from sonifold_app.engine.choices import MetricName, SamplerName
from sonifold_app.engine.examples import example
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import Request, words_of

MAX_SAMPLES = 64
MAX_SEED = 2**53 - 1  # what a page's numbers hold
TEMPERATURES = (0.1, 4.0)


class SampleRequest(Request):
    """New points."""

    model_config = example(sampler="hmc", count=16, seed=7, temperature=1.0)

    sampler: SamplerName = Field(SamplerName.HMC, description=words_of(SamplerName))
    count: int = Field(16, ge=1, le=MAX_SAMPLES, strict=True)
    seed: int | None = Field(
        None,
        ge=0,
        le=MAX_SEED,
        strict=True,
        description="The same seed draws the same points; by default a new one, told in the reply.",
    )
    temperature: float = Field(
        1.0,
        ge=TEMPERATURES[0],
        le=TEMPERATURES[1],
        allow_inf_nan=False,
        strict=True,
        description="Above 1 more varied, below more typical.",
    )
    start: Anchor | None = Field(None, description="Start of a walk; required there.")
    metric: MetricName = Field(
        MetricName.KERNEL,
        description="By the volume of which metric; one of the model's `volume_metrics`. Samplers without `volume` "
        "leave it alone.",
    )

    def query(self, seed: int) -> questions.SampleQuery:
        return questions.SampleQuery(
            self.sampler,
            self.count,
            seed,
            self.temperature,
            None if self.start is None else self.start.anchor(),
            self.metric,
        )
