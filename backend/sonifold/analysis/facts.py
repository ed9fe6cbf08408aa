"""What the analysis of a file finds, as plain data that a process has without loading a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SoundFacts:
    """What the analysis of one file found. Of a recording that goes on, all but its length is of its first event."""

    seconds: float | None  # of the whole file
    sample_rate: int
    channels: int
    z: Floats  # (latent,)
    timbre: Floats  # Phi, (512,)
    x: float
    y: float
    family: str
    confidence: float  # in the family, 0 to 1
    pitch_hz: float | None
    loudness: float  # LUFS, of the loudest moment
    brightness: float  # 0 to 1: where on the ear's frequency scale up to 16 kHz the weight lies
    attack: float  # seconds
    decay: float  # seconds
    noisiness: float
    inharmonicity: float
    roughness: float
