"""A small convolutional network on log-mel levels, trained from scratch on the few sounds of an episode."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from sonifold_research.episodes.draw import Episode

STEPS, RATE, BATCH = 80, 3e-3, 20
POOLED = (40, 32)  # bands and frames that a map is averaged to
FLOOR = 1e-3


def pooled(maps: Tensor) -> Tensor:
    """Feature maps (sound, band, frame) as inputs (sound, 1, 40, 32), each normalised."""
    small = nn.functional.adaptive_avg_pool2d(maps[:, None], POOLED)
    centred = small - small.mean((2, 3), keepdim=True)
    return centred / centred.std((2, 3), keepdim=True).clamp(min=FLOOR)


@torch.enable_grad()
def predicted(inputs: Tensor, episode: Episode, seed: int) -> np.ndarray:
    """Classes of the queries (query,), from inputs (sound, 1, band, frame) of all sounds.

    Trained on copies that are shifted by up to two bands and two frames, without which it does worse.
    """
    torch.manual_seed(seed)
    classes = int(episode.support_labels.max()) + 1
    network = _network(classes)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.01)
    support, labels = inputs[episode.support], torch.from_numpy(episode.support_labels)
    for _ in range(STEPS):
        rows = torch.randint(len(support), (BATCH,))
        moved = torch.roll(support[rows], torch.randint(-2, 3, (2,)).tolist(), (2, 3))
        loss = nn.functional.cross_entropy(network(moved), labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        answer: np.ndarray = network(inputs[episode.queries]).argmax(1).numpy()
    return answer


def _network(classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(4, after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, classes)
    )
