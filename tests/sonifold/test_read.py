"""Reading sounds: every format, and everything that only looks like one."""

import io
import struct

import numpy as np
import pytest
import soundfile
import torch

from sonifold.audio.read import read
from sonifold.errors import AudioError, AudioSilent, AudioTooLong, AudioTooShort, AudioUnreadable

RATE = 44_100


def tone(seconds: float = 0.5, rate: int = RATE, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, 1)


def encoded(samples: np.ndarray, rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("format", "subtype"),
    [("WAV", "PCM_U8"), ("WAV", "PCM_24"), ("WAV", "DOUBLE"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("AIFF", "PCM_16"),
     ("MP3", "MPEG_LAYER_III")],
)  # fmt: skip
def test_every_format_is_read(format, subtype):
    recording = read(encoded(tone(), format=format, subtype=subtype))
    assert recording.sample_rate == RATE
    assert recording.seconds == pytest.approx(0.5, abs=0.06)
    assert np.abs(recording.samples).max() == pytest.approx(0.5, abs=0.05)


def test_channels_are_mixed_to_one():
    stereo = tone(channels=2)
    stereo[:, 1] = 0
    assert np.abs(read(encoded(stereo)).samples).max() == pytest.approx(0.25, abs=0.01)


def test_a_path_gives_the_sound_its_name(tmp_path):
    (tmp_path / "kick 3.wav").write_bytes(encoded(tone()))
    assert read(tmp_path / "kick 3.wav").name == "kick 3"


def test_arrays_and_tensors_come_with_their_rate():
    assert read(tone()[:, 0], 22_050).seconds == pytest.approx(1.0, abs=0.01)
    assert read(torch.from_numpy(tone()), RATE).seconds == pytest.approx(0.5, abs=0.01)
    with pytest.raises(AudioUnreadable, match="sample_rate"):
        read(tone())


def header(data_bytes: int, rate: int = RATE, channels: int = 1) -> bytes:
    """A WAV header that promises so many bytes of 16-bit sound."""
    block = 2 * channels
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * block, block, 16)
    return (
        b"RIFF" + struct.pack("<I", min(36 + data_bytes, 2**32 - 1)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
        + b"data" + struct.pack("<I", data_bytes)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"", AudioUnreadable),
        (b"just some text, posted as audio", AudioUnreadable),
        (b"RIFF\x00\x00", AudioUnreadable),
        (encoded(tone())[:-5000], AudioUnreadable),
        (header(4_000_000_000) + b"\x01\x02" * 3000, AudioUnreadable),
        (header(6000, rate=1) + b"\x01\x40" * 3000, AudioUnreadable),
        (encoded(np.full(RATE, np.nan), subtype="FLOAT"), AudioUnreadable),
        (encoded(tone(0.004)), AudioTooShort),
        (encoded(np.zeros((0, 1))), AudioTooShort),
        (encoded(np.zeros(RATE)), AudioSilent),
        (encoded(tone(11.0)), AudioTooLong),
    ],
    ids=["nothing", "text", "cut header", "cut short", "gigabytes", "1 Hz", "NaN", "4 ms", "no samples", "silence",
         "11 s"],
)  # fmt: skip
def test_what_is_no_one_shot_is_refused_with_a_sentence(bad, error):
    with pytest.raises(error, match=r"\w+ .+[.;]"):
        read(bad)


def test_ten_minutes_are_refused_without_reading_them(monkeypatch):
    most = []
    whole = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda self, frames=-1, *a, **k: most.append(frames) or whole(self, frames, *a, **k),
    )
    with pytest.raises(AudioTooLong, match="10 s"):
        read(encoded(np.tile(tone(10.0, 8000), (60, 1)), 8000))
    assert sum(most) <= 11 * 8000


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioError, match=r"nowhere\.wav"):
        read(tmp_path / "nowhere.wav")
