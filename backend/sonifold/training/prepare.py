"""From a data set of sounds to training coefficients: augmented features, then perceptual PCA.

The features of thousands of altered copies take minutes, so they are kept on disk in parts: an interrupted
run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sonifold.representation.spectral import Spectral
from sonifold.training.augment import augment
from sonifold.types import AudioBatch
from sonifold.vae import coefficients
from sonifold.vae.coefficients import Coefficients
from sonifold.vae.config import TrainingConfig

Progress = Callable[[str, int, int], None]  # phase, done, total
PART = 256  # sounds in one part on disk


@dataclass(frozen=True)
class TrainingSet:
    """Training data of the network: coefficients of sounds and of their altered copies."""

    coefficients: Coefficients
    originals: Tensor  # (sound, K)
    copies: Tensor  # (sound * augmentations, K)


def prepare(
    audio: AudioBatch, folder: Path, config: TrainingConfig, count: int, progress: Progress, workers: int = 1
) -> TrainingSet:
    """Coefficients of training sounds (sound, samples) and their copies; parts and result kept in ``folder``.

    Deterministic in the audio and ``config``: copy r of sound i is drawn from its own random stream.
    """
    key = _key(audio, config, count)
    file = folder / f"training-{key}.safetensors"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        maps = _features(audio, folder, key, config, progress, workers)
        progress("principal components", 0, 1)
        fitted = coefficients.fit(maps, Spectral(), count, config.phi_share, config.seed)
        values = torch.cat([fitted.analyse(part.float()) for part in maps.split(1024)])
        originals, copies = values[: len(audio)].clone(), values[len(audio) :].clone()
        save_file(fitted.tensors() | {"originals": originals, "copies": copies}, file)
        progress("principal components", 1, 1)
        for part in folder.glob(f"*-{key}*.npy"):
            part.unlink()
    stored = load_file(file)
    return TrainingSet(Coefficients.from_tensors(stored, Spectral()), stored["originals"], stored["copies"])


def _key(audio: AudioBatch, config: TrainingConfig, count: int) -> str:
    digest = hashlib.sha256(audio.numpy().tobytes())
    digest.update(json.dumps([config.augmentations, config.phi_share, config.seed, count]).encode())
    return digest.hexdigest()[:12]


def _features(
    audio: AudioBatch, folder: Path, key: str, config: TrainingConfig, progress: Progress, workers: int
) -> Tensor:
    """float16 features of all sounds as they are, then of their first altered copies, and so on."""
    shared = folder / f"audio-{key}.npy"
    if not shared.exists():
        _save(shared, audio.numpy())
    parts = [
        _Part(shared, start, copy, config.seed, folder / f"features-{key}-{copy:03d}-{start:05d}.npy")
        for copy in range(config.augmentations + 1)
        for start in range(0, len(audio), PART)
    ]
    missing = [part for part in parts if not part.path.exists()]
    for done in _write_all(missing, workers):
        progress("features of sounds and altered copies", len(parts) - len(missing) + done, len(parts))
    return torch.from_numpy(np.concatenate([np.load(part.path) for part in parts]))


class _Part(NamedTuple):
    """Features of PART sounds from ``start``, altered by copy number ``copy`` (0: as they are)."""

    audio: Path  # shared by all processes: a gigabyte is not worth sending to each
    start: int
    copy: int
    seed: int
    path: Path

    def write(self) -> None:
        torch.set_num_threads(1)
        representation = Spectral()
        audio = np.load(self.audio, mmap_mode="r")
        sounds = np.array(audio[self.start : self.start + PART])
        if self.copy:
            streams = [
                np.random.default_rng([self.seed, self.copy, self.start + i]) for i in range(len(sounds))
            ]
            sounds = np.stack(
                [
                    augment(sound, audio, rng, representation.sample_rate)
                    for sound, rng in zip(sounds, streams, strict=True)
                ]
            )
        maps = torch.cat([representation.analyse(chunk)[0] for chunk in torch.from_numpy(sounds).split(16)])
        _save(self.path, maps.half().numpy())


def _write_all(parts: list[_Part], workers: int) -> Iterator[int]:
    """Write parts, in processes of their own where more than one may work; how many are done, after each."""
    if workers <= 1 or len(parts) <= 1:
        for done, part in enumerate(parts, 1):
            part.write()
            yield done
        return
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from (done for done, _ in enumerate(pool.map(_Part.write, parts), 1))


def _save(path: Path, array: np.ndarray) -> None:
    """Whole or not at all."""
    scratch = path.with_suffix(".part.npy")
    np.save(scratch, array)
    scratch.rename(path)
