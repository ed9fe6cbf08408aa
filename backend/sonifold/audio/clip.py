"""Rendered sound that can be written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sonifold import notebook
from sonifold.audio.encode import encoded
from sonifold.audio.formats import format_of_suffix
from sonifold.audio.provenance import Provenance
from sonifold.files import write_file

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
        start, end = audible_span(np.abs(self.samples), self.sample_rate)
        if start == end:
            return self
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
        return self.audio.new_tensor(fade_out(length, self.sample_rate))

    def to_bytes(self, format: str = "wav", depth: int | None = None) -> bytes:
        """The sound as a file, with its provenance in it.

        Args:
            format: ``wav``, ``flac``, ``aiff`` or ``ogg`` (Vorbis); see :mod:`sonifold.audio.formats`.
            depth: bits a sample: 16 (usual), 24, or 32 for floats, as far as the format has it.

        Raises:
            ValueError: another format or depth.
        """
        tags = self.provenance.tags() if self.provenance else {}
        return encoded(self.samples, self.sample_rate, format, depth, tags)

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


def audible_span(magnitude: NDArray[np.floating], sample_rate: int) -> tuple[int, int]:
    """Where a sound with these magnitudes (sample,) begins and ends: what is 60 dB under its peak is left out.

    The same number twice for silence.
    """
    audible = np.flatnonzero(magnitude > magnitude.max(initial=0.0) * 10 ** (SILENT_DB / 20))
    if not len(audible):
        return 0, 0
    start = max(0, int(audible[0]) - round(LEAD_SECONDS * sample_rate))
    return start, min(len(magnitude), int(audible[-1]) + 1 + round(FADE_SECONDS * sample_rate))


def fade_out(length: int, sample_rate: int) -> NDArray[np.float32]:
    """Gains (length,) of a sound that is cut: 1, and falling to 0 at its end."""
    fade = min(length, round(FADE_SECONDS * sample_rate))
    gain = np.ones(length, dtype=np.float32)
    gain[length - fade :] = np.linspace(1, 0, fade)
    return gain
