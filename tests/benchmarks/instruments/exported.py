"""Sounds made here, and the instruments that Sonifold writes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sonifold.instruments import KeySound, build

RATE = 44_100  # Hz
MORPH_KEY = 60  # of sounds without a pitch: they play as they are
HARMONICS = 20


def envelope(seconds: float, fall: float) -> np.ndarray:
    """An attack of 2 ms, then falling by ``fall`` nepers a second."""
    times = np.arange(round(seconds * RATE)) / RATE
    return np.minimum(1, times / 0.002) * np.exp(-fall * times)


def sound(name: str, samples: np.ndarray, hertz: float | None = None) -> KeySound:
    """Half of full scale, mono."""
    return KeySound(name, (0.5 * samples / np.abs(samples).max()).astype(np.float32)[:, None], RATE, hertz)


def tone(name: str, key: float, seconds: float = 1.0) -> KeySound:
    """A plucked tone on a key, with its fraction: harmonics at random phases."""
    hertz = 440 * 2 ** ((key - 69) / 12)
    random = np.random.default_rng(round(100 * key))
    times = np.arange(round(seconds * RATE)) / RATE
    numbers = [n for n in range(1, HARMONICS + 1) if n * hertz < RATE / 3]
    waves = [np.sin(2 * np.pi * n * hertz * times + random.uniform(0, 6.28)) / n for n in numbers]
    return sound(name, np.sum(waves, axis=0) * envelope(seconds, 2.0), hertz)


def hit(name: str, hertz: float, noise: float, seconds: float) -> KeySound:
    """A drum: a sine and noise that die away."""
    times = np.arange(round(seconds * RATE)) / RATE
    random = np.random.default_rng(round(hertz))
    samples = np.sin(2 * np.pi * hertz * times) + noise * random.standard_normal(len(times))
    return sound(name, samples * envelope(seconds, 12.0))


def bell(name: str, share: float) -> KeySound:
    """A step between two inharmonic sounds, 0 to 1."""
    times = np.arange(RATE) / RATE
    low, high = 240 * 2**share, 1700 * 2 ** (-1.5 * share)
    samples = np.sin(2 * np.pi * low * times) + 0.7 * np.sin(2 * np.pi * high * times)
    return sound(name, samples * envelope(1.0, 3.0))


KEYS = [tone("Low", 48.0), tone("Between the keys", 60.07), tone("High", 72.0)]
KIT = [hit("Kick", 60.0, 0.05, 0.5), hit("Snare", 190.0, 0.8, 0.3), hit("Closed hi-hat", 6000.0, 3.0, 0.1)]
MORPH = [bell(f"Step {step}", step / 4) for step in range(5)]


def write_all(folder: Path) -> dict[tuple[str, str], Path]:
    """Every format in every layout that it can hold: (format, layout) -> the file that players open."""
    written = {}
    for name in ("sfz", "dslibrary", "multisample", "xpm"):
        written[name, "keys"] = build("Keys", KEYS, name, "keys").write_in(made(folder / name))
    for name in ("sfz", "dslibrary", "multisample", "xpm", "h2drumkit", "op1"):
        written[name, "drums"] = build("My Kit", KIT, name, "drums").write_in(made(folder / name))
    for name in ("sfz", "dslibrary", "multisample"):
        bundle = build("Morph", MORPH, name, "morph", is_morph=True)
        written[name, "morph"] = bundle.write_in(made(folder / name))
    return {key: opened(path) for key, path in written.items()}


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def opened(path: Path) -> Path:
    """Of a folder the file in it that players open."""
    if path.is_file():
        return path
    (file,) = [file for file in path.iterdir() if file.suffix in (".sfz", ".xpm")]
    return file
