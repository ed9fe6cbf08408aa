"""What there is to know about the models without computing: told once, when a pack is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from sonifold import errors
from sonifold_app.engine.choices import MetricName, ModelKind
from sonifold_app.engine.numbers import Numbers

Named = TypeVar("Named")


@dataclass(frozen=True)
class LibraryTable:
    """The sounds of a pack, column by column, all in the same order."""

    ids: Sequence[str]
    names: Sequence[str]
    families: Sequence[str]
    family_names: Sequence[str]
    sources: Sequence[str]
    licences: Sequence[str]
    credits: Sequence[str]
    groups: Sequence[str]
    seconds: Sequence[float]
    pitches: Sequence[float | None]
    positions: Numbers  # (n, 2)
    z: Numbers  # (n, latent)
    finetuned: Sequence[bool] = ()  # whether the model was fine-tuned on the sound; empty: on none

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Where each sound stands, by its id."""
        return {id: row for row, id in enumerate(self.ids)}


@dataclass(frozen=True)
class AtlasField:
    """The magnification, log sqrt det G, on a grid of the map; values up to ``coast`` are land."""

    extent: tuple[float, float, float, float]
    x: Numbers  # (nx,)
    y: Numbers  # (ny,)
    values: Numbers  # (ny, nx)
    coast: float
    levels: Sequence[float]
    placement_error: Mapping[str, Any]


@dataclass(frozen=True)
class SamplerFacts:
    """A way to draw new points."""

    id: str
    title: str
    temperature: bool  # True where it takes a temperature
    start: bool  # whether it needs somewhere to begin
    volume: bool = False  # whether it draws by the volume of a metric


@dataclass(frozen=True)
class DescriptorFacts:
    """A word for timbre that has a number."""

    id: str
    unit: str
    more: str
    less: str
    meaning: str


@dataclass(frozen=True)
class ModelFacts:
    """Everything about a loaded pack that does not need computing."""

    name: str
    version: str  # changes with the pack and with the code that renders it: what was rendered before is stale
    pack: str  # changes with what a latent point means
    release: str  # the pack's own version, as files that leave name it
    title: str
    description: str
    latent_dim: int
    sample_rate: int
    sound_samples: int
    unit: str
    weight: float  # of the blend's data term, by default
    card: Mapping[str, Any]
    card_markdown: str
    library: LibraryTable
    atlas: AtlasField
    metrics: tuple[MetricName, ...] = ()  # the default first
    volume_metrics: tuple[MetricName, ...] = ()  # those that points can be drawn by, the default first
    samplers: tuple[SamplerFacts, ...] = ()
    descriptors: tuple[DescriptorFacts, ...] = ()
    kind: ModelKind = "library"
    base: str | None = None  # what an adapted or a fine-tuned model was made from

    @property
    def home(self) -> str:
        """The model that user sounds are kept with: of an adapted one its base."""
        return self.base if self.kind == "adapted" and self.base is not None else self.name


@dataclass(frozen=True)
class Catalogue:
    """The packs that can be used, and those that cannot, with the reason as a sentence."""

    models: Mapping[str, ModelFacts] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"  # where they compute

    def find(self, name: str) -> ModelFacts:
        """A model. Raises PackNotFound, PackInvalid."""
        return find_model(name, self.models, self.unusable, "Pick one of these.")


def find_model(name: str, models: Mapping[str, Named], unusable: Mapping[str, str], advice: str) -> Named:
    """What ``models`` has under a name. Raises PackInvalid with the reason if it is unusable; PackNotFound."""
    if name in unusable:
        raise errors.PackInvalid(unusable[name])
    if name not in models:
        raise errors.PackNotFound(f"no model named {name!r}; this server has {sorted(models)}. {advice}")
    return models[name]
