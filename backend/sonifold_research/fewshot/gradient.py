"""Refining as the app does it, its variants, and training from scratch."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from sonifold.adapt.finetune import FinetuneConfig, finetune_from
from sonifold.adapt.geometry import Synthetic
from sonifold.adapt.instant import AdaptedModel, adapted_to, choose
from sonifold.vae.inversion import invert
from sonifold.vae.network import VAE, divergence, freeze
from sonifold_research.fewshot.bench import Bench, Score

#: One run, no trial: what differs between the variants is the loss alone.
PLAIN = FinetuneConfig(trial=False, check_every=1_000)
VARIANTS: dict[str, FinetuneConfig] = {
    "plain": PLAIN,
    "cross-fade": PLAIN.model_copy(update={"synthetic": "cross-fade"}),
    "geodesic": PLAIN.model_copy(update={"synthetic": "geodesic"}),
    "metric": PLAIN.model_copy(update={"synthetic": "metric"}),
    "isometry": PLAIN.model_copy(update={"isometry": 20.0}),
    "encoder too, distillation": PLAIN.model_copy(update={"learn": "all", "distillation": 300.0}),
    "geodesic + isometry + distillation": PLAIN.model_copy(
        update={"synthetic": "geodesic", "isometry": 20.0, "learn": "all", "distillation": 300.0}
    ),
    "no replay": PLAIN.model_copy(update={"replay": 1}),
}
SCRATCH_STEPS, SCRATCH_RATE, SCRATCH_BATCH = 300, 1e-3, 64


def finetuned(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """The default."""
    began = time.perf_counter()
    tuned = finetune_from(
        adapted_to(bench.model, bench.uploads(upload_indices, seed)), FinetuneConfig(seed=seed)
    )
    return {"refined": bench.score(tuned.vae, upload_indices, others, began)}


def variants(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """One run of each variant of the loss."""
    arms = {}
    uploads = bench.uploads(upload_indices, seed)
    begun = adapted_to(bench.model, uploads)
    for name, config in VARIANTS.items():
        began = time.perf_counter()
        tuned = finetune_from(begun, config.model_copy(update={"seed": seed}))
        arms[f"refined, {name}"] = bench.score(tuned.vae, upload_indices, others, began)
    return arms


def plain(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """Gradient steps with replay and no field, so nothing of the latent space; then with a field, and more sounds."""
    uploads = bench.uploads(upload_indices, seed)
    begun = adapted_to(bench.model, uploads)
    classic = bench.encodings.copies[upload_indices].transpose(0, 1).flatten(0, 1)
    altered = replace(uploads, copies=classic, copies_z=bench.model.vae.encode(classic)[0])
    choice = choose(bench.model, altered)
    from_classic = AdaptedModel(replace(begun.adaptation, uploads=altered, choice=choice), begun.vae)
    arms = {}
    kind: Synthetic
    for name, start, kind in (
        ("tuned, transposed copies", begun, "none"),
        ("tuned, classic augmentation", from_classic, "none"),
        ("tuned, classic augmentation + cross-fade", from_classic, "cross-fade"),
        ("tuned, classic augmentation + geodesic", from_classic, "geodesic"),
    ):
        began = time.perf_counter()
        tuned = finetune_from(start, PLAIN.model_copy(update={"seed": seed, "synthetic": kind})).vae
        if kind == "none":
            arms[f"{name}, field"] = bench.score(tuned, upload_indices, others, began)
        tuned.field = None
        arms[name] = bench.score(tuned, upload_indices, others, began)
    return arms


def scratch(bench: Bench, upload_indices: list[int], others: list[int], seed: int) -> dict[str, Score]:
    """A network that has seen nothing but the uploads and their copies."""
    began = time.perf_counter()
    uploads = bench.uploads(upload_indices, seed)
    rows = torch.cat([uploads.coefficients, uploads.copies])
    spread = bench.library.std(0)
    draw = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    vae = VAE(bench.model.vae.config)
    optimiser = torch.optim.AdamW(vae.parameters(), SCRATCH_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, SCRATCH_STEPS)
    for _ in range(SCRATCH_STEPS):
        target = rows[torch.randint(len(rows), (SCRATCH_BATCH,), generator=draw)]
        shaken = PLAIN.noise * spread * torch.randn(target.shape, generator=draw)
        noise = torch.randn(SCRATCH_BATCH, bench.model.latent_dim, generator=draw)
        decoded, mean, log_variance = vae(target + shaken, noise)
        loss = (
            PLAIN.reconstruction * (decoded - target).square().mean() + divergence(mean, log_variance).mean()
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    freeze(vae)
    seconds = time.perf_counter() - began
    # the base's points mean nothing to it: refine from its own encoder's
    values = bench.encodings.coefficients

    def error(indices: list[int]) -> float:
        z = invert(vae, values[indices], steps=6)
        decoded = vae.decode(z) @ bench.timbre_weight.T + bench.offset
        return float((decoded - bench.encodings.timbre[indices]).norm(dim=1).mean())

    library_values, timbre, _ = bench.held_out
    rebuilt = vae.decode(vae.encode(library_values)[0]) @ bench.timbre_weight.T + bench.offset
    drift = float((rebuilt - timbre).norm(dim=1).mean()) - bench.base_error(bench.model.vae)
    return {"from scratch": Score(error(others), error(upload_indices), drift, seconds)}
