"""What tells classes apart: a weak classifier with nothing to tune, a tuned one, and balanced accuracy."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

SCALES = (0.25, 0.5, 1.0, 2.0)  # of the median distance, of the tuned classifier's kernel
RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
FOLDS = 4


def balanced_accuracy(predicted: Tensor, truth: Tensor) -> float:
    """Mean over classes of the share recognised."""
    return float(
        torch.stack([(predicted[truth == label] == label).float().mean() for label in truth.unique()]).mean()
    )


def nearest(distances: Tensor, labels: Tensor) -> Tensor:
    """The class of the nearest of the known sounds, by distances (query, reference)."""
    return labels[distances.argmin(1)]


def tuned(
    real: Tensor, labels: Tensor, train: Tensor, train_labels: Tensor, seed: int
) -> Callable[[Tensor], Tensor]:
    """Kernel ridge, one class against the others; scale and ridge by cross-validation on the real sounds.

    Args:
        real: (sound, feature) with their labels (sound,), of which folds are made.
        train: (sound, feature) with their labels ``wanted``, real ones and others, which the answer is fitted to.
    """
    unit = torch.pdist(real).median()
    folds = torch.arange(len(real)) % FOLDS
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(seed))
    folds = folds[order.argsort()]
    classes = int(train_labels.max()) + 1
    target = _targets(labels, classes)
    least, settings = float("inf"), (SCALES[0], RIDGES[0])
    for scale in SCALES:
        for ridge in RIDGES:
            scores = torch.empty_like(target)
            for fold in range(FOLDS):
                out = folds == fold
                scores[out] = kernel_ridge(real[~out], labels[~out], scale * unit, ridge, classes)(real[out])
            error = float((scores - target).square().mean())  # of accuracies too many would be equal
            if error < least:
                least, settings = error, (scale, ridge)
    fitted = kernel_ridge(train, train_labels, settings[0] * unit, settings[1], classes)
    return lambda queries: fitted(queries).argmax(1)


def kernel_ridge(
    rows: Tensor, labels: Tensor, scale: Tensor, ridge: float, classes: int
) -> Callable[[Tensor], Tensor]:
    """Scores (asked, class), near 1 for the class and -1 for others; classes count alike."""

    def kernel(queries: Tensor) -> Tensor:
        return (-0.5 * (torch.cdist(queries, rows) / scale).square()).exp()

    weights = 1 / torch.bincount(labels, minlength=classes).float()[labels]
    noise = ridge / (weights / weights.mean())
    solution = torch.linalg.solve(kernel(rows) + torch.diag(noise), _targets(labels, classes))
    return lambda queries: kernel(queries) @ solution


def _targets(labels: Tensor, classes: int) -> Tensor:
    return torch.nn.functional.one_hot(labels, classes).float() * 2 - 1
