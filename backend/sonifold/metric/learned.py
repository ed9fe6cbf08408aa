"""The metric that was trained with a model's VAE, of models that have one; see :mod:`sonifold.vae.rhvae`."""

from __future__ import annotations

from sonifold.errors import MetricUnavailable

from .kernel import KernelMetric
from .registry import MetricParts, register


@register("learned")
def of_model(parts: MetricParts) -> KernelMetric:
    """The learned metric. Raises MetricUnavailable for a model without one."""
    if parts.learned is None:
        raise MetricUnavailable(
            "this model has no metric that was trained with it; choose another one of those it lists."
        )
    return parts.learned
