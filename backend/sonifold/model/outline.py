"""What a model says of itself, loaded or not."""

from __future__ import annotations

from functools import cached_property

from sonifold.choices import MetricName
from sonifold.pack.format import PackConfig
from sonifold.pack.library import Library
from sonifold.pack.read import PackOutline

#: Those whose volume points are drawn by.
VOLUMES = (MetricName.KERNEL, MetricName.LEARNED)


class Described:
    """The facts of a pack, by names."""

    def __init__(self, outline: PackOutline):
        self.representation = outline.representation
        self.config: PackConfig = outline.config
        self.library: Library = outline.library
        self.atlas = outline.atlas
        self.card, self.card_markdown = outline.card, outline.card_markdown

    name = property(lambda self: self.config.name, doc="The pack's folder name.")
    title = property(lambda self: self.config.title, doc="What people call it.")
    description = property(lambda self: self.config.description, doc="A sentence on what it holds.")
    latent_dim = property(lambda self: self.config.vae.latent_dim, doc="Dimensions of z.")
    unit = property(lambda self: self.config.unit, doc="Unit of lengths and distances.")

    @property
    def sample_rate(self) -> int:
        """Hz, of all its sounds."""
        return self.representation.sample_rate

    @property
    def sound_samples(self) -> int:
        """Samples of a prepared sound."""
        return self.representation.samples

    @cached_property
    def metric_names(self) -> list[MetricName]:
        """The metrics it has, the default first."""
        learned = self.config.hamiltonian is not None
        return [name for name in MetricName if learned or name != MetricName.LEARNED]

    @property
    def volume_metric_names(self) -> list[MetricName]:
        """The metrics that new points can be drawn by, the default first."""
        return [name for name in self.metric_names if name in VOLUMES]
