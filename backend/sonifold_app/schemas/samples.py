"""New sounds, drawn by one of a model's samplers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sonifold_app.engine import base
from sonifold_app.schemas.anchors import Anchor
from sonifold_app.schemas.common import SOUND_ID, Caveat, Reply, Request, Z, example, rows, short
from sonifold_app.schemas.sounds import Neighbour

MAX_SAMPLES = 64
MAX_SEED = 2**53 - 1  # what a page's numbers hold
TEMPERATURES = (0.1, 4.0)

SamplerName = Literal["importance", "hmc", "mixture", "aggregated", "prior", "walk"]


class SampleRequest(Request):
    """New points."""

    model_config = example(sampler="hmc", count=16, seed=7, temperature=1.0)

    sampler: SamplerName = Field("hmc", description="One of the model's `samplers`.")
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
        description="Above 1 more daring, below more typical.",
    )
    start: Anchor | None = Field(None, description="Where a walk begins; it needs one.")

    def query(self, seed: int) -> base.SampleQuery:
        return base.SampleQuery(
            self.sampler,
            self.count,
            seed,
            self.temperature,
            None if self.start is None else self.start.anchor(),
        )


class Diagnostics(Reply):
    """How well the points were drawn; null where a sampler has no such figure."""

    acceptance: float | None = Field(description="Share of the proposals that were accepted.")
    effective: float | None = Field(description="How many independent draws these are worth.")
    escapes: int | None = Field(description="Points outside the sampler's support.")


class Sample(Reply):
    point: list[float]
    x: float
    y: float
    in_distribution: bool = Field(description="Whether it lies among the sounds that the model learned from.")
    nearest: Neighbour


class SampleReply(Reply):
    """The points drawn; what they sound like is to be asked of `decodings`."""

    model_config = example(
        unit="tdB",
        sampler="importance",
        seed=7,
        temperature=1.0,
        diagnostics={"acceptance": None, "effective": 14.2, "escapes": 0},
        warnings=[],
        samples=[
            {
                "point": Z,
                "x": 0.31,
                "y": -1.2,
                "in_distribution": True,
                "nearest": {"id": SOUND_ID, "distance": 3.42},
            }
        ],
    )

    unit: str = Field(description="Of distances.")
    sampler: SamplerName
    seed: int
    temperature: float
    diagnostics: Diagnostics
    warnings: list[Caveat]
    samples: list[Sample]

    @classmethod
    def of(cls, draw: base.Draw, sampler: SamplerName, unit: str) -> SampleReply:
        rows_ = zip(
            rows(draw.points), rows(draw.positions), draw.in_distribution.tolist(), draw.nearest, strict=True
        )
        return cls(
            unit=unit,
            sampler=sampler,
            seed=draw.seed,
            temperature=draw.temperature,
            diagnostics=Diagnostics(
                acceptance=short_or_none(draw.acceptance),
                effective=short_or_none(draw.effective),
                escapes=draw.escapes,
            ),
            warnings=[Caveat.of(one) for one in draw.caveats],
            samples=[
                Sample(point=point, x=x, y=y, in_distribution=in_distribution, nearest=Neighbour.of(near))
                for point, (x, y), in_distribution, near in rows_
            ],
        )


def short_or_none(value: float | None) -> float | None:
    return None if value is None else short(value)
