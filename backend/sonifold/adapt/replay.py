"""The base's own sounds as coefficients, kept in the pack so that fine-tuning on new ones does not forget them.

``replay.safetensors`` holds one row a library sound, in half precision: 1.6 MB for a thousand and a half. A pack
without it is fine-tuned all the same; its sounds are then read and analysed first, which takes half a minute.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from safetensors.torch import load_file
from torch import Tensor

from sonifold.model import Model
from sonifold.pack.library import Library
from sonifold.pack.write import REPLAY

BLOCK = 16  # sounds analysed at once
Progress = Callable[[str, int, int], None]


def coefficients(model: Model, progress: Progress = lambda phase, done, total: None) -> Tensor:
    """Coefficients of every library sound, (sound, K), from the pack's file or else from its audio; on the CPU."""
    stored = model.library.folder / REPLAY
    if stored.is_file():
        values = load_file(stored)["coefficients"].float()
        if values.shape == (len(model.library), model.coefficients.count):
            return values
    parts = []
    ids = model.library.ids
    for start in range(0, len(ids), BLOCK):
        audio = torch.stack(
            [model.library.audio(sound_id, model.sound_samples) for sound_id in ids[start : start + BLOCK]]
        )
        parts.append(model.coefficients.analyse(model.representation.analyse(audio)[0]).cpu())
        progress("analysing the base's sounds", min(start + BLOCK, len(ids)), len(ids))
    return torch.cat(parts)


def trained(library: Library) -> Tensor:
    """Rows of the sounds the base was trained on: what is held out stays held out."""
    return torch.tensor(
        [row for row, label in enumerate(library.labels) if not label.split.startswith("held_out")]
    )
