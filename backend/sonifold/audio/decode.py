"""Sound as blocks of frames, from whatever it came in: arrays, files that libsndfile reads, files that FFmpeg does.

FFmpeg comes with PyAV, which is the extra ``m4a``. It is asked for named containers only: some of what it can open
(playlists) would have it open other files.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from sonifold.audio.containers import settled
from sonifold.audio.limits import MAX_CHANNELS, RATES
from sonifold.audio.sizes import cut_short
from sonifold.audio.view import View
from sonifold.errors import AudioUnreadable

Block = NDArray[np.float32]  # (frame, channel), full scale = 1

BLOCK = 1 << 18  # samples read at once, of all channels together: a megabyte
PACKET = 8192  # samples of the last packet that may be missing without a sign
READABLE = "WAV, FLAC, Ogg, MP3 or AIFF"
COARSE = {"PCM_U8", "PCM_S8", "PCM_16", "ULAW", "ALAW", "ALAC_16", "IMA_ADPCM", "MS_ADPCM", "VOX_ADPCM", "GSM610",
          "DPCM_8", "DPCM_16", "DWVW_12", "DWVW_16", "G721_32", "G723_24", "G723_40"}  # fmt: skip
#: What begins a file that libsndfile has no decoder for: (position, bytes, FFmpeg's name of the container, ours).
FOREIGN = (
    (4, b"ftyp", "mov", "M4A or MP4"),
    (4, b"moov", "mov", "M4A or MP4"),
    (0, b"caff", "caf", "CAF with AAC"),
    (28, b"\x7fFLAC", "ogg", "FLAC in Ogg"),
    (28, b"Speex   ", "ogg", "Speex in Ogg"),
    (0, b"\x1aE\xdf\xa3", "matroska", "WebM or Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "asf", "WMA"),
    (0, b"wvpk", "wv", "WavPack"),
    (0, b"MAC ", "ape", "Monkey's Audio"),
    (0, b"#!AMR", "amr", "AMR"),
    (0, b"ADIF", "aac", "AAC"),
    (0, b"\x0bw", "ac3", "AC-3"),
    (0, b"TTA1", "tta", "True Audio"),
    (0, b"DSD ", "dsf", "DSF"),
)


class Decoder(Protocol):
    """A sound to be read from its beginning, as often as is wanted."""

    rate: int
    channels: int
    frames: int | None  # None where nothing says how many
    coarse: bool  # whether it has no more than 16 bits

    def blocks(self, most: int) -> Iterator[Block]:
        """The first ``most`` frames, or a few more, in blocks of about BLOCK samples. Raises AudioUnreadable."""


@dataclass
class ArrayDecoder:
    """Samples (sample, channel) in memory. ``zero`` and ``full``: what silence and full scale are in them."""

    samples: NDArray[Any]
    rate: int
    zero: float = 0.0
    full: float = 1.0
    coarse: bool = False

    def __post_init__(self) -> None:
        self.frames, self.channels = self.samples.shape

    def blocks(self, most: int) -> Iterator[Block]:
        step = max(1, BLOCK // max(1, self.channels))
        for start in range(0, min(most, len(self.samples)), step):
            part = self.samples[start : start + step].astype(np.float64)
            yield ((part - self.zero) / self.full).astype(np.float32)


class SoundfileDecoder:
    """A file that libsndfile reads; close it after use."""

    def __init__(self, view: View, name: str) -> None:
        self._name = name
        view.seek(0)
        self._sound = soundfile.SoundFile(view)
        self.rate, self.channels = self._sound.samplerate, self._sound.channels
        self.frames: int | None = self._sound.frames
        self.coarse = self._sound.subtype in COARSE
        self._exact = self._sound.format != "MP3"  # counted in frames, of which decoders leave out some

    def close(self) -> None:
        self._sound.close()

    def blocks(self, most: int) -> Iterator[Block]:
        self._sound.seek(0)
        count, step = 0, max(1, BLOCK // self.channels)
        try:
            while len(block := self._sound.read(min(step, most - count), dtype="float32", always_2d=True)):
                count += len(block)
                yield block
        except soundfile.LibsndfileError as error:
            if not count:
                raise AudioUnreadable(
                    f"{self._name} is damaged: {error}. Export or copy it again."
                ) from error
        if self._exact and self.frames is not None and count < min(most, self.frames):
            raise cut_short(self._name, self.frames / self.rate, count / self.rate)


class FfmpegDecoder:
    """A file that FFmpeg reads; close it after use.

    What an encoder puts before the sound is left out by FFmpeg, what it puts behind is here, where the container
    counts samples (M4A); others only estimate.
    """

    def __init__(self, view: View, container: str, name: str) -> None:
        import av

        self._name, self._error = name, av.FFmpegError
        view.seek(0)
        try:
            self._input = av.open(view, "r", format=container, options={"protocol_whitelist": ""})
            self._stream = self._input.streams.audio[0]
        except (av.FFmpegError, IndexError) as error:
            raise AudioUnreadable(f"{name} has no sound in it that can be read ({error}).") from error
        self.rate, self.channels = self._stream.rate, self._stream.codec_context.channels
        self.frames: int | None = None
        if container == "mov" and self._stream.duration is not None and self._stream.time_base is not None:
            self.frames = round(self._stream.duration * self._stream.time_base * self.rate)
        self.coarse = self._stream.format.name in ("s16", "s16p", "u8", "u8p")

    def close(self) -> None:
        self._input.close()

    def blocks(self, most: int) -> Iterator[Block]:
        remaining = self.frames
        self._input.seek(0)
        try:
            for frame in self._input.decode(self._stream):
                block = samples_of(frame)[:remaining]
                remaining = None if remaining is None else remaining - len(block)
                if block.size:
                    yield block
        except self._error as error:
            raise AudioUnreadable(f"{self._name} is damaged: {error}. Export or copy it again.") from error
        if self.frames and remaining and remaining > PACKET:
            raise cut_short(self._name, self.frames / self.rate, (self.frames - remaining) / self.rate)


def samples_of(frame: Any) -> Block:
    """A frame of PyAV, (frame, channel)."""
    planes = frame.to_ndarray()
    count = len(frame.layout.channels)
    samples = planes.T if frame.format.is_planar else planes.reshape(-1, count)
    if samples.dtype.kind == "f":
        floats: Block = samples.astype(np.float32)
        return floats
    zero = 128 if samples.dtype == np.uint8 else 0
    block: Block = ((samples.astype(np.float64) - zero) / 2.0 ** (8 * samples.itemsize - 1)).astype(
        np.float32
    )
    return block


def opened(view: View, name: str) -> SoundfileDecoder | FfmpegDecoder:
    """A decoder of a file. Raises AudioUnreadable."""
    whole = settled(view, name)
    try:
        decoder: SoundfileDecoder | FfmpegDecoder = SoundfileDecoder(whole, name)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        decoder = foreign(whole, name, error)
    check_format(decoder.rate, decoder.channels, name)
    return decoder


def foreign(view: View, name: str, reason: Exception) -> FfmpegDecoder:
    """FFmpeg's decoder of a file that libsndfile does not read. Raises AudioUnreadable."""
    head = view.at(0, 40)
    container, kind = next(
        ((container, kind) for at, magic, container, kind in FOREIGN if head[at : at + len(magic)] == magic),
        ("aac", "AAC") if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0 else ("", ""),
    )
    if not container:
        raise AudioUnreadable(f"{name} could not be read as audio; send a {READABLE} file.") from reason
    if importlib.util.find_spec("av") is None:
        raise AudioUnreadable(
            f"{name} is {kind}, which takes a decoder that is not installed here: `pip install 'sonifold[m4a]'`. "
            f"Or send it as {READABLE}."
        ) from reason
    return FfmpegDecoder(view, container, name)


def check_format(rate: int, channels: int, name: str) -> None:
    """Raises AudioUnreadable for a rate or a number of channels that no recording has."""
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioUnreadable(
            f"{name} has a sample rate of {rate} Hz; rates from {RATES[0]} to {RATES[1]} Hz can be read."
        )
    if channels > MAX_CHANNELS:
        raise AudioUnreadable(f"{name} has {channels} channels; up to {MAX_CHANNELS} can be read.")
