"""Rendered sound that can be written to a file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from torch import Tensor

from sonifold import notebook
from sonifold.audio.formats import format_of_suffix, subtype_of
from sonifold.audio.provenance import Provenance
from sonifold.files import write_file

_BLOCK = 1 << 16  # frames handed to the encoder at once
NORMAL_PEAK = 10 ** (-1 / 20)  # full scale = 1; players that resample overshoot by less than this decibel
SILENT_DB = -60.0  # under the peak: silence at the ends that trimming takes off
LEAD_SECONDS = 0.001  # left before a trimmed sound's first sample that can be heard
FADE_SECONDS = 0.015  # at a cut; a harder stop clicks on sustained tones


@dataclass(frozen=True)
class Clip:
    """One sound (sample,), or several of equal length (sound, sample), full scale = 1."""

    audio: Tensor
    sample_rate: int
    provenance: Provenance | None = field(default=None, repr=False)  # goes into every file that is written

    def _repr_html_(self) -> str:
        """A player for each sound in a notebook, at most eight of them."""
        sounds = self.each()
        players = "".join(notebook.player(sound.to_bytes("wav")) for sound in sounds[:8])
        more = f"<p>and {len(sounds) - 8} more</p>" if len(sounds) > 8 else ""
        return f"<div>{players}{more}<small>{self.seconds:.2f} s, {self.sample_rate} Hz</small></div>"

    @property
    def samples(self) -> NDArray[np.float32]:
        """Everything laid end to end, (sample,)."""
        return self.audio.detach().cpu().reshape(-1).numpy()

    @property
    def seconds(self) -> float:
        """Length of everything laid end to end."""
        return self.audio.numel() / self.sample_rate

    def each(self) -> list[Clip]:
        """A clip of every sound; of one sound, the clip itself."""
        if self.audio.dim() == 1:
            return [self]
        about = self.provenance
        return [
            replace(self, audio=sound, provenance=about and about.of_part(index))
            for index, sound in enumerate(self.audio)
        ]

    def normalised(self) -> Clip:
        """The same with its loudest sample at -1 dB of full scale; silence stays as it is."""
        peak = float(self.audio.abs().max())
        return replace(self, audio=self.audio * (NORMAL_PEAK / peak)) if peak > 0 else self

    def trimmed(self) -> Clip:
        """One sound without the silence at its ends: what is 60 dB under its peak, faded where it is cut."""
        samples = self.samples
        magnitude = np.abs(samples)
        audible = np.flatnonzero(magnitude > magnitude.max(initial=0.0) * 10 ** (SILENT_DB / 20))
        if not len(audible):
            return self
        start = max(0, int(audible[0]) - round(LEAD_SECONDS * self.sample_rate))
        end = min(len(samples), int(audible[-1]) + 1 + round(FADE_SECONDS * self.sample_rate))
        return replace(self, audio=self.audio.reshape(-1)[start:end] * self._fade_out(end - start))

    def in_rhythm(self, durations: Sequence[float]) -> Clip:
        """Several sounds one after another as one, each for so many seconds from its beginning.

        Raises:
            ValueError: not one duration for each sound.
        """
        sounds = self.each()
        if len(durations) != len(sounds):
            raise ValueError(f"expected {len(sounds)} durations, one for each sound; got {len(durations)}.")
        parts = []
        for clip, seconds in zip(sounds, durations, strict=True):
            trimmed = clip.audio[: max(1, round(seconds * self.sample_rate))]
            parts.append(trimmed * self._fade_out(len(trimmed)))
        return replace(self, audio=self.audio.new_tensor(np.concatenate([part.cpu() for part in parts])))

    def _fade_out(self, length: int) -> Tensor:
        fade = min(length, round(FADE_SECONDS * self.sample_rate))
        gain = self.audio.new_ones(length)
        gain[length - fade :] = self.audio.new_tensor(np.linspace(1, 0, fade))
        return gain

    def to_bytes(self, format: str = "wav", depth: int | None = None) -> bytes:
        """The sound as a file, with its provenance in it.

        Args:
            format: ``wav``, ``flac``, ``aiff`` or ``ogg`` (Vorbis); see :mod:`sonifold.audio.formats`.
            depth: bits a sample: 16 (usual), 24, or 32 for floats, as far as the format has it.

        Raises:
            ValueError: another format or depth.
        """
        container, subtype = subtype_of(format, depth)
        buffer = io.BytesIO()
        with soundfile.SoundFile(buffer, "w", self.sample_rate, 1, subtype, format=container) as file:
            for name, text in (self.provenance.tags() if self.provenance else {}).items():
                setattr(file, name, text)
            samples = self.samples
            for start in range(0, len(samples), _BLOCK):  # libvorbis overflows its stack on long blocks
                file.write(_encodable(samples[start : start + _BLOCK], subtype))
        return buffer.getvalue()

    def write(self, path: str | Path, depth: int | None = None) -> Path:
        """Write a file; its suffix names one of ``sonifold.audio.formats.FORMATS``. Never over a recording that the
        clip was made from.

        Raises:
            ValueError: the suffix is of no format, or the format has no such depth.
            OutputError: the folder is missing or cannot be written to, or the file is one of the clip's sources.
        """
        path = Path(path)
        format = format_of_suffix(path.suffix)
        sources = self.provenance.sources if self.provenance else ()
        write_file(path, self.to_bytes(format, depth), [source.file for source in sources if source.file])
        return path


def _encodable(samples: NDArray[np.float32], subtype: str) -> NDArray[np.float32] | NDArray[np.int32]:
    """Samples as the encoder takes them: floats as they are, else rounded to the nearest integer of the file's depth.

    Left to libsndfile (1.2.2) they would be rounded down, half a step too low on average.
    """
    if subtype == "FLOAT":
        return samples
    if not subtype.startswith("PCM_"):
        return np.clip(samples, -1.0, 1.0)
    bits = int(subtype.removeprefix("PCM_"))
    limit = 2 ** (bits - 1)
    steps = np.clip(np.rint(samples.astype(np.float64) * limit), -limit, limit - 1)
    shifted: NDArray[np.float32] | NDArray[np.int32] = steps.astype(np.int32) << (32 - bits)
    return shifted
