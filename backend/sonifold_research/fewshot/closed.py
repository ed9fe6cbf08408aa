"""The closed forms, each chosen in the same way: the least Phi error on uploads left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from sonifold.adapt import ridge
from sonifold.adapt.geometry import Synthetic, synthetic
from sonifold.adapt.instant import adapted_to
from sonifold.adapt.ridge import Choice, Evidence, Spectrum, Statistics
from sonifold.adapt.uploads import Uploads
from sonifold.types import Points
from sonifold.vae.network import VAE
from sonifold_research.fewshot.bench import Bench, ClosedScores, Score

FEW_COPIES = 8  # of each upload, for kernels: their systems grow with the rows
SCALES = (0.3, 0.6, 1.2, 2.4)  # of the median distance between uploads
NOISES = (0.03, 0.1, 0.3, 1.0, 3.0)
EXTRA_SHARE = 0.25  # of the copies' weight, for synthetic rows
Features = Callable[[Points], Tensor]


@dataclass(frozen=True)
class Extended(Evidence):
    """Evidence with synthetic rows at its end."""

    extra: int = 0

    @property
    def weights(self) -> Tensor:
        rest = Evidence(self.hidden[: -self.extra], self.residuals[: -self.extra], self.uploads).weights
        synthetic = torch.full((self.extra,), EXTRA_SHARE / self.extra)
        return torch.cat([(1 - EXTRA_SHARE) * rest, synthetic])


def instant(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """What the app does, the update of the head, and one residual for all: what every draw is measured with."""
    scores = bench.closed(upload_indices, others)
    uploads, arms = _instant(bench, scores, upload_indices, seed)
    began = time.perf_counter()
    evidence = uploads.evidence(bench.model.vae)
    _, arms["head"] = _head(bench, evidence, scores, began)
    arms["prototype"] = _prototype(bench, uploads, scores)
    return arms


def arms(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """Every closed form on one cell, by name."""
    vae = bench.model.vae
    scores = bench.closed(upload_indices, others)
    uploads, arms = _instant(bench, scores, upload_indices, seed)
    began = time.perf_counter()
    evidence = uploads.evidence(vae)
    choice, arms["head"] = _head(bench, evidence, scores, began)
    arms["none, encoder's mean"] = Score(
        bench.phi_error(vae, others, inverted=False),
        bench.phi_error(vae, upload_indices, inverted=False),
        0.0,
        0.0,
    )

    began = time.perf_counter()
    free = ridge.fit(evidence, bench.statistics, choice, bench.timbre_weight, budget=float("inf"))
    arms["head, no budget for the base"] = scores.score(ridge.with_head(vae, free), began)
    arms["head, uploads alone"] = _plain(bench, _with_copies(bench, uploads, uploads.copies[:0]), scores)
    classic = bench.encodings.copies[upload_indices].transpose(0, 1).flatten(0, 1)
    arms["head, classic augmentation"] = _plain(bench, _with_copies(bench, uploads, classic), scores)
    kinds: tuple[Synthetic, ...] = ("cross-fade", "linear", "geodesic", "metric")
    for kind in kinds:
        began = time.perf_counter()
        rows = synthetic(bench.model, uploads, kind, seed)
        arms[f"head + {kind}"] = _extended(bench, evidence, choice, rows, scores, began)
        if kind in ("cross-fade", "geodesic"):
            bare = _with_copies(bench, uploads, uploads.copies[:0]).evidence(vae)
            arms[f"head, uploads + {kind}, no copies"] = _extended(bench, bare, choice, rows, scores, began)
    arms["prototype"] = _prototype(bench, uploads, scores)
    arms["two-layer ridge"] = _two_layers(bench, uploads, scores)
    if len(upload_indices) > 1:
        few = _with_copies(bench, uploads, uploads.copies[: FEW_COPIES * len(upload_indices)])
        spaces: dict[str, Features] = {
            "field, wide scales": lambda z: z,
            "field, pull-back distance": lambda z: vae.decode(z) @ bench.timbre_weight.T,
        }
        for name, space in spaces.items():
            arms[name] = _kernel(bench, few, space, scores)
        arms["field, uploads alone"] = _kernel(
            bench, _with_copies(bench, uploads, uploads.copies[:0]), spaces["field, wide scales"], scores
        )
        arms["field, classic augmentation"] = _kernel(
            bench,
            _with_copies(bench, uploads, classic[: FEW_COPIES * len(upload_indices)]),
            spaces["field, wide scales"],
            scores,
        )
    return arms


def _instant(
    bench: Bench, scores: ClosedScores, upload_indices: list[int], seed: int
) -> tuple[Uploads, dict[str, Score]]:
    vae = bench.model.vae
    began = time.perf_counter()
    uploads = bench.uploads(upload_indices, seed)
    field = adapted_to(bench.model, uploads).vae.field
    arms = {"instant": scores.score(vae, began, field)}
    return uploads, arms | {"none": scores.score(vae, time.perf_counter())}


def _head(bench: Bench, evidence: Evidence, scores: ClosedScores, began: float) -> tuple[Choice, Score]:
    choice = ridge.choose(evidence, bench.statistics, bench.timbre_weight)
    change = ridge.fit(evidence, bench.statistics, choice, bench.timbre_weight)
    return choice, scores.score(ridge.with_head(bench.model.vae, change), began)


def _with_copies(bench: Bench, uploads: Uploads, copies: Tensor) -> Uploads:
    z = bench.model.vae.encode(copies)[0] if len(copies) else uploads.copies_z[:0]
    return Uploads(uploads.sounds, uploads.coefficients, uploads.z, copies, z)


def _plain(bench: Bench, uploads: Uploads, scores: ClosedScores) -> Score:
    began = time.perf_counter()
    return _head(bench, uploads.evidence(bench.model.vae), scores, began)[1]


def _extended(
    bench: Bench,
    evidence: Evidence,
    choice: Choice,
    rows: Tensor,
    scores: ClosedScores,
    began: float,
) -> Score:
    """With synthetic rows added; how strongly is decided without them, since they mix uploads."""
    vae = bench.model.vae
    z = vae.encode(rows)[0]
    more = Extended(
        torch.cat([evidence.hidden, ridge.hidden(vae, z)]),
        torch.cat([evidence.residuals, rows - vae.decode(z)]),
        evidence.uploads,
        len(rows),
    )
    change = ridge.fit(more, bench.statistics, choice, bench.timbre_weight)
    return scores.score(ridge.with_head(vae, change), began)


def _prototype(bench: Bench, uploads: Uploads, scores: ClosedScores) -> Score:
    """One residual for all: the shrunk mean."""
    began = time.perf_counter()
    evidence = uploads.evidence(bench.model.vae)
    constant = Evidence(torch.ones(len(evidence.hidden), 1), evidence.residuals, evidence.uploads)
    change = _linear(bench, constant, Statistics(torch.ones(1, 1), 1))
    return scores.score(bench.model.vae, began, lambda z: change.expand(len(z), -1))


def _two_layers(bench: Bench, uploads: Uploads, scores: ClosedScores) -> Score:
    """The head reads the features before the last block as well."""
    began = time.perf_counter()
    vae = bench.model.vae
    evidence = uploads.evidence(vae)
    z = torch.cat([uploads.z, uploads.copies_z])
    library_hidden = _both_layers(vae, bench.model.library.z[: bench.statistics.count])
    both = Evidence(_both_layers(vae, z), evidence.residuals, evidence.uploads)
    change = _linear(
        bench, both, Statistics(library_hidden.T @ library_hidden / len(library_hidden), len(library_hidden))
    )
    return scores.score(vae, began, lambda z: _both_layers(vae, z) @ change)


@torch.no_grad()
def _both_layers(vae: VAE, z: Points) -> Tensor:
    earlier = vae.decoder[:-3](z)
    return torch.cat([ridge.hidden(vae, z), earlier / earlier.std().clamp(min=1e-6)], 1)


def _linear(bench: Bench, evidence: Evidence, statistics: Statistics) -> Tensor:
    choice = ridge.choose(evidence, statistics, bench.timbre_weight)
    return Spectrum.of(evidence, statistics, choice.ridge).solution(ridge.BOLDER * choice.amount)


@torch.no_grad()
def _kernel(bench: Bench, uploads: Uploads, space: Features, scores: ClosedScores) -> Score:
    """A Gaussian process over a space of latent points; scale and noise by leaving out uploads."""
    began = time.perf_counter()
    vae, count = bench.model.vae, len(uploads)
    evidence = uploads.evidence(vae)
    coordinates = space(torch.cat([uploads.z, uploads.copies_z]))
    unit = torch.pdist(coordinates[:count]).median()
    between, residuals = torch.cdist(coordinates, coordinates), evidence.residuals
    noise = 1 / (len(coordinates) * evidence.weights)
    target = residuals[:count]
    least, best = float((target @ bench.timbre_weight.T).norm(dim=1).sum()), (SCALES[0], float("inf"))
    for scale in SCALES:
        kernel = (-0.5 * (between / (scale * unit)).square()).exp()
        for level in NOISES:
            inverse = torch.linalg.inv(kernel + torch.diag(level * noise))
            solution = inverse @ residuals
            errors = []
            for upload in range(count):
                block = torch.arange(upload, len(coordinates), count)
                errors.append(torch.linalg.solve(inverse[block][:, block], solution[block])[0])
            error = float((torch.stack(errors) @ bench.timbre_weight.T).norm(dim=1).sum())
            if error < least:
                least, best = error, (scale, level)
    scale, level = best
    if level == float("inf"):
        return scores.score(vae, began)
    kernel = (-0.5 * (between / (scale * unit)).square()).exp()
    solution = torch.linalg.solve(kernel + torch.diag(level * noise), residuals)
    return scores.score(
        vae,
        began,
        lambda z: (-0.5 * (torch.cdist(space(z), coordinates) / (scale * unit)).square()).exp() @ solution,
    )
