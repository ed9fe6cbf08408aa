"""The names that requests choose from: the science's own, with their words, and the service's."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from sonifold.choices import DistanceName, InstrumentName, Layout, MetricName, PathKind, SamplerName

ModelKind = Literal["library", "adapted", "finetuned", "imported"]
MorphMode = Literal["steps", "glide"]

CROSSFADE = "crossfade"
#: What a listening test compares: kinds of paths, and the recordings faded into each other.
STIMULUS_KINDS: tuple[str, ...] = (*(kind.value for kind in PathKind), CROSSFADE)


def stimulus_kind(name: str) -> str:
    """One of ``STIMULUS_KINDS``. Raises ValueError for another name."""
    if name not in STIMULUS_KINDS:
        raise ValueError(f"no such kind; choose one of {', '.join(STIMULUS_KINDS)}.")
    return name


StimulusKind = Annotated[
    str, AfterValidator(stimulus_kind), WithJsonSchema({"type": "string", "enum": list(STIMULUS_KINDS)})
]

__all__ = [
    "CROSSFADE",
    "STIMULUS_KINDS",
    "DistanceName",
    "InstrumentName",
    "Layout",
    "MetricName",
    "ModelKind",
    "MorphMode",
    "PathKind",
    "SamplerName",
    "StimulusKind",
]
