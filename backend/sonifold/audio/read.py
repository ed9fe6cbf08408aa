"""Reading a sound from a path, from bytes, from an open file or from an array, within bounded memory."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from sonifold.audio import judge
from sonifold.audio.decode import READABLE, ArrayDecoder, Decoder, check_format, opened
from sonifold.audio.frames import peak
from sonifold.audio.limits import MAX_CHANNELS, MAX_SAMPLES, MAX_SECONDS, MIN_SECONDS, SLACK_SECONDS
from sonifold.audio.mix import Mono, mixed
from sonifold.audio.view import View
from sonifold.caveat import Caveat
from sonifold.errors import AudioTooLong, AudioTooShort, AudioUnreadable

OVER = 10 ** (0.1 / 20)  # full scale = 1; converters and lossy decoders go over by 0.1 dB

Source = str | Path | bytes | bytearray | memoryview | BinaryIO | NDArray[Any] | torch.Tensor


@dataclass(frozen=True)
class Recording:
    """A sound as it came, mixed to mono, without a constant offset."""

    samples: Mono  # (sample,), full scale = 1
    sample_rate: int
    name: str
    channels: int = 1  # of what came
    channel: int | None = None  # the one that was taken, from 0; None: the mean of all
    offset: float = 0.0  # what was taken out
    coarse: bool = True  # whether it has no more than 16 bits

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveats of making it one channel without an offset."""
        return tuple(mixing_caveats(self)) + tuple(leveled(self))


def read(
    source: Source, sample_rate: int | None = None, name: str | None = None, longest: float = MAX_SECONDS
) -> Recording:
    """A recording from a file (its path, its bytes, or open in binary mode), or from samples with their rate.

    Samples are (sample,) or (sample, channel); floats with full scale 1, or integers by the range of their type:
    bytes around 128, two's complement of 16 or 32 bits, or 24 bits in 32. Of several channels the mean is taken; where
    it lies 9 dB under the loudest channel, because they cancel or the others are empty, that one.

    Nothing is read or allocated beyond ``longest`` seconds of sound, or beyond ten million samples, whatever a header
    claims.

    Raises:
        AudioUnreadable: no such file, no sound in a known format, a part missing, or NaN or infinity in it.
        AudioTooLong, AudioTooShort: not between 10 ms and ``longest``, ten seconds as a rule.
        AudioSilent: nothing above -54 dB of full scale (of more than 16 bits: that stands out), or nothing to hear.
    """
    if isinstance(source, str | Path):
        path = existing(Path(source))
        with path.open("rb") as file:
            return replace(read_file(file, name or path.name, longest), name=name or path.stem)
    if isinstance(source, bytes | bytearray | memoryview):
        return replace(read_file(io.BytesIO(source), name or "the upload", longest), name=name or "sound")
    if hasattr(source, "read") and not isinstance(source, torch.Tensor | np.ndarray):
        return read_open_file(source, name, longest)
    return recording_of(array_decoder(source, sample_rate), name or "sound", longest)


def existing(path: Path) -> Path:
    """The path of a file. Raises AudioUnreadable."""
    if path.is_dir():
        raise AudioUnreadable(f"{str(path)!r} is a folder; give the files in it, one at a time.")
    if not path.is_file():
        raise AudioUnreadable(f"there is no file {str(path)!r}; give the path of a {READABLE} file.")
    return path


def read_open_file(file: BinaryIO, name: str | None, longest: float) -> Recording:
    """A recording from a file object, from where it stands."""
    called = getattr(file, "name", None)
    called = Path(called).name if isinstance(called, str) else "the file"
    if isinstance(file, io.TextIOBase):
        raise AudioUnreadable(f"{name or called} is open as text; open it in binary mode: open(path, 'rb').")
    seekable = hasattr(file, "seekable") and file.seekable()
    start = file.tell() if seekable else 0
    if not seekable or not hasattr(file, "readinto"):
        file, start = io.BytesIO(file.read()), 0
    return replace(read_file(file, name or called, longest, start), name=name or Path(called).stem)


def read_file(file: BinaryIO, name: str, longest: float, start: int = 0) -> Recording:
    decoder = opened(View(file, start), name)
    try:
        return recording_of(decoder, name, longest)
    finally:
        decoder.close()


def recording_of(decoder: Decoder, name: str, longest: float) -> Recording:
    """The recording of a decoder, mixed to one channel."""
    rate = decoder.rate
    most = min(int((longest + SLACK_SECONDS) * rate), MAX_SAMPLES)
    samples, channel = mixed(decoder, most + 1, name)
    if len(samples) > most:
        duration = decoder.frames / rate if isinstance(decoder, ArrayDecoder) else None
        raise too_long(name, duration, min(longest, MAX_SAMPLES / rate), longest)
    return leveled_recording(decoder, samples, channel, name)


