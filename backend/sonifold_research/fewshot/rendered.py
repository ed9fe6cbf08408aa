"""A look at rendered sound: does what is saved in features arrive at the ear?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonifold.adapt.finetune import FinetuneConfig, finetune_from
from sonifold.adapt.instant import adapted_to
from sonifold.audio.timbre import timbre_features
from sonifold.files import write_whole
from sonifold.morph.render import POINT_ITERATIONS, Renderer
from sonifold.representation.spectral import ONSET
from sonifold.vae.inversion import invert
from sonifold.vae.network import VAE
from sonifold_research.fewshot.bench import FEWEST, Bench

UPLOADS, OTHERS = 10, 6
Progress = Callable[[str, int, int], None]


def run(bench: Bench, path: Path, progress: Progress) -> dict[str, Any]:
    """Rendered Phi errors of every group of the report, kept in one file."""
    record: dict[str, Any] = {"sounds": OTHERS, "groups": []}
    if path.exists():
        record = json.loads(path.read_text(encoding="utf-8"))
    finished = {group["group"] for group in record["groups"]}
    groups = [
        group
        for group in bench.sounds.groups
        if group.side == "report" and len(group.indices) >= UPLOADS + FEWEST
    ]
    for number, group in enumerate(groups, 1):
        if group.name not in finished:
            upload_indices, others = bench.draw(group, UPLOADS, 0)
            uploads = bench.uploads(upload_indices, 0)
            instant = adapted_to(bench.model, uploads)
            tuned = finetune_from(instant, FinetuneConfig(trial=False))
            networks = {"none": bench.model.vae, "instant": instant.vae, "refined": tuned.vae}
            errors = {name: _error(bench, vae, others[:OTHERS]) for name, vae in networks.items()}
            record["groups"].append({"group": group.name, **errors})
            write_whole(path, json.dumps(record).encode(), durable=False)
        progress(f"rendered: {group.name}", number, len(groups))
    return record


@torch.no_grad()
def _error(bench: Bench, vae: VAE, indices: list[int]) -> float:
    spectral = bench.model.representation
    z = invert(vae, bench.encodings.coefficients[indices], bench.encodings.z[indices], 4)
    maps = spectral.normalise(Renderer(spectral, vae, bench.model.coefficients).features(z))
    rendered = spectral.synthesise(maps, iterations=POINT_ITERATIONS)
    return float((_phi(bench, rendered) - _phi(bench, bench.sounds.audio[indices])).norm(dim=1).mean())


def _phi(bench: Bench, audio: Tensor) -> Tensor:
    return timbre_features(audio, bench.model.sample_rate, ONSET / bench.model.sample_rate)
