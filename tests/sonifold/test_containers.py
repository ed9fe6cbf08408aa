"""Headers that do not know how much sound there is, and files of which a part is missing."""

import io
import re
import struct

import numpy as np
import pytest
import soundfile

from sonifold.audio import mpeg
from sonifold.audio.read import read
from sonifold.errors import AudioUnreadable
from sound_files import ffmpeg_file

RATE = 44_100
SECONDS = 0.5


def tone(rate: int = RATE, seconds: float = SECONDS) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * 440 * t)


def encoded(format: str, subtype: str | None = None, rate: int = RATE, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(rate), rate, format=format, subtype=subtype, **options)
    return buffer.getvalue()


def chunk(id: bytes, data: bytes, size: int | None = None, order: str = "<") -> bytes:
    return id + struct.pack(order + "I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


PCM = np.round(tone() * 32767).astype("<i2").tobytes()
FMT = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)


def wav(size: int | None = None, behind: bytes = b"", riff: int | None = None, data: bytes = PCM) -> bytes:
    body = b"WAVE" + chunk(b"fmt ", FMT) + chunk(b"data", data, size) + behind
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def seconds_of(data: bytes) -> float:
    return read(data, name="take").seconds


def assert_whole(data: bytes) -> None:
    recording = read(data, name="take")
    assert recording.seconds == pytest.approx(SECONDS, abs=1e-6)
    np.testing.assert_allclose(recording.samples, tone(), atol=4e-5)


UNKNOWN = [0, 0xFFFF_FFFF, 0xFFFF_FFFF - 36, 0x7FFF_FFFF, 0x8000_0000, 0x7FFF_F000]


@pytest.mark.parametrize("size", UNKNOWN, ids=hex)
@pytest.mark.parametrize("riff", [0, 0xFFFF_FFFF, None])
def test_a_wav_whose_size_was_never_filled_in_goes_to_its_end(size, riff):
    assert_whole(wav(size, riff=riff))


@pytest.mark.parametrize("more", [1, 2, 8, 28, 36, 44])
def test_a_size_that_counts_the_header_in_means_to_the_end(more):
    assert_whole(wav(len(PCM) + more))


@pytest.mark.parametrize("size", UNKNOWN, ids=hex)
@pytest.mark.parametrize(
    "tags",
    [
        chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 6) + b"Lavf61"),
        chunk(b"id3 ", bytes(301)) + chunk(b"LIST", b"INFO"),
        chunk(b"bext", bytes(602)) + chunk(b"iXML", b"<BWFXML/>"),
    ],
    ids=["LIST", "id3 and LIST", "bext and iXML"],
)
def test_tags_behind_a_sound_of_unknown_length_are_not_sound(size, tags):
    assert_whole(wav(size, tags))


def test_a_sound_that_holds_the_name_of_a_chunk_is_not_cut_there():
    data = bytearray(PCM)
    data[1000:1008] = b"LIST\x10\0\0\0"
    assert seconds_of(wav(0, data=bytes(data))) == pytest.approx(SECONDS)


def test_a_wav_without_samples_is_too_short():
    with pytest.raises(Exception, match=r"0\.0 ms"):
        read(wav(0, data=b""))


