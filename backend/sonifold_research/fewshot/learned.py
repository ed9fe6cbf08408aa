"""Beyond fixed geometry: a metric learned so that residuals transfer, and a base that is meta-trained for adapting.

Both are learned from episodes: some sounds of a group are uploads with their altered copies, others are to be
predicted by the field of residuals (:mod:`sonifold.adapt.residual_field`), which is differentiable in the latent points
and in the decoder.

metric   k(z, c) = exp(-|W (z - c)|^2 / 2 l^2), W learned on the groups that settings are chosen on
base     the decoder learned, on kits and programs of the base's own training set, each episode altered as a whole
         (transposed, tilted, damped: another kit), the library rehearsed beside it

Neither has seen a group of the report. Meta-learning through a closed form: Bertinetto, Henriques, Torr and Vedaldi
2019, "Meta-learning with differentiable closed-form solvers".
"""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sonifold.adapt import augment, replay, residual_field
from sonifold.adapt.instant import adapted_to
from sonifold.adapt.ridge import Evidence
from sonifold.adapt.uploads import Uploads
from sonifold.model import Model
from sonifold.types import Points
from sonifold.vae.inversion import invert
from sonifold.vae.network import VAE
from sonifold_research.fewshot.bench import FEWEST, Bench, Score

UPLOADS = 10
SETTINGS = ((0.25, 0.05), (0.4, 0.2))  # scale and noise of the fields that are learned through
METRIC_DRAWS, METRIC_STEPS, METRIC_BATCH, METRIC_RATE = 4, 60, 12, 3e-3
FEW_COPIES = 8
BASE_EPISODES, BASE_STEPS, BASE_RATE, BASE_BATCH = 300, 800, 3e-4, 2
BASE_OTHERS, REHEARSED = 16, 64
ALTERED = 0.8  # share of the episodes that are altered as a whole
LEAST = 16  # sounds of a group of the library that makes episodes
END_STEPS = 30  # steps at either end over which the loss is averaged, for the page


@dataclass(frozen=True)
class Episode:
    """Uploads, then copy 1 of each, copy 2 of each, ..., and other sounds: coefficients (., K), points (., latent)."""

    values: Tensor
    z: Points
    others: Tensor
    others_z: Points
    uploads: int

    @property
    def weights(self) -> Tensor:
        """Of the rows, mean 1, (row,)."""
        weights = Evidence(self.values, self.values, self.uploads).weights
        return weights / weights.mean()


@dataclass(frozen=True)
class Learned:
    """What was learned, and the mean loss of its first and last steps."""

    metric: Tensor  # W (latent, latent)
    decoder: dict[str, Tensor]
    losses: Tensor  # (metric or base, first or last)

    @classmethod
    def of(cls, bench: Bench) -> Learned:
        """Learned once, kept in the bench's cache."""
        path = bench.cache / "learned.safetensors" if bench.cache is not None else None
        if path is None or not path.exists():
            metric, metric_losses = learn_metric(bench, settings_episodes(bench))
            decoder, base_losses = learn_base(bench, library_episodes(bench))
            result = cls(metric, decoder.state_dict(), torch.tensor([metric_losses, base_losses]))
            if path is None:
                return result
            tensors = {f"decoder.{name}": tensor for name, tensor in result.decoder.items()}
            save_file(tensors | {"metric": result.metric, "losses": result.losses}, path)
        stored = load_file(path)
        decoder_ = {n.removeprefix("decoder."): t for n, t in stored.items() if n.startswith("decoder.")}
        return cls(stored["metric"], decoder_, stored["losses"])

    def base(self, bench: Bench) -> Bench:
        """The bench with the meta-trained base in place of its own."""
        model = bench.model
        vae = copy.deepcopy(model.vae)
        vae.decoder.load_state_dict(self.decoder)
        return replace(bench, model=Model(replace(model.parts, vae=vae)))


learned = lru_cache(maxsize=1)(Learned.of)


