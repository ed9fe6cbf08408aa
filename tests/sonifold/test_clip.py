"""Sound as files: what is written is what was heard, says where it comes from, and costs nothing that was there."""

import contextlib
import io
import json
import os
import sys

import numpy as np
import pytest
import soundfile
import torch
from tinytag import TinyTag

from sonifold import files
from sonifold.audio import archive
from sonifold.audio.clip import Clip
from sonifold.audio.encode import encoded
from sonifold.audio.formats import FORMATS, format_of_suffix
from sonifold.audio.memory import contents, memory_file
from sonifold.audio.provenance import LONGEST_TAG, Provenance, Source, provenance_of
from sonifold.errors import OutputError
from sonifold.morph.rhythm import played_durations

RATE = 44_100
WRITABLE = [(name, depth) for name, one in FORMATS.items() for depth in one.subtypes]
KICK = Source("Kick 808", "A", "5f2b8c1e9a07", "Sonic Pi", "CC0-1.0", "")
GUITAR = Source("Gitarrenschlag – é", "B", "0a1b2c3d4e5f", "Hydrogen", "CC-BY-3.0", "Gabriel Verdugo Soto")
ABOUT = Provenance(
    "Kick 808 to Gitarrenschlag – é",
    "oneshots",
    "1-abc",
    (KICK, GUITAR),
    {"path": "geodesic", "metric": "blend", "weight": 1.0, "place": 0.25},
)


def hit(seconds=0.5, level=0.5, before=0.0, after=0.0):
    t = torch.arange(round(seconds * RATE)) / RATE
    sound = level * torch.sin(2 * torch.pi * 220 * t) * torch.exp(-12 * t)
    return torch.cat([torch.zeros(round(before * RATE)), sound, torch.zeros(round(after * RATE))])


def read(data):
    return soundfile.read(io.BytesIO(data), dtype="float64")


@pytest.mark.parametrize(("name", "depth"), WRITABLE)
def test_every_format_holds_the_sound_to_its_last_bit(name, depth):
    sound = hit()
    samples, rate = read(Clip(sound, RATE).to_bytes(name, depth))
    error = np.abs(samples - sound.numpy()).max()
    assert rate == RATE
    assert len(samples) == len(sound)
    assert error <= {16: 0.5 / 2**15, 24: 0.5 / 2**23, 32: 0.0, None: 0.05}[depth]


@pytest.mark.parametrize(("name", "depth"), [(name, depth) for name, depth in WRITABLE if depth])
def test_a_file_written_again_is_the_same_sound(name, depth):
    once, _ = read(Clip(hit(), RATE).to_bytes(name, depth))
    again, _ = read(Clip(torch.from_numpy(once), RATE).to_bytes(name, depth))
    np.testing.assert_array_equal(again, once)


@pytest.mark.parametrize(("name", "depth"), WRITABLE)
def test_every_file_says_to_other_programs_where_it_comes_from(name, depth, tmp_path):
    path = Clip(hit(), RATE, ABOUT).write(tmp_path / f"morph.{name}", depth)
    tag = TinyTag.get(path)
    assert tag.title == ABOUT.title
    assert tag.artist == "Gabriel Verdugo Soto"
    record = json.loads(tag.comment)
    assert record["model"] == "oneshots"
    assert record["model_version"] == "1-abc"
    assert (record["path"], record["metric"], record["weight"], record["place"]) == (
        "geodesic",
        "blend",
        1,
        0.25,
    )
    assert [one["licence"] for one in record["sources"]] == ["CC0-1.0", "CC-BY-3.0"]
    assert record["sources"][1]["name"] == GUITAR.name
    whole = json.dumps(tag.as_dict(), ensure_ascii=False)
    assert "CC-BY-3.0, Hydrogen, by Gabriel Verdugo Soto" in whole
    assert provenance_of(tag.comment) == ABOUT


@pytest.mark.parametrize(("name", "depth"), WRITABLE)
def test_a_record_too_long_for_a_tag_never_costs_the_sound_or_the_other_tags(name, depth, tmp_path):
    many = tuple(Source(f"Sound {n} " + "é" * 80, licence="CC-BY-3.0", credit="x" * 60) for n in range(60))
    about = Provenance("A mean\n\x00of many", "oneshots", "1", many, {"point": [0.123456] * 2000})
    path = Clip(hit(), RATE, about).write(tmp_path / f"mean.{name}", depth)
    samples, _ = soundfile.read(path)
    assert len(samples) == len(hit())
    tag = TinyTag.get(path)
    assert tag.title == "A mean of many"
    record = json.loads(tag.comment)
    assert record["sources_left_out"] + len(record["sources"]) == 60
    assert record["shortened"]
    assert max(len(text.encode()) for text in about.tags().values()) <= LONGEST_TAG


