"""Reading a sound from a path, from bytes or from an array, within bounded memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from sonifold.errors import AudioSilent, AudioTooLong, AudioTooShort, AudioUnreadable

MAX_SECONDS = 10.0  # of a one-shot
MAX_SAMPLES = 10_000_000  # of anything: 80 MB, almost four minutes at 44.1 kHz
MIN_SECONDS = 0.01  # 10 ms: shorter than any hit
RATES = (4_000, 384_000)  # Hz
MAX_CHANNELS = 64
BLOCK = 65_536  # frames read at once
SILENCE = 2e-3  # full scale = 1; -54 dB. What lies under it throughout is noise, not a sound
READABLE = "WAV, FLAC, Ogg, MP3 or AIFF"

Source = str | Path | bytes | NDArray | torch.Tensor


@dataclass(frozen=True)
class Recording:
    """A sound as it came, mixed to mono."""

    samples: NDArray[np.float64]  # (sample,), full scale = 1
    sample_rate: int
    name: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate


def read(
    source: Source, sample_rate: int | None = None, name: str | None = None, longest: float = MAX_SECONDS
) -> Recording:
    """A recording from a file's path, a file's bytes, or samples (sample,) or (sample, channel) with their rate.

    Nothing is read or allocated beyond ``longest`` seconds of sound, or beyond ten million samples, whatever a header
    claims.

    Raises:
        AudioUnreadable: no such file, no sound in a known format, cut short, or NaN or infinity in it.
        AudioTooLong, AudioTooShort: not between 10 ms and ``longest``, ten seconds as a rule.
        AudioSilent: nothing above -54 dB of full scale.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise AudioUnreadable(f"there is no file {str(source)!r}; give the path of a {READABLE} file.")
        with path.open("rb") as file:
            samples, rate = _decode(file, name or path.name, longest)
        return _checked(samples, rate, name or path.stem, longest)
    if isinstance(source, bytes):
        samples, rate = _decode(io.BytesIO(source), name or "the upload", longest)
        return _checked(samples, rate, name or "sound", longest)
    if sample_rate is None:
        raise AudioUnreadable("samples came without a sample rate; pass sample_rate in Hz beside them.")
    array = source.detach().cpu().numpy() if isinstance(source, torch.Tensor) else np.asarray(source)
    if array.ndim not in (1, 2):
        raise AudioUnreadable(f"samples of shape {array.shape} came; give (sample,) or (sample, channel).")
    return _checked(array.astype(np.float64), sample_rate, name or "sound", longest)


def _decode(file: BinaryIO, name: str, longest: float) -> tuple[NDArray[np.float64], int]:
    _check_riff(file, name)
    try:
        with soundfile.SoundFile(file) as sound:
            rate, channels, frames = sound.samplerate, sound.channels, sound.frames
            _check_format(rate, channels, name)
            most = min(int(longest * rate), MAX_SAMPLES)
            if frames > most and sound.seekable() and _really_has(sound, most):
                raise too_long(name, None, most / rate, longest)
            sound.seek(0)
            samples = _read_mono(sound, most + 1)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        raise AudioUnreadable(f"{name} could not be read as audio; send a {READABLE} file.") from error
    if len(samples) < min(frames, most):
        raise AudioUnreadable(
            f"{name} is cut short: its header promises {frames} samples and {len(samples)} are there. "
            "Export or copy it again."
        )
    return samples, rate


def _read_mono(sound: soundfile.SoundFile, most: int) -> NDArray[np.float64]:
    """Up to ``most`` frames mixed to mono, block by block: many channels at once would take gigabytes."""
    mixed: list[NDArray[np.float64]] = []
    while most > 0:
        block = sound.read(min(BLOCK, most), dtype="float64", always_2d=True)
        if not len(block):
            break
        mixed.append(block.mean(axis=1))
        most -= len(block)
    return np.concatenate(mixed) if mixed else np.empty(0)


def _check_riff(file: BinaryIO, name: str) -> None:
    """Refuse a WAV whose data chunk is longer than the file: the library would read what is there and say nothing.

    Writers that stream put 0 or 2^32 - 1 in the header and are believed.
    """
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        end = file.seek(0, io.SEEK_END)
        position = 12
        for _ in range(64):  # chunks before the data; files have a handful
            file.seek(position)
            header = file.read(8)
            if len(header) < 8:
                break
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                if size not in (0, 0xFFFF_FFFF) and position + 8 + size > end:
                    raise AudioUnreadable(
                        f"{name} is cut short: its header promises {size} bytes of sound and "
                        f"{end - position - 8} are there. Export or copy it again."
                    )
                break
            position += 8 + size + size % 2
    file.seek(0)


def _really_has(sound: soundfile.SoundFile, most: int) -> bool:
    """Whether there is sound past the limit, or only a header that claims so."""
    sound.seek(0)
    while most > 0:
        got = len(sound.read(min(BLOCK, most), dtype="float32", always_2d=True))
        if not got:
            return False
        most -= got
    return len(sound.read(1, dtype="float32", always_2d=True)) == 1


def too_long(name: str, seconds: float | None, most: float, longest: float) -> AudioTooLong:
    said = f"longer than {most:.0f} s" if seconds is None else f"{seconds:.1f} s long"
    advice = (
        "a one-shot is at most that. Cut out the sound you mean."
        if longest <= MAX_SECONDS
        else f"at most {most:.0f} s of it can be split at once. Cut it in two."
    )
    return AudioTooLong(f"{name} is {said}; {advice}")


def _check_format(rate: int, channels: int, name: str) -> None:
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioUnreadable(
            f"{name} has a sample rate of {rate} Hz; rates from {RATES[0]} to {RATES[1]} Hz can be read."
        )
    if channels > MAX_CHANNELS:
        raise AudioUnreadable(f"{name} has {channels} channels; up to {MAX_CHANNELS} can be read.")


def _checked(samples: NDArray[np.float64], rate: int, name: str, longest: float) -> Recording:
    _check_format(rate, 1, name)
    if not np.isfinite(samples).all():
        raise AudioUnreadable(
            f"{name} contains samples that are not numbers (NaN or infinity); export it again."
        )
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    if len(mono) > min(longest * rate, MAX_SAMPLES):
        raise too_long(name, len(mono) / rate, min(longest, MAX_SAMPLES / rate), longest)
    if len(mono) < MIN_SECONDS * rate:
        raise AudioTooShort(
            f"{name} is {1000 * len(mono) / rate:.1f} ms long; at least {1000 * MIN_SECONDS:.0f} ms are needed."
        )
    if np.abs(mono).max() < SILENCE:
        raise AudioSilent(
            f"{name} is silent: nothing in it reaches -54 dB of full scale. Check what was exported."
        )
    return Recording(mono, rate, name)
