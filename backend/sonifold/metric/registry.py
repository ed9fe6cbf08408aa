"""The metrics that a model offers by name.

A metric is one file in this folder, with a function under ``@register("its name")`` that makes it of a model's parts;
its words stand in :class:`sonifold.choices.MetricName` under the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonifold.choices import MetricName
from sonifold.registry import Registry

if TYPE_CHECKING:
    from sonifold.metric.base import Metric
    from sonifold.metric.kernel import KernelMetric
    from sonifold.metric.pullback import Pullback


@dataclass(frozen=True)
class MetricParts:
    """What the metrics of a model are made of."""

    pullback: Pullback  #: of the perceptual distance by the decoder
    kernel: KernelMetric  #: around the sounds of the library
    weight: float  #: of the data term
    scale: float  #: of the pull-back beside the data term
    learned: KernelMetric | None = None  #: trained with the model's VAE


METRICS: Registry[Callable[[MetricParts], Metric]] = Registry("sonifold.metric")

#: A decorator of a function that makes a metric of a model's parts.
register = METRICS.register


def metric_named(name: str, parts: MetricParts) -> Metric:
    """The metric of a name, of these parts. Raises ValueError for a name that is no choice."""
    factory = METRICS.get(MetricName.of(name))
    if factory is None:
        raise NotImplementedError(f"no file of sonifold.metric registers the metric {name!r}.")
    return factory(parts)