@pytest.mark.parametrize("format", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"])
def test_half_a_file_is_refused_with_what_is_missing(format):
    data = encoded(format, "PCM_16")
    with pytest.raises(AudioUnreadable, match="cut short") as refused:
        read(data[: len(data) * 55 // 100], name="take")
    promised, there, missing = (float(one) for one in re.findall(r"([\d.]+) s ", str(refused.value)))
    assert promised == pytest.approx(SECONDS, abs=0.01)
    assert there == pytest.approx(SECONDS * 0.55, abs=0.1)
    assert missing == pytest.approx(promised - there, abs=0.011)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_half_an_mp3_is_refused_where_its_header_counts(mode):
    data = encoded("MP3", "MPEG_LAYER_III", bitrate_mode=mode, compression_level=0.3)
    with pytest.raises(AudioUnreadable, match=r"cut short.* s are missing"):
        read(data[: len(data) // 2])


@pytest.mark.parametrize("format", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "VOC", "MP3"])
@pytest.mark.parametrize("size", [2_000, 20_000])
def test_an_id3_tag_before_any_container_is_skipped(format, size):
    data = encoded(format)
    tag = b"ID3\3\0\0" + bytes([(size >> shift) & 127 for shift in (21, 14, 7, 0)]) + bytes(size)
    np.testing.assert_array_equal(read(tag + data).samples, read(data).samples)


def patched(data: bytes, *changes: tuple[int, bytes]) -> bytes:
    changed = bytearray(data)
    for at, new in changes:
        changed[at : at + len(new)] = new
    return bytes(changed)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
def test_an_aiff_of_unknown_length_goes_to_its_end(size):
    data = encoded("AIFF", "PCM_16")
    comm, sound = data.index(b"COMM"), data.index(b"SSND")
    open_ = struct.pack(">I", size)
    assert_whole(patched(data, (4, open_), (comm + 10, open_), (sound + 4, open_)))


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_an_au_of_unknown_length_goes_to_its_end(size):
    assert_whole(patched(encoded("AU", "PCM_16"), (8, struct.pack(">I", size))))


@pytest.mark.parametrize("size", [0, 2**64 - 1, 2**63 - 1])
def test_an_rf64_or_w64_of_unknown_length_goes_to_its_end(size):
    rf64, w64 = encoded("RF64", "PCM_16"), encoded("W64", "PCM_16")
    assert_whole(patched(rf64, (20, struct.pack("<QQ", size, size))))
    at = w64.index(b"data\xf3\xac\xd3\x11")
    assert_whole(patched(w64, (16, struct.pack("<Q", size)), (at + 16, struct.pack("<Q", size))))


def test_a_caf_may_leave_its_length_open():
    data = encoded("CAF", "PCM_16")
    assert_whole(patched(data, (data.index(b"data") + 4, struct.pack(">q", -1))))


@pytest.mark.parametrize(("rate", "channels", "subtype"), [(44_100, 1, "PCM_16"), (96_000, 2, "PCM_24")])
@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125)])
def test_a_flac_of_unknown_length_is_read_whole(rate, channels, subtype, behind):
    noise = np.random.default_rng(0).normal(0, 0.1, (40_000, channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, noise, rate, format="FLAC", subtype=subtype)
    data = buffer.getvalue()
    unknown = patched(data, (21, bytes([data[21] & 0xF0])), (22, bytes(4)))
    np.testing.assert_array_equal(read(unknown + behind).samples, read(data).samples)


def without_header(data: bytes) -> bytes:
    """An MP3 without its first frame, which is Xing's or Info's."""
    first = mpeg.frame(data[:4])
    assert data[4 + first.side :][:4] in (b"Xing", b"Info")
    return data[first.bytes :]


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_without_a_header_is_read_whole(mode, rate, channels):
    t = np.arange(2 * rate) / rate
    sound = np.repeat((np.sin(2 * np.pi * 440 * t) * np.exp(-t))[:, None], channels, 1) * 0.5
    sound[: rate // 2] = 0  # a variable rate begins low: what is guessed from it is far too long or too short
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, rate, format="MP3", bitrate_mode=mode, compression_level=0.3)
    data = without_header(buffer.getvalue())
    for came in (data, bytes(range(200)) + data, data + b"TAG" + bytes(125)):
        found = read(came)
        delay = (found.seconds - 2) * rate
        assert 500 <= delay <= 4000  # the encoder's and the decoder's, which nothing tells
        assert np.abs(found.samples[-rate // 2 :]).max() > 0.05


@pytest.mark.parametrize("promised", [10, 30, 60])
def test_a_header_that_counts_too_few_frames_does_not_cut_an_mp3(promised):
    data = encoded("MP3", "MPEG_LAYER_III")
    first = mpeg.frame(data[:4])
    at = 4 + first.side + 8
    count = int.from_bytes(data[at : at + 4], "big")
    lies = patched(data, (at, (count * promised // 100).to_bytes(4, "big")))
    assert seconds_of(lies) >= SECONDS


@pytest.mark.parametrize(
    ("codec", "container", "ending"),
    [("mp2", "mp2", ".mp2"), ("mp2", "wav", ".wav"), ("libmp3lame", "wav", ".wav"), ("mp3", "mp3", ".mp3")],
)
def test_mpeg_audio_of_every_layer_in_every_wrapping_is_read_whole(codec, container, ending):
    assert SECONDS <= seconds_of(ffmpeg_file(tone(), codec, container)) <= SECONDS + 0.08


def test_flac_in_ogg_is_named_where_nothing_reads_it(monkeypatch):
    data = ffmpeg_file(tone(), "flac", "ogg")
    assert_whole(data)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AudioUnreadable, match=r"FLAC in Ogg.*sonifold\[m4a\]"):
        read(data)


# -- M4A and its kin -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "container"), [("aac", "ipod"), ("aac", "mp4"), ("aac", "mov"), ("alac", "ipod")]
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_an_m4a_begins_and_ends_where_its_sound_does(codec, container, rate):
    click = np.zeros(int(SECONDS * rate))
    click[1000:1040], click[-3000:] = 0.9, 0.3 * np.sin(np.arange(3000) / 20)
    found = read(ffmpeg_file(click, codec, container, rate))
    assert len(found.samples) == len(click)
    assert np.argmax(np.abs(np.convolve(found.samples, np.ones(40), "valid"))) == pytest.approx(1000, abs=3)


def test_an_m4a_says_what_it_takes_where_no_decoder_is_installed(monkeypatch):
    data = ffmpeg_file(tone(), "aac", "ipod")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AudioUnreadable, match=r"M4A or MP4.*pip install 'sonifold\[m4a\]'"):
        read(data, name="memo.m4a")


def test_half_an_m4a_is_refused(tmp_path):
    path = tmp_path / "memo.m4a"
    data = ffmpeg_file(tone(seconds=3), "aac", "ipod", options={"movflags": "faststart"}, path=path)
    with pytest.raises(AudioUnreadable, match=r"cut short|damaged"):
        read(data[: len(data) * 6 // 10])
    late = ffmpeg_file(tone(), "aac", "ipod")
    with pytest.raises(AudioUnreadable, match="no sound in it that can be read"):
        read(late[: len(late) // 2])


def test_a_playlist_that_calls_itself_a_film_opens_nothing(tmp_path):
    (tmp_path / "secret.wav").write_bytes(wav())
    for text in (
        f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n",
        f"#EXTM3U\nfile://{tmp_path}/secret.wav\n",
    ):
        for head in (b"", b"\0\0\0\x18ftyp"):
            with pytest.raises(AudioUnreadable):
                read(head + text.encode())
