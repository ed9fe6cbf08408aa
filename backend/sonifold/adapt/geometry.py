"""Geometry in few-shot training, each part switchable: sounds in between, near-isometry, latent structure kept.

Synthetic sounds between pairs (a, b) - every two uploads, and each upload with its two nearest library sounds - carry
the residuals of both ends along: c(t) = dec(gamma(t)) + (1-t) r_a + t r_b. The cross-fade c(t) = (1-t) c_a + t c_b is
the control: it knows nothing of the latent space.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from sonifold import geodesic
from sonifold.adapt import replay
from sonifold.adapt.uploads import Uploads
from sonifold.forward import jvp
from sonifold.metric import KernelMetric
from sonifold.model import Model
from sonifold.morph.path import NODES
from sonifold.sample.importance import ImportanceResampling
from sonifold.types import Points
from sonifold.vae.network import VAE

Synthetic = Literal["none", "cross-fade", "linear", "geodesic", "metric"]
TIMES = torch.linspace(0, 1, 9)[1:-1]
NEIGHBOURS = 2  # library sounds that each upload is paired with
PROBES = 32  # points of the isometry penalty
MOST_PAIRS = 60  # drawn at random from more
AROUND = 20  # metric samples for each upload


def synthetic(model: Model, uploads: Uploads, kind: Synthetic, seed: int = 0) -> Tensor:
    """Coefficients (sound, K) of synthetic sounds between or around the uploads.

    Raises:
        ValueError: an unknown kind, or ``none``.
    """
    if kind == "metric":
        return _around(model, uploads, seed)
    z, residuals, pairs = _pairs(model, uploads)
    if len(pairs) > MOST_PAIRS:
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))
        pairs = pairs[order[:MOST_PAIRS]]
    first, second = pairs.T
    t = TIMES.to(z)[None, :, None]

    def across(rows: Tensor) -> Tensor:
        return (1 - t) * rows[first][:, None] + t * rows[second][:, None]

    with torch.no_grad():
        if kind == "cross-fade":
            return across(residuals + model.vae.decode(z)).flatten(0, 1)
        if kind == "linear":
            curves = across(z)
        elif kind == "geodesic":
            curves = geodesic.at(geodesic.solve(model.metric(), z[first], z[second], NODES).nodes, TIMES)
        else:
            raise ValueError(
                f"no synthetic sounds of kind {kind!r}; choose cross-fade, linear, geodesic or metric."
            )
        adapted: Tensor = (
            model.vae.decode(curves.flatten(0, 1)).unflatten(0, curves.shape[:2]) + across(residuals)
        ).flatten(0, 1)
        return adapted


def _pairs(model: Model, uploads: Uploads) -> tuple[Points, Tensor, Tensor]:
    """Latent points and residuals of uploads and of the library sounds near them, and pairs of places (pair, 2)."""
    count = len(uploads)
    between = torch.cdist(model.coordinates(uploads.z), model.atlas.coordinates)
    held_out = torch.tensor([label.split.startswith("held_out") for label in model.library.labels])
    near = between.masked_fill(held_out, torch.inf).topk(NEIGHBOURS, largest=False).indices.flatten()
    z = torch.cat([uploads.z, model.library.z[near].to(uploads.z)])
    values = torch.cat([uploads.coefficients, replay.coefficients(model)[near].to(z)])
    residuals = values - model.vae.decode(z)
    among = torch.combinations(torch.arange(count), 2) if count > 1 else torch.empty(0, 2, dtype=torch.long)
    towards = torch.stack(
        [torch.arange(count).repeat_interleave(NEIGHBOURS), count + torch.arange(count * NEIGHBOURS)], 1
    )
    return z, residuals, torch.cat([among, towards])


@torch.no_grad()
def _around(model: Model, uploads: Uploads, seed: int) -> Tensor:
    """Samples of the volume of the kernel metric over the uploads' posteriors (Chadebec et al. 2022, section 4).

    Each carries the residuals of the uploads, those near it most.
    """
    _, log_variance = model.vae.encode(uploads.coefficients)
    temperature = model.config.metric.temperature if len(uploads) < 2 else None
    metric = KernelMetric.posterior(uploads.z, log_variance.exp(), temperature, normalise=len(uploads) > 1)
    z = ImportanceResampling(metric).sample(AROUND * len(uploads), seed).points
    share = torch.softmax(-torch.cdist(z, uploads.z).square() / metric.temperature**2, 1)
    return model.vae.decode(z) + share @ uploads.residuals(model.vae)


def isometry(vae: VAE, points: Points, timbre_map: Tensor, draw: torch.Generator) -> Tensor:
    """E r^2 / (E r)^2 - 1 with r = |J_Phi u|^2 for random unit u: 0 when the decoder is a scaled isometry to the ear.

    Probed at random blends of ``points``, a little beyond them too. Lee, Yoon, Son & Park 2022 (regularised
    autoencoders for isometric representation learning), eq. 8, in Phi.
    """
    order = torch.randperm(len(points), generator=draw).to(points.device)
    share = (torch.rand(len(points), 1, generator=draw) * 1.2 - 0.1).to(points)
    z = (share * points + (1 - share) * points[order])[:PROBES]
    directions = torch.nn.functional.normalize(torch.randn(z.shape, generator=draw), dim=1).to(points)
    pushed = jvp(vae.decoder, (z,), (directions,))[1]
    stretch = (pushed @ timbre_map.T).square().sum(1)
    excess: Tensor = stretch.square().mean() / stretch.mean().square() - 1
    return excess


def distillation(points: Points, before: Points) -> Tensor:
    """Relative squared change of the distances between latent points (batch, latent) of a batch.

    Relational knowledge distillation (Park, Kim, Lu & Cho 2019), distance-wise, from the base to the fine-tuned model.
    """
    now, then = torch.pdist(points), torch.pdist(before)
    return (now - then).square().mean() / then.square().mean()
