"""Where sounds and their transposed copies lie: computed once, in blocks that an interrupted run need not repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from sonifold import quotient
from sonifold.files import write_whole
from sonifold.model import Model
from sonifold.quotient import Orbits
from sonifold_research.episodes.sounds import ForeignSounds

SHIFTS = quotient.shifts(1.0, 0.25)  # nine keys
BLOCK = 16
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Spaces:
    """Orbits of all sounds in the spaces that are compared, and feature maps for the network."""

    timbre: Orbits  # Phi of the audio
    latent: Orbits
    decoded: Orbits  # Phi of what is decoded at the latent points, turned
    maps: Tensor  # (sound, band, frame)


@torch.no_grad()
def build(model: Model, sounds: ForeignSounds, cache: Path, progress: Progress) -> Spaces:
    """Stored in the folder ``cache``, a file a block."""
    cache.mkdir(parents=True, exist_ok=True)
    blocks = []
    for start in range(0, len(sounds.audio), BLOCK):
        path = cache / f"{start:04d}.safetensors"
        if not path.exists():
            block = _block(model, sounds.audio[start : start + BLOCK])
            write_whole(path, save(block), durable=False)
        blocks.append(load_file(path))
        progress("episodes: transposed copies", min(start + BLOCK, len(sounds.audio)), len(sounds.audio))
    timbre, latent, maps = (
        torch.cat([block[name] for block in blocks]) for name in ("timbre", "latent", "maps")
    )
    decoded = model.coordinates(latent.flatten(0, 1)).unflatten(0, latent.shape[:2])
    return Spaces(Orbits(SHIFTS, timbre), Orbits(SHIFTS, latent), Orbits(SHIFTS, decoded), maps)


def _block(model: Model, audio: Tensor) -> dict[str, Tensor]:
    timbre = quotient.timbre_orbits(audio, model.sample_rate, model.representation.onset, SHIFTS).points
    latent = []
    for sound in audio:
        features, _ = model.representation.analyse(quotient.copies(sound, SHIFTS))
        latent.append(model.inverted(model.coefficients.analyse(features)))
    maps, _ = model.representation.analyse(audio)
    return {"timbre": timbre.contiguous(), "latent": torch.stack(latent), "maps": maps.contiguous()}
