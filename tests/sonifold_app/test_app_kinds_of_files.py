"""Files of many kinds through the three doors: upload, Python and the command line. Right, or refused in words."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from app_checks import API

from sonifold.audio.read import read
from sonifold.cli import main
from sonifold.errors import AudioError
from sound_files import ffmpeg_file

RATE = 44_100
SECONDS = 0.4


def knock(rate: int = RATE, channels: int = 1) -> np.ndarray:
    t = np.arange(round(SECONDS * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 300 * t) * np.exp(-8 * t) * np.minimum(t / 0.002, 1)
    return np.repeat(wave[:, None], channels, 1) if channels > 1 else wave


def written(format: str, subtype: str | None = None, rate: int = RATE, channels: int = 1, **more) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, knock(rate, channels), rate, format=format, subtype=subtype, **more)
    return buffer.getvalue()


def open_wav(size: int = 0xFFFF_FFFF) -> bytes:
    data = bytearray(written("WAV", "PCM_16"))
    data[4:8] = data[40:44] = struct.pack("<I", size)
    return bytes(data)


def open_flac() -> bytes:
    data = bytearray(written("FLAC"))
    data[21:26] = bytes([data[21] & 0xF0, 0, 0, 0, 0])
    return bytes(data)


def tagged(data: bytes) -> bytes:
    return b"ID3\3\0\0\0\0\x0f\x50" + bytes(2000) + data


#: Kinds that are read: what makes the file, and how many seconds it may be off.
READ: dict[str, tuple[Callable[[], bytes], float]] = {
    "WAV, unsigned 8 bit": (lambda: written("WAV", "PCM_U8"), 0.001),
    "WAV, 16 bit": (lambda: written("WAV", "PCM_16"), 0.001),
    "WAV, 24 bit": (lambda: written("WAV", "PCM_24"), 0.001),
    "WAV, 32 bit": (lambda: written("WAV", "PCM_32"), 0.001),
    "WAV, float": (lambda: written("WAV", "FLOAT"), 0.001),
    "WAV, double": (lambda: written("WAV", "DOUBLE"), 0.001),
    "WAV, mu-law": (lambda: written("WAV", "ULAW"), 0.001),
    "WAV, A-law": (lambda: written("WAV", "ALAW"), 0.001),
    "WAV, IMA ADPCM": (lambda: written("WAV", "IMA_ADPCM"), 0.07),
    "WAV, Microsoft ADPCM": (lambda: written("WAV", "MS_ADPCM"), 0.07),
    "WAV, big-endian": (lambda: written("WAV", "PCM_16", endian="BIG"), 0.001),
    "WAV extensible, stereo": (lambda: written("WAVEX", "PCM_24", channels=2), 0.001),
    "WAV, 8 channels": (lambda: written("WAV", "PCM_16", channels=8), 0.001),
    "WAV, 8 kHz": (lambda: written("WAV", "PCM_16", 8_000), 0.001),
    "WAV, 96 kHz": (lambda: written("WAV", "PCM_24", 96_000), 0.001),
    "WAV, 384 kHz": (lambda: written("WAV", "PCM_24", 384_000), 0.001),
    "WAV, an odd rate": (lambda: written("WAV", "PCM_16", 8_363), 0.001),
    "WAV, size left open": (open_wav, 0.001),
    "WAV, size 0": (lambda: open_wav(0), 0.001),
    "WAV behind an ID3 tag": (lambda: tagged(written("WAV", "PCM_16")), 0.001),
    "RF64": (lambda: written("RF64", "PCM_24"), 0.001),
    "Wave64": (lambda: written("W64", "PCM_24"), 0.001),
    "AIFF, 16 bit": (lambda: written("AIFF", "PCM_16"), 0.001),
    "AIFF, 24 bit": (lambda: written("AIFF", "PCM_24"), 0.001),
    "AIFF-C, float": (lambda: written("AIFF", "FLOAT"), 0.001),
    "AU": (lambda: written("AU", "PCM_16"), 0.001),
    "CAF": (lambda: written("CAF", "PCM_24"), 0.001),
    "CAF with ALAC": (lambda: written("CAF", "ALAC_16"), 0.001),
    "FLAC, 16 bit": (lambda: written("FLAC", "PCM_16"), 0.001),
    "FLAC, 24 bit, 192 kHz": (lambda: written("FLAC", "PCM_24", 192_000), 0.001),
    "FLAC of unknown length": (open_flac, 0.001),
    "FLAC behind an ID3 tag": (lambda: tagged(written("FLAC")), 0.001),
    "Ogg Vorbis": (lambda: written("OGG", "VORBIS"), 0.001),
    "Ogg Opus": (lambda: written("OGG", "OPUS", 48_000), 0.02),
    "MP3": (lambda: written("MP3"), 0.001),
    "MP3, 8 kHz": (lambda: written("MP3", rate=8_000), 0.001),
    "MP2": (lambda: ffmpeg_file(knock(), "mp2", "mp2"), 0.06),
    "MP3 in WAV": (lambda: ffmpeg_file(knock(), "libmp3lame", "wav"), 0.06),
    "M4A, AAC": (lambda: ffmpeg_file(knock(), "aac", "ipod"), 0.001),
    "M4A, Apple Lossless": (lambda: ffmpeg_file(knock(), "alac", "ipod"), 0.001),
    "AAC": (lambda: ffmpeg_file(knock(), "aac", "adts"), 0.1),
    "FLAC in Ogg": (lambda: ffmpeg_file(knock(), "flac", "ogg"), 0.001),
    "Opus in WebM": (lambda: ffmpeg_file(knock(48_000), "libopus", "webm", 48_000), 0.03),
    "WavPack, 8 bit": (lambda: ffmpeg_file(knock(), "wavpack", "wv"), 0.001),
    "Creative VOC": (lambda: written("VOC", "PCM_16"), 0.001),
    "NIST Sphere": (lambda: written("NIST", "PCM_16"), 0.001),
    "IRCAM": (lambda: written("IRCAM", "PCM_16"), 0.001),
    "Ensoniq PARIS": (lambda: written("PAF", "PCM_16"), 0.001),
}
#: Kinds that are refused: the file, the code, and words that say why.
REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "nothing": (lambda: b"", "audio_unreadable", "could not be read"),
    "text": (lambda: b"Dear sampler, please go ding.", "audio_unreadable", "could not be read"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), "audio_unreadable", "could not be read"),
    "half a WAV": (lambda: written("WAV", "PCM_16")[:-16_000], "audio_unreadable", "s are missing"),
    "half an AIFF": (lambda: written("AIFF", "PCM_16")[:-16_000], "audio_unreadable", "s are missing"),
    "half a FLAC": (lambda: written("FLAC", "PCM_24")[:-9_000], "audio_unreadable", "cut short|damaged"),
    "half an MP3": (lambda: written("MP3")[:-1_000], "audio_unreadable", "s are missing"),
    "WMA": (lambda: b"0&\xb2u\x8ef\xcf\x11" + bytes(400), "audio_unreadable", "no sound in it that can be read"),
    "an M4A without its end": (
        lambda: b"\0\0\0\x18ftypM4A \0\0\2\0M4A mp42\0\0\1\0mdat" + bytes(232),
        "audio_unreadable",
        "no sound in it that can be read",
    ),
    "silence": (lambda: encoded_array(np.zeros(RATE)), "audio_silent", "silent"),
    "ultrasound": (
        lambda: encoded_array(np.sin(2 * np.pi * 30_000 * np.arange(96_000) / 96_000) * np.hanning(96_000), 96_000),
        "audio_silent",
        "can be heard",
    ),
    "5 ms": (lambda: encoded_array(knock()[:220]), "audio_too_short", "5.0 ms"),
    "NaN": (lambda: encoded_array(np.full(RATE, np.nan), subtype="FLOAT"), "audio_unreadable", "NaN"),
}  # fmt: skip


def encoded_array(samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def post(client, name: str, files: dict[str, bytes], to: str = "embeddings"):
    parts = [("files", (label, data)) for label, data in files.items()]
    return client.post(f"{API}/models/{name}/{to}", files=parts)


@pytest.mark.parametrize(("make", "off"), READ.values(), ids=READ)
def test_python_reads_every_kind_whole(make, off):
    recording = read(make(), name="knock")
    assert recording.seconds == pytest.approx(SECONDS, abs=off + 1e-4)
    assert 0.3 < np.abs(recording.samples).max() < 0.7
    spectrum = np.abs(np.fft.rfft(recording.samples))
    loudest = int(np.argmax(spectrum)) * recording.sample_rate / len(recording.samples)
    assert loudest == pytest.approx(300, abs=6)


@pytest.mark.parametrize(("make", "code", "says"), REFUSED.values(), ids=REFUSED)
def test_python_refuses_in_words(make, code, says):
    with pytest.raises(AudioError, match=says) as refused:
        read(make(), name="knock")
    assert "knock" in str(refused.value)
    assert str(refused.value).endswith(".")


def test_an_upload_takes_every_good_kind_and_names_every_other(client, name, model):
    good = {f"{kind}.bin": make() for kind, (make, _) in READ.items()}
    bad = {f"{kind}.bin": make() for kind, (make, *_) in REFUSED.items()}
    true = model.encode(knock(), RATE)
    taken, refused = {}, {}
    for part in parts(good | bad, 20):
        reply = post(client, name, part)
        assert reply.status_code == 200, reply.text
        taken |= {one["name"]: one for one in reply.json()["embeddings"]}
        refused |= {one["name"]: one["code"] for one in reply.json()["refused"]}
    assert set(taken) == set(good)
    assert refused == {f"{kind}.bin": code for kind, (_, code, _) in REFUSED.items()}
    for kind in READ:
        assert_near(taken[f"{kind}.bin"]["z"], true, kind)


def test_an_upload_that_waits_proposes_one_sound_of_every_good_kind_and_names_every_other(client, name):
    """What the page sends first."""
    made = {f"{kind}.bin": make() for kind, (make, *_) in (READ | REFUSED).items()}
    proposed, refused = {}, {}
    for part in parts(made, 20):
        reply = post(client, name, part, "uploads")
        assert reply.status_code == 201, reply.text
        proposed |= {one["name"]: one for one in reply.json()["files"]}
        refused |= {one["name"]: one["code"] for one in reply.json()["refused"]}
        client.delete(reply.headers["Location"])
    assert refused == {f"{kind}.bin": code for kind, (_, code, _) in REFUSED.items()}
    for kind, (_, off) in READ.items():
        file = proposed[f"{kind}.bin"]
        assert file["seconds"] == pytest.approx(SECONDS, abs=off + 1e-3), kind
        (sound,) = file["sounds"]
        assert sound["start"] < 0.06, kind
        assert sound["end"] > 0.3, kind


def assert_near(z, true, kind: str) -> None:
    """A latent point is that of the knock as it was before it was encoded."""
    rough = {
        "WAV, unsigned 8 bit",
        "WAV, IMA ADPCM",
        "WAV, Microsoft ADPCM",
        "WAV, mu-law",
        "WAV, A-law",
        "WavPack, 8 bit",
    }
    assert np.linalg.norm(np.subtract(z, true.z.numpy())) < (4 if kind in rough else 1.5), kind


def parts(files: dict[str, bytes], most: int) -> list[dict[str, bytes]]:
    """Some of the good and some of the bad in each."""
    items = list(files.items())
    count = -(-len(items) // most)
    return [dict(items[first::count]) for first in range(count)]


def test_the_command_line_takes_every_good_kind_of_a_folder_and_names_every_other(
    tmp_path, small_models, small_model, monkeypatch, capsys
):
    monkeypatch.setenv("SONIFOLD_MODELS", str(small_models))
    folder = tmp_path / "sounds"
    folder.mkdir()
    for number, (make, _) in enumerate(READ.values()):
        (folder / f"{number:02d}.wav").write_bytes(make())
    for kind, (make, *_) in REFUSED.items():
        (folder / f"{kind}.wav").write_bytes(make())
    (folder / "._00.wav").write_bytes(bytes(100))
    (folder / "cover.jpg").write_bytes(bytes(100))
    assert main(["embed", str(folder)]) == 1
    reply = capsys.readouterr()
    embedded, true = json.loads(reply.out), small_model.encode(knock(), RATE)
    assert len(embedded) == len(READ)
    for kind, sound in zip(READ, sorted(embedded, key=lambda sound: sound["file"]), strict=True):
        assert_near(sound["z"], true, kind)
    told = reply.err.splitlines()
    assert len(told) == len(REFUSED) + 1
    for kind in REFUSED:
        assert any(f"{kind}.wav" in line for line in told), kind
