"""What judges the samples: density and coverage in a classifier's features, and what classifiers learn from them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .digits import COUNTS, SIDE, Examples

#: k of density and coverage, as their authors recommend.
NEIGHBOURS = 5
#: Steps of Adam with batches of BATCH; more neither helped nor harmed the classifier of 120 real digits.
STEPS, BATCH, RATE = 300, 64, 2e-3
FEATURES = 32


class Classifier(nn.Module):
    """Images (batch, 784) -> scores (batch, class), by way of 32 features."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(SIDE**2, 128), nn.SiLU(), nn.Dropout(0.2), nn.Linear(128, FEATURES), nn.SiLU()
        )
        self.head = nn.Linear(FEATURES, len(COUNTS))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images))
        return logits


def train_classifier(examples: Examples, seed: int, steps: int = STEPS) -> Classifier:
    """A classifier of the examples; the same seed gives the same one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier()
        optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
        for _ in range(steps):
            batch = torch.randint(len(examples), (BATCH,))
            loss = nn.functional.cross_entropy(model(examples.images[batch]), examples.labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: Classifier, examples: Examples) -> float:
    """Share of the examples that are classified rightly."""
    return float((model(examples.images).argmax(1) == examples.labels).float().mean())


@torch.no_grad()
def features(model: Classifier, images: Tensor) -> Tensor:
    """(batch, 32)."""
    activations: Tensor = model.body(images)
    return activations


@dataclass(frozen=True)
class Fidelity:
    """How well samples match real ones; density has no upper limit, coverage is at most 1."""

    density: float
    coverage: float


def fidelity(real: Tensor, fake: Tensor, k: int = NEIGHBOURS) -> Fidelity:
    """Density and coverage of fake among real features, both (count, feature).

    With B_i the ball about real x_i that reaches its k-th nearest other real one: density = 1/(k M) sum_j |{i: y_j in
    B_i}|, coverage = share of the B_i that hold a fake. Naeem, Oh, Uh, Choi and Yoo, ICML 2020, eqs. 4 and 5.
    """
    radii = torch.cdist(real, real).kthvalue(k + 1, dim=1).values  # the nearest of all is the point itself
    inside = torch.cdist(real, fake) < radii[:, None]
    return Fidelity(float(inside.sum() / (k * len(fake))), float(inside.any(1).float().mean()))