def test_one_of_several_sounds_has_its_own_place_in_its_record():
    about = Provenance("A to B", "m", "1", parts=({"step": 1, "place": 0.0}, {"step": 2, "place": 1.0}))
    first, last = Clip(torch.stack([hit(), hit()]), RATE, about).each()
    assert (first.provenance.title, last.provenance.title) == ("A to B, 1 of 2", "A to B, 2 of 2")
    assert last.provenance.facts == {"step": 2, "place": 1.0}


def test_normalised_is_one_decibel_under_full_scale_and_silence_stays_silence():
    assert float(Clip(hit(level=0.01), RATE).normalised().audio.abs().max()) == pytest.approx(10 ** (-1 / 20))
    assert not Clip(torch.zeros(100), RATE).normalised().audio.any()


def test_trimming_takes_silence_off_and_nothing_that_can_be_heard():
    sound = hit(before=0.2, after=0.7)
    trimmed = Clip(sound, RATE).trimmed().audio
    assert 0.45 < len(trimmed) / RATE < 0.52
    heard = int((sound.abs() > sound.abs().max() / 1000).nonzero()[0])
    start = heard - round(0.001 * RATE)
    body = slice(0, round(0.4 * RATE))
    torch.testing.assert_close(trimmed[body], sound[start:][body], atol=1e-3, rtol=0)
    assert float(trimmed[-1]) == 0
    assert len(Clip(torch.zeros(50), RATE).trimmed().audio) == 50


def test_steps_in_rhythm_begin_where_the_durations_say():
    steps = torch.stack([hit(1.0), hit(1.0), hit(1.0)])
    joined = Clip(steps, RATE).in_rhythm([0.25, 0.5, 0.3]).audio
    assert len(joined) == round(1.05 * RATE)
    for begin in (0.0, 0.25, 0.75):
        part = joined[round(begin * RATE) :][: round(0.2 * RATE)]
        torch.testing.assert_close(part, steps[0, : len(part)])
    with pytest.raises(ValueError, match="expected 3 durations, one for each sound; got 2"):
        Clip(steps, RATE).in_rhythm([0.25, 0.5])


def test_a_step_lasts_as_long_as_it_can_be_heard_within_reason():
    short = torch.nn.functional.pad(hit(0.05), (0, 60_000))
    medium = torch.nn.functional.pad(hit(0.4), (0, 60_000))[: len(short)]
    medium = torch.nn.functional.pad(medium, (0, len(short) - len(medium)))
    long = 0.3 * torch.ones(len(short))
    durations = played_durations(Clip(torch.stack([short, medium, long, torch.zeros(len(short))]), RATE))
    assert durations[0] == 0.25
    assert durations[1] == pytest.approx(0.4, abs=0.02)
    assert durations[2] == pytest.approx(len(short) / RATE, abs=0.02)
    assert durations[3] == 0.25


# Writing


def test_a_clip_is_never_written_over_what_it_was_made_from(tmp_path):
    file = Clip(hit(), RATE).write(tmp_path / "kick.wav")
    before = file.read_bytes()
    link = tmp_path / "link.wav"
    link.symlink_to(file)
    clip = Clip(hit(0.2), RATE, Provenance("x", "m", "1", (Source("kick", file=file),)))
    for target in (file, link, tmp_path / "." / "kick.wav"):
        with pytest.raises(OutputError, match=r"one of the recordings.*another file"):
            clip.write(target)
    assert file.read_bytes() == before
    assert clip.write(tmp_path / "other.wav").exists()