def arms(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """Instant adaptation with the learned metric, and on the meta-trained base."""
    meta_learned = learned(bench)
    uploads = bench.uploads(upload_indices, seed)
    scores = bench.closed(upload_indices, others)
    arms = {}
    began = time.perf_counter()
    arms["field, learned metric"] = scores.score(
        bench.model.vae, began, MetricField.of(bench, uploads, meta_learned.metric)
    )
    other = meta_learned.base(bench)
    scores = other.closed(upload_indices, others)
    began = time.perf_counter()
    inverted = replace(uploads, z=invert(other.model.vae, uploads.coefficients, uploads.z, steps=4))
    field = adapted_to(other.model, inverted).vae.field
    arms["instant, meta-trained base"] = scores.score(other.model.vae, began, field)
    arms["meta-trained base, not adapted"] = scores.score(other.model.vae, time.perf_counter())
    return arms


class MetricField:
    """A field of residuals over W z."""

    def __init__(self, metric: Tensor, field: nn.Module | None, size: int):
        self.metric, self.field, self.size = metric, field, size

    @classmethod
    def of(cls, bench: Bench, uploads: Uploads, metric: Tensor) -> MetricField:
        """Scale and noise chosen as ever, by uploads left out."""
        few = uploads.thinned(residual_field.rows(len(uploads)))
        evidence, z = few.evidence(bench.model.vae), few.points @ metric
        apart = torch.pdist(z[: len(uploads)])
        unit = float(apart.median()) if len(apart) else bench.model.config.metric.temperature
        choice = residual_field.choose(z, evidence, bench.timbre_weight, max(unit, 1e-3))
        return cls(metric, residual_field.fit(z, evidence, choice), evidence.residuals.shape[1])

    def __call__(self, points: Points) -> Tensor:
        if self.field is None:
            return torch.zeros(len(points), self.size)
        correction: Tensor = self.field(points @ self.metric)
        return correction


# -- episodes -------------------------------------------------------------------------------------


@torch.no_grad()
def settings_episodes(bench: Bench) -> list[Episode]:
    """Draws of the groups that settings are chosen on."""
    episodes = []
    for group in bench.sounds.groups:
        if group.side != "settings" or len(group.indices) < UPLOADS + FEWEST:
            continue
        for seed in range(METRIC_DRAWS):
            upload_indices, others = bench.draw(group, UPLOADS, seed)
            few = bench.uploads(upload_indices, seed).thinned(FEW_COPIES)
            values = torch.cat([few.coefficients, few.copies])
            coded = bench.encodings
            episodes.append(Episode(values, few.points, coded.coefficients[others], coded.z[others], UPLOADS))
    return episodes


@torch.no_grad()
def library_episodes(bench: Bench, count: int = BASE_EPISODES) -> list[Episode]:
    """Kits and programs of the base's training set, most of them altered as a whole."""
    model, spectral = bench.model, bench.model.representation
    values = replay.coefficients(model)
    groups: dict[str, list[int]] = defaultdict(list)
    for row in replay.trained(model.library).tolist():
        groups[model.library.labels[row].group].append(row)
    usable = [rows for _, rows in sorted(groups.items()) if len(rows) >= LEAST]
    draw = np.random.default_rng(0)
    episodes = []
    for number in range(count if usable else 0):
        indices = draw.permutation(usable[number % len(usable)])[: UPLOADS + BASE_OTHERS].tolist()
        features = model.coefficients.synthesise(values[indices])
        if draw.random() < ALTERED:
            features = augment.copies(features, 2, spectral, draw)[1]
        coefficients = model.coefficients.analyse(features)
        copies = augment.copies(features[:UPLOADS], FEW_COPIES, spectral, draw).flatten(0, 1)
        altered = model.coefficients.analyse(copies)
        z = invert(model.vae, coefficients, steps=6)
        rows = torch.cat([coefficients[:UPLOADS], altered])
        points = torch.cat([z[:UPLOADS], model.vae.encode(altered)[0]])
        episodes.append(Episode(rows, points, coefficients[UPLOADS:], z[UPLOADS:], UPLOADS))
    return episodes


# -- learning -------------------------------------------------------------------------------------


def predicted(
    z: Points, residuals: Tensor, episode: Episode, at: Points, scale: float, noise: float
) -> Tensor:
    """The field's values at points (batch, latent); z (row, latent) and ``at`` in the kernel's own coordinates."""
    unit = torch.pdist(z[: episode.uploads]).median()

    def kernel(a: Points, b: Points) -> Tensor:
        squares = (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)
        return (-0.5 * squares / (scale * unit) ** 2).exp()

    mean: Tensor = kernel(at, z) @ torch.linalg.solve(
        kernel(z, z) + torch.diag(noise / episode.weights), residuals
    )
    return mean


@torch.enable_grad()
def learn_metric(
    bench: Bench, episodes: list[Episode], steps: int = METRIC_STEPS
) -> tuple[Tensor, tuple[float, float]]:
    """W (latent, latent) with the least Phi error on the episodes' other sounds; (W, loss at first and at last)."""
    vae, timbre_weight = bench.model.vae, bench.timbre_weight
    metric = torch.eye(bench.model.latent_dim, requires_grad=True)
    optimiser = torch.optim.Adam([metric], METRIC_RATE)
    draw = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(steps):
        batch = []
        for number in torch.randperm(len(episodes), generator=draw)[:METRIC_BATCH].tolist():
            episode = episodes[number]
            with torch.no_grad():
                residuals = (episode.values - vae.decode(episode.z)) @ timbre_weight.T
                targets = (episode.others - vae.decode(episode.others_z)) @ timbre_weight.T
            for scale, noise in SETTINGS:
                predictions = predicted(
                    episode.z @ metric, residuals, episode, episode.others_z @ metric, scale, noise
                )
                batch.append((targets - predictions).norm(dim=1).mean() / targets.norm(dim=1).mean())
        loss = torch.stack(batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return metric.detach(), _ends(losses)


@torch.enable_grad()
def learn_base(
    bench: Bench, episodes: list[Episode], steps: int = BASE_STEPS
) -> tuple[nn.Module, tuple[float, float]]:
    """A decoder whose residuals carry further on the episodes; (decoder, loss at first and at last)."""
    vae: VAE = copy.deepcopy(bench.model.vae).requires_grad_(False)
    decoder, timbre_weight = vae.decoder.requires_grad_(True), bench.timbre_weight
    optimiser = torch.optim.AdamW(decoder.parameters(), BASE_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1e-3, steps)
    draw = torch.Generator().manual_seed(0)
    library = bench.model.library
    z, values = library.z[replay.trained(library)], bench.library
    losses = []
    for _ in range(steps):
        batch = []
        for number in torch.randint(len(episodes), (BASE_BATCH,), generator=draw).tolist():
            episode = episodes[number]
            scale, noise = SETTINGS[int(torch.randint(len(SETTINGS), (1,), generator=draw))]
            residuals = episode.values - decoder(episode.z)
            predictions = predicted(episode.z, residuals, episode, episode.others_z, scale, noise)
            errors = decoder(episode.others_z) + predictions - episode.others
            batch.append((errors @ timbre_weight.T).norm(dim=1).mean())
        loss = torch.stack(batch).mean()
        losses.append(loss.item())
        rehearsed = torch.randint(len(values), (REHEARSED,), generator=draw)
        replay_loss = ((decoder(z[rehearsed]) - values[rehearsed]) @ timbre_weight.T).norm(dim=1).mean()
        optimiser.zero_grad()
        (loss + replay_loss).backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    return decoder.requires_grad_(False), _ends(losses)


def _ends(losses: list[float]) -> tuple[float, float]:
    count = min(END_STEPS, max(1, len(losses) // 2))
    return float(np.mean(losses[:count])), float(np.mean(losses[-count:]))