def read_beginning(path: Path, seconds: float = MAX_SECONDS) -> tuple[Recording, float | None]:
    """The first ``seconds`` of a file, however long it is, and the length of all of it in seconds.

    The length is None where nothing in the file says it and it was not read to its end.

    Raises:
        AudioUnreadable, AudioTooShort, AudioSilent: see :func:`read`; silent are those first seconds.
    """
    with existing(path).open("rb") as file:
        decoder = opened(View(file), path.name)
        try:
            most = min(int(seconds * decoder.rate), MAX_SAMPLES)
            samples, channel = mixed(decoder, most, path.name)
            frames = decoder.frames if len(samples) == most else len(samples)
            recording = leveled_recording(decoder, samples, channel, path.name)
        finally:
            decoder.close()
    return replace(recording, name=path.stem), None if frames is None else frames / recording.sample_rate


def leveled_recording(decoder: Decoder, samples: Mono, channel: int | None, name: str) -> Recording:
    """Samples of a decoder without their offset. Raises AudioTooShort, AudioSilent."""
    rate = decoder.rate
    if len(samples) < (MIN_SECONDS - SLACK_SECONDS) * rate:
        raise AudioTooShort(
            f"{name} is {1000 * len(samples) / rate:.1f} ms long; at least {1000 * MIN_SECONDS:.0f} ms are needed."
        )
    resting = judge.offset(samples, rate)
    if resting:
        samples -= np.float32(resting)
    judge.require_sound(samples, rate, name, decoder.coarse)
    return Recording(samples, rate, name, decoder.channels, channel, resting, decoder.coarse)


def too_long(name: str, seconds: float | None, most: float, longest: float) -> AudioTooLong:
    length = f"longer than {most:.0f} s" if seconds is None else f"{seconds:.1f} s long"
    advice = (
        "a one-shot is at most that. Cut out the sound you mean."
        if longest <= MAX_SECONDS
        else f"at most {most:.0f} s of it can be split at once. Cut it in two."
    )
    return AudioTooLong(f"{name} is {length}; {advice}")


# -- arrays --------------------------------------------------------------------------------------


def array_decoder(source: Any, sample_rate: int | None) -> ArrayDecoder:
    """Raises AudioUnreadable for what is no samples, or has no rate."""
    array = source.detach().cpu().numpy() if isinstance(source, torch.Tensor) else np.asarray(source)
    if array.dtype.kind not in "fiu":
        raise AudioUnreadable(
            f"expected a path, the bytes of a file, or samples as floats or integers with their rate; got "
            f"{type(source).__name__} of {array.dtype}."
        )
    if array.ndim not in (1, 2):
        raise AudioUnreadable(f"expected samples of shape (sample,) or (sample, channel), got {array.shape}.")
    if array.ndim == 2 and array.shape[0] <= MAX_CHANNELS < array.shape[1]:
        raise AudioUnreadable(
            f"expected samples of shape (sample, channel), got {array.shape}, (channel, sample). Pass samples.T."
        )
    if sample_rate is None:
        raise AudioUnreadable("got samples without a sample rate. Pass sample_rate in Hz.")
    if not np.isfinite(sample_rate) or int(sample_rate) != sample_rate:
        raise AudioUnreadable(f"a sample rate must be a whole number of Hz, got {sample_rate}.")
    samples = array.reshape(len(array), -1)
    check_format(int(sample_rate), max(1, samples.shape[1]), "the array")
    zero, full = range_of(samples)
    coarse = array.dtype.kind in "iu" and array.dtype.itemsize <= 2
    return ArrayDecoder(samples, int(sample_rate), zero, full, coarse)


def range_of(samples: NDArray[Any]) -> tuple[float, float]:
    """(what silence is, what full scale is) in an array of samples.

    Types wider than 16 bits often hold numbers of fewer: the least of 16, 24 and 32 bits that holds them all is taken,
    unless the lowest byte is always empty, as it is where 24 bits stand at the top of 32.
    """
    if samples.dtype.kind == "f":
        return 0.0, 1.0
    bits = 8 * samples.dtype.itemsize
    if samples.dtype.kind == "u":
        return 2.0 ** (bits - 1), 2.0 ** (bits - 1)
    if bits > 16 and samples.size:
        peak = max(int(samples.max()), -int(samples.min()) - 1)
        narrow = bits > 32 or bool((samples & 0xFF).any())
        bits = next((few for few in (16, 24, 32) if peak < 2 ** (few - 1)), bits) if narrow else bits
    return 0.0, 2.0 ** (bits - 1)


# -- what was done -------------------------------------------------------------------------------


def mixing_caveats(recording: Recording) -> list[Caveat]:
    """Caveat of mixing several channels to one."""
    if recording.channels == 1:
        return []
    if recording.channel is None:
        return [Caveat("mono", f"its {recording.channels} channels were mixed to one")]
    text = (
        f"channel {recording.channel + 1} of {recording.channels} alone was taken: mixed, the channels cancel or the "
        "others thin it out"
    )
    return [Caveat("one_channel", text)]


def leveled(recording: Recording) -> list[Caveat]:
    """Caveat of removing its offset or lowering its level."""
    caveats = []
    if recording.offset:
        text = f"a constant offset of {recording.offset:+.3f} (full scale 1) was taken out"
        caveats.append(Caveat("dc_removed", text))
    largest = peak(recording.samples)
    if largest > OVER:
        text = f"goes {20 * np.log10(largest):.1f} dB over full scale; it is turned down, nothing is cut off"
        caveats.append(Caveat("over_full_scale", text))
    return caveats
