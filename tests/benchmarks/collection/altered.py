"""Altered copies of the packs' recordings: as many one-shots as are wanted, made at test time, no two the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from sample_files import names

from sonifold.audio.resample import resampled

PACK = Path(__file__).resolve().parents[3] / "models" / "oneshots" / "audio"
RATE = 44_100
#: (ending, encoding), in the share that sample libraries have them.
FORMATS = (".wav", "PCM_24"), (".wav", "PCM_16"), (".wav", "PCM_16"), (".aiff", "PCM_16"), (".flac", "PCM_16")

Floats = NDArray[np.float64]


def recordings(seed: int = 0) -> Iterator[Floats]:
    """The pack's recordings (sample,), over and over in an order of their own."""
    paths = sorted(PACK.glob("*.ogg"))
    random = np.random.default_rng(seed)
    while True:
        for index in random.permutation(len(paths)):
            samples, _ = soundfile.read(paths[index])
            yield samples


def altered(samples: Floats, random: np.random.Generator) -> Floats:
    """Another sound: transposed by up to a fifth, tilted in its spectrum, faded sooner, at another level."""
    sound = resampled(samples, RATE, round(RATE * 2 ** random.uniform(-7 / 12, 7 / 12)))
    tilt = random.uniform(-0.6, 0.6)
    sound = sound + tilt * np.diff(sound, prepend=0.0)
    sound = sound * np.exp(-random.uniform(0, 6) * np.arange(len(sound)) / RATE)
    quiet = np.flatnonzero(np.abs(sound) > 1e-4 * np.abs(sound).max())
    sound = sound[: int(quiet[-1]) + 1]
    return np.asarray(random.uniform(0.1, 0.95) * sound / np.abs(sound).max())


def write_altered(root: Path, count: int, seed: int = 0) -> list[Path]:
    """So many files below a folder, in several formats, some in stereo; their paths."""
    random = np.random.default_rng(seed)
    written = []
    for path, samples in zip(names(count, seed), recordings(seed), strict=False):
        ending, encoding = FORMATS[random.integers(len(FORMATS))]
        sound = altered(samples, random)
        if random.uniform() < 0.3:
            sound = np.stack([sound, np.roll(sound, int(random.integers(20)))], axis=1)
        target = (root / path).with_suffix(ending)
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, sound, RATE, subtype=encoding)
        written.append(target)
    return written
