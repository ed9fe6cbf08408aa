"""How a note that a player rendered differs from the sound that it was made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import soundfile

from sonifold.audio.pitch import pitch
from sonifold.instruments import KeySound

AUDIBLE_DB = 40  # below the loudest band: what lies deeper is not compared
BANDS = 1000 * 2 ** (np.arange(-14, 14) / 3)  # Hz, the middles of third octaves
ONSET = 10 ** (-40 / 20)  # of the peak

Row = dict[str, Any]


def read(path: str) -> tuple[np.ndarray, int]:
    """The left channel, (frame,), and its rate."""
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return samples[:, 0], rate


def compare(
    rendered: np.ndarray, sound: KeySound, rate: int, player_db: float = 0.0, key: int | None = None
) -> Row:
    """Differences in level, in third octaves, in the time of the onset, and from the pitch of the key.

    Args:
        rendered: from the moment of the note, (frame,).
        player_db: by how much this player changes the level of any sound, which is taken off.
        key: what was played, where the sound has a pitch.
    """
    reference = sound.samples[:, 0].astype(np.float64)
    start = onset(rendered)
    lag = start - onset(reference)
    length = min(len(reference), len(rendered) - lag)
    played = rendered[max(lag, 0) :][:length] / 10 ** (player_db / 20)
    original = reference[: len(played)]
    row = {
        "level_db": level(played) - level(original),
        "bands_db": float(np.abs(band_differences(played, original, rate)).max()),
        "onset_ms": 1000 * lag / rate,
    }
    if key is not None:
        hertz = pitch(played.astype(np.float32), rate)
        row["cents"] = 1200 * np.log2(hertz / (440 * 2 ** ((key - 69) / 12))) if hertz else float("nan")
    return row


def level(samples: np.ndarray) -> float:
    """Mean power in decibels."""
    return 10 * float(np.log10(np.mean(samples**2) + 1e-20))


def band_differences(played: np.ndarray, original: np.ndarray, rate: int) -> np.ndarray:
    first, second = bands(played, rate), bands(original, rate)
    heard = second > second.max() - AUDIBLE_DB
    return (first - second)[heard]


def bands(samples: np.ndarray, rate: int) -> np.ndarray:
    """Power in each third octave, in decibels."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    edges = [(middle * 2 ** (-1 / 6), middle * 2 ** (1 / 6)) for middle in BANDS if middle < rate / 2.3]
    return np.array(
        [10 * np.log10(power[(hertz >= low) & (hertz < high)].sum() + 1e-12) for low, high in edges]
    )


def onset(samples: np.ndarray) -> int:
    """The first frame that is heard."""
    return int(np.argmax(np.abs(samples) > ONSET * np.abs(samples).max()))


def worst(rows: list[Row]) -> Row:
    """The largest of each difference."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: max((row[key] for row in rows if key in row), key=abs) for key in keys}
