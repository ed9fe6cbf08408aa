"""The gain expected of adapting to a few sounds, computed before it is done."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.adapt.residual_field import Choice
from sonifold.adapt.uploads import Uploads
from sonifold.intervals import bootstrap
from sonifold.model import Model

MUCH, SOME = 0.15, 0.05  # of the Phi error


@dataclass(frozen=True)
class Forecast:
    """Coherence of the uploads, and the share of the Phi error that adapting saves on one left out."""

    uploads: int
    coherence: float | None  # mean cosine between residuals of different uploads; None for one
    error: float  # Phi, mean over the uploads, before: how far they lie from what the model can say
    gain: float | None  # share of the error saved on an upload that was left out, mean
    low: float | None  # its 95 % interval over uploads
    high: float | None
    repeats: int = 0  # sounds that were left out before, since they repeat others

    @classmethod
    def of(cls, model: Model, uploads: Uploads, choice: Choice) -> Forecast:
        """From the uploads and the adaptation chosen for them."""
        residuals = uploads.residuals(model.vae)
        timbre_map, _ = model.coefficients.timbre_map
        before = (residuals @ timbre_map.T).norm(dim=1)
        if choice.left_out is None:
            return cls(len(uploads), None, float(before.mean()), None, None, None, uploads.repeats)
        after = ((residuals - choice.left_out) @ timbre_map.T).norm(dim=1)
        saved = bootstrap((1 - after / before.clamp(min=1e-6)).cpu().numpy())
        return cls(
            len(uploads),
            coherence(residuals),
            float(before.mean()),
            saved.mean,
            saved.low,
            saved.high,
            uploads.repeats,
        )

    def __str__(self) -> str:
        return self._expectation() + self._left_out()

    def _left_out(self) -> str:
        if not self.repeats:
            return ""
        sounds = self.uploads + self.repeats
        return f" {self.repeats} of the {sounds} repeat another, and were left out: they would foretell themselves."

    def _expectation(self) -> str:
        if self.gain is None:
            return "From one sound nobody can tell what to expect of others: listen to some."
        share = f"{100 * max(self.gain, 0):.0f} %"
        closer = f"expect the model to come about {share} closer to others like them."
        if self.gain >= MUCH:
            return f"Your sounds belong together: {closer}"
        if self.gain >= SOME:
            return f"Your sounds have something in common: {closer}"
        return (
            "Your sounds share little that the model did not know: expect other sounds to change very little."
        )


def coherence(residuals: Tensor) -> float | None:
    """Mean cosine between the residuals (upload, K) of different uploads; None for fewer than two."""
    count = len(residuals)
    if count < 2:
        return None
    directions = torch.nn.functional.normalize(residuals, dim=1)
    return float((directions.sum(0).square().sum() - directions.square().sum()) / (count * (count - 1)))
