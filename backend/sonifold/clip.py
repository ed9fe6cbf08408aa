"""Rendered sound that can be written to a file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from torch import Tensor

FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS")}
_BLOCK = 1 << 16  # frames handed to the encoder at once


@dataclass(frozen=True)
class Clip:
    """One sound (sample,), or several of equal length (sound, sample), full scale = 1."""

    audio: Tensor
    sample_rate: int

    @property
    def samples(self) -> NDArray[np.float32]:
        """Everything laid end to end, (sample,)."""
        return self.audio.detach().cpu().reshape(-1).numpy()

    @property
    def seconds(self) -> float:
        """Length of everything laid end to end."""
        return self.audio.numel() / self.sample_rate

    def to_bytes(self, format: str = "wav") -> bytes:
        """The sound as a ``wav`` or ``flac`` (16 bit) or ``ogg`` (Vorbis) file.

        Raises:
            ValueError: another format.
        """
        if format not in FORMATS:
            raise ValueError(f"cannot write {format!r}; choose one of {', '.join(FORMATS)}.")
        container, subtype = FORMATS[format]
        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", self.sample_rate, 1, subtype, format=container) as file:
            clipped = np.clip(self.samples, -1.0, 1.0)
            for start in range(0, len(clipped), _BLOCK):  # libvorbis overflows its stack on long blocks
                file.write(clipped[start : start + _BLOCK])
        return buffer.getvalue()

    def write(self, path: str | Path) -> Path:
        """Write a file; its suffix says the format (.wav, .flac or .ogg)."""
        path = Path(path)
        path.write_bytes(self.to_bytes(path.suffix.lstrip(".").lower() or "wav"))
        return path
