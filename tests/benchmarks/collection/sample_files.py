"""A sample library on the disk: names as producers write them, as stubs or with sounds in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

RATE = 44_100
MAKERS = (
    "808",
    "909",
    "Tape",
    "Dusty",
    "Lo-Fi",
    "Deep",
    "Analog",
    "Night",
    "Vinyl",
    "Warehouse",
    "Mono",
    "Glass",
)
KINDS = ("Kick", "BD", "Snare", "SD", "Clap", "HatClosed", "OH", "Tom", "Perc", "Shaker", "FX", "Bass", "Pad", "Pluck",
         "Vox", "Piano", "Ride", "Rim", "Cowbell", "Texture")  # fmt: skip
CHARACTERS = (
    "Hard",
    "Soft",
    "Wet",
    "Dry",
    "Long",
    "Short",
    "Punchy",
    "Room",
    "Bright",
    "Dark",
    "Clean",
    "Crunch",
)
KEYS = ("Am", "C#m", "Fmaj", "Eb", "G", "Dm")
PER_FOLDER = 200


def names(count: int, seed: int = 0) -> Iterator[Path]:
    """Relative paths of so many files, no two the same."""
    random = np.random.default_rng(seed)
    for number in range(count):
        maker, kind, character, key = (
            str(random.choice(words)) for words in (MAKERS, KINDS, CHARACTERS, KEYS)
        )
        pack = f"{MAKERS[number // PER_FOLDER % len(MAKERS)]} Pack {number // PER_FOLDER:04d}"
        tempo = f"_{random.integers(80, 180)}bpm_{key}" if number % 7 == 0 else ""
        yield Path(pack, f"{maker} {kind} {character}{tempo} {number:06d}.wav")


def write_stubs(root: Path, count: int) -> None:
    """Files with nothing in them, whose names can be listed."""
    for path in names(count):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def write_sounds(root: Path, count: int, seed: int = 0) -> None:
    """One-shots of 0.15 to 1.2 s: a decaying tone, its partials and noise, each another."""
    random = np.random.default_rng(seed)
    for path in names(count):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / path, one_shot(random), RATE, subtype="PCM_16")


def one_shot(random: np.random.Generator) -> np.ndarray:
    """A made one-shot, (sample,), of peak 0.8."""
    seconds = random.uniform(0.15, 1.2)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = (
        40 * 2 ** random.uniform(0, 6) * (1 + random.uniform(0, 2) * np.exp(-time * random.uniform(20, 80)))
    )
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(partial * phase) / partial ** random.uniform(0.5, 2) for partial in range(1, 6))
    share = random.uniform() ** 2
    sound = (1 - share) * tone + share * random.standard_normal(len(time))
    sound *= np.exp(-time * random.uniform(3, 30))
    return 0.8 * sound / np.abs(sound).max()