def test_where_a_file_cannot_be_written_a_sentence_says_why(tmp_path):
    with pytest.raises(OutputError, match=r"there is no folder .*nowhere"):
        Clip(hit(), RATE).write(tmp_path / "nowhere" / "x.wav")
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        Clip(hit(), RATE).write(tmp_path / "folder.wav")
    with pytest.raises(
        ValueError, match=r"FLAC is written with 16 or 24 bits, not 32\. WAV or AIFF can have 32"
    ):
        Clip(hit(), RATE).write(tmp_path / "x.flac", depth=32)
    with pytest.raises(ValueError, match="no bit depth"):
        Clip(hit(), RATE).write(tmp_path / "x.ogg", depth=16)
    assert [one.name for one in tmp_path.iterdir()] == ["folder.wav"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "take.wav"
    path.write_bytes(b"the only copy")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        Clip(hit(), RATE).write(path)
    assert path.read_bytes() == b"the only copy"
    assert list(tmp_path.iterdir()) == [path]


def test_endings_are_formats():
    assert [format_of_suffix(ending) for ending in (".WAV", "", ".aif", "flac")] == [
        "wav",
        "wav",
        "aiff",
        "flac",
    ]


# Archives


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Kick 808", "kick-808"),
        ("  ../Glöckchen*/", "glöckchen"),
        ("Glo\u0308ckchen", "glöckchen"),
        ("鐘 2", "鐘-2"),
        ("?!", "sound"),
        ("a" * 99, "a" * 40),
    ],
)
def test_file_names_are_readable_and_safe(name, stem):
    assert archive.file_stem(name) == stem


def test_names_that_are_alike_get_numbers():
    assert archive.distinct(["kick", "kick", "kick-2", "kick"]) == ["kick", "kick-2", "kick-2-2", "kick-3"]
    assert archive.numbered("kick-to-koto", 4, 17) == "kick-to-koto-05"


def test_an_archive_lists_what_its_files_were_made_from():
    import csv
    import zipfile

    about = Provenance("=1+1", "oneshots", "1", (KICK, GUITAR), {"place": 0.5})
    sounds = [archive.SoundFile("a.wav", b"a", about), archive.SoundFile("b.wav", b"b", ABOUT)]
    data = archive.zipped(sounds)
    assert data == archive.zipped(sounds)
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.namelist() == ["a.wav", "b.wav", "sounds.csv", "README.txt"]
        rows = list(csv.DictReader(io.StringIO(zipped.read("sounds.csv").decode(), newline="")))
        readme = zipped.read("README.txt").decode()
    assert rows[0]["title"] == "'=1+1"
    assert json.loads(rows[0]["record"])["place"] == 0.5
    assert rows[1]["licences"] == "CC0-1.0; CC-BY-3.0"
    assert rows[1]["credits"] == "Gabriel Verdugo Soto"
    assert readme.count("by Gabriel Verdugo Soto") == 1


@pytest.mark.parametrize("shape", [(3,), (70_001,), (5, 2)])
@pytest.mark.parametrize(
    "texts", [{}, {"title": "odd", "artist": "é", "genre": "x"}, {"comment": "c" * 1999}]
)
def test_a_wav_is_the_one_that_libsndfile_writes(shape, texts):
    samples = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    buffer, known = io.BytesIO(), {name: text for name, text in texts.items() if name != "genre"}
    channels = shape[1] if len(shape) == 2 else 1
    with soundfile.SoundFile(buffer, "w", RATE, channels, "PCM_16", format="WAV") as file:
        for name, text in known.items():
            setattr(file, name, text)
        file.write(np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16))
    assert encoded(samples, RATE, "wav", 16, texts) == buffer.getvalue()


@pytest.mark.parametrize("name", ["flac", "aiff", "ogg"])
def test_files_in_memory_are_the_same_where_the_system_has_no_descriptors_for_them(name, monkeypatch):
    clip = Clip(hit(), RATE, ABOUT)
    with_descriptors = clip.to_bytes(name)
    with memory_file(with_descriptors) as memory:
        there, _ = soundfile.read(memory, dtype="float64", closefd=False)
        assert contents(memory) == with_descriptors
    monkeypatch.setattr("sonifold.audio.memory.new_descriptor", lambda: None)
    without = clip.to_bytes(name)
    np.testing.assert_array_equal(there, read(without)[0])  # an Ogg has a random number of its own


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is open")
def test_files_in_memory_leave_nothing_open():
    def in_memory():
        links = []
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # that of the list itself
                links.append(os.readlink(f"/proc/self/fd/{number}"))
        return [link for link in links if "memfd:sonifold" in link]

    with memory_file(b"abc"):
        assert len(in_memory()) == 1
    with memory_file(b"no sound") as memory, pytest.raises(soundfile.LibsndfileError):
        soundfile.read(memory, closefd=False)
    Clip(hit(), RATE).to_bytes("flac")
    assert in_memory() == []
