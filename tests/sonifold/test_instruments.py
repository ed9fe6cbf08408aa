"""Instruments: what stands in the files, read again by other means than those that wrote it."""

import csv
import io
import json
import math
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from sonifold.audio.provenance import Provenance, Source
from sonifold.audio.view import View
from sonifold.choices import InstrumentName, Layout
from sonifold.cli import main
from sonifold.errors import InstrumentInvalid, OutputError
from sonifold.files import free_path
from sonifold.instruments import KeySound, Loop, SoundOptions, build, format_named, lay_out, renamed
from sonifold.instruments.layouts import COHERENT, coherence
from sonifold.instruments.sampler_chunk import sampler_chunk
from sonifold.instruments.sources import of_file

RATE = 8_000
INSTRUMENTS = ("sfz", "dslibrary", "multisample", "h2drumkit", "xpm", "op1")


def tone(name, hertz, seconds=0.1, level=0.5, **fields):
    times = np.arange(round(seconds * RATE)) / RATE
    samples = (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)[:, None]
    source = Source(name, licence="CC-BY-4.0", credit="Ann <Bee> & C")
    about = Provenance(name, "toy", "1", (source,), {"mode": "recording"})
    return KeySound(name, samples, RATE, hertz, provenance=about, **fields)


@pytest.fixture
def scale():
    return [tone("A 4", 440.0), tone('Low <&> "A"', 221.0), tone("A 5", 880.0)]


def kit(*names):
    return [replace(tone(name, 200.0 + 10 * number), family="") for number, name in enumerate(names)]


def text(bundle, suffix):
    (path,) = [path for path in bundle.files if path.endswith(suffix)]
    return bundle.files[path].decode()


def regions(bundle):
    """The regions of an SFZ: opcode -> value."""
    parts = text(bundle, ".sfz").split("<region>")[1:]
    return [dict(pair.split("=", 1) for pair in part.split()) for part in parts]


def test_zones_meet_halfway_between_the_measured_pitches(scale):
    zones = lay_out("Scale", scale, Layout.KEYS).zones
    assert [(zone.root, zone.keys.low, zone.keys.high) for zone in zones] == [
        (57, 0, 63),
        (69, 64, 75),
        (81, 76, 127),
    ]
    assert zones[0].tune == pytest.approx(-12 * math.log2(221 / 220), abs=1e-6)


def test_sounds_of_one_pitch_share_a_key_by_velocity_from_soft_to_loud():
    sounds = [tone("loud", 440.0, level=0.9), tone("soft", 440.0, level=0.1)]
    zones = lay_out("Layers", sounds, Layout.KEYS).zones
    assert [(zone.sound.name, zone.velocities.low, zone.velocities.high) for zone in zones] == [
        ("soft", 1, 64), ("loud", 65, 127),
    ]  # fmt: skip


def test_drums_stand_where_general_midi_has_them_and_each_on_a_key_of_its_own():
    sounds = kit("Kick 808", "bd deep", "Third kick", "SD tight", "Closed hi-hat", "OH", "zap", "Hand clap")
    keys = {zone.sound.name: zone.root for zone in lay_out("Kit", sounds, Layout.DRUMS).zones}
    assert keys == {"Kick 808": 36, "bd deep": 35, "SD tight": 38, "Closed hi-hat": 42, "OH": 46, "Hand clap": 39,
                    "Third kick": 37, "zap": 40}  # fmt: skip
    everything = lay_out("Kit", kit(*map(str, range(128))), Layout.DRUMS).zones
    assert sorted(zone.root for zone in everything) == list(range(128))
    with pytest.raises(InstrumentInvalid, match=r"128 keys at most.*129"):
        lay_out("Kit", kit(*map(str, range(129))), Layout.DRUMS)


@pytest.mark.parametrize("steps", [2, 3, 9, 128])
def test_a_morph_fills_the_wheel_without_a_gap_and_its_gains_add_up(steps):
    zones = lay_out("Morph", kit(*map(str, range(steps))), Layout.MORPH).zones
    assert zones[0].wheel.start == zones[0].wheel.peak == 0
    assert zones[-1].wheel.end == zones[-1].wheel.peak == 127
    shares = np.array([shares_of(zone) for zone in zones])
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    assert (shares > 0).sum(axis=0).max() <= 2


def shares_of(zone):
    """The share of a zone at every position of the wheel."""
    points = dict.fromkeys((zone.wheel.start, zone.wheel.end), 0.0) | {zone.wheel.peak: 1.0}
    return np.interp(np.arange(128), sorted(points), [points[at] for at in sorted(points)], left=0, right=0)


def test_the_crossfade_is_the_one_that_keeps_the_level_halfway():
    """Between equally loud sounds of correlation r, gains that add up give (1 + r) / 2 of the power, others 1 + r."""
    noise = np.random.default_rng(5).standard_normal((2, 4000)).astype(np.float32) * 0.1
    for r in (-0.2, 0.1, 0.35, 0.5, 0.95):
        a, b = noise[0], r * noise[0] + math.sqrt(1 - r * r) * noise[1]
        pair = [KeySound(name, samples[:, None], RATE) for name, samples in (("a", a), ("b", b))]
        halfway = {
            True: abs(decibels((a + b) / 2) - (decibels(a) + decibels(b)) / 2),
            False: abs(decibels((a + b) / math.sqrt(2)) - (decibels(a) + decibels(b)) / 2),
        }
        assert lay_out("Pair", pair, Layout.MORPH).coherent is (halfway[True] < halfway[False])
        assert coherence(pair) == pytest.approx(r, abs=0.05)
    assert abs(COHERENT - math.sqrt(2) + 1) < 1e-12


def decibels(samples):
    return 10 * math.log10(float(np.mean(np.square(samples, dtype=np.float64))))


def test_a_morph_between_two_pitches_is_in_tune_on_every_key():
    sounds = [tone("A", 110.0), replace(tone("between", 150.0), pitch_hz=None), tone("B", 220.0)]
    assert [zone.root for zone in lay_out("M", sounds, Layout.MORPH).zones] == [45, 51, 57]
    unpitched = [replace(sound, pitch_hz=None) for sound in sounds]
    assert [zone.root for zone in lay_out("M", unpitched, Layout.MORPH).zones] == [60, 60, 60]


def test_an_sfz_says_everything_of_its_zones(scale):
    looped = replace(scale[0], loop=Loop(80, 720))
    bundle = build("Scale", [looped, *scale[1:]], "sfz")
    low, middle, high = regions(bundle)
    assert (low["lokey"], low["hikey"], low["pitch_keycenter"], low["tune"]) == ("0", "63", "57", "-8")
    assert (middle["loop_mode"], middle["loop_start"], middle["loop_end"]) == ("loop_continuous", "80", "719")
    assert high["loop_mode"] == "no_loop"
    for region in (low, middle, high):
        samples, rate = soundfile.read(io.BytesIO(bundle.files[region["sample"]]))
        assert rate == RATE
        assert np.abs(samples).max() == pytest.approx(0.5, abs=1e-4)
    drums = regions(build("Kit", kit("kick", "snare"), "sfz", "drums"))
    assert [(drum["lokey"], drum["hikey"], drum["pitch_keytrack"]) for drum in drums] == [
        ("36", "36", "0"), ("38", "38", "0"),
    ]  # fmt: skip
    steps = regions(build("Morph", kit("a", "b", "c"), "sfz", is_morph=True))
    assert [{name: step[name] for name in step if name.startswith("xf")} for step in steps] == [
        {"xfout_locc1": "0", "xfout_hicc1": "64"},
        {"xfin_locc1": "0", "xfin_hicc1": "64", "xfout_locc1": "64", "xfout_hicc1": "127"},
        {"xfin_locc1": "64", "xfin_hicc1": "127"},
    ]


def test_a_decentsampler_knob_fades_the_steps_as_the_wheel_turns_it():
    root = ET.fromstring(text(build("Morph", kit("a", "b", "c"), "dslibrary", is_morph=True), ".dspreset"))
    tables = [binding.get("translationTable") for binding in root.iterfind(".//labeled-knob/binding")]
    curves = [np.array([pair.split(",") for pair in table.split(";")], float) for table in tables]
    gains = np.array([np.interp(np.arange(128), *curve.T) for curve in curves])
    np.testing.assert_allclose((gains**2).sum(axis=0), 1, atol=0.02)
    assert [group.get("volume") for group in root.iterfind(".//group")] == ["1", "0", "0"]
    assert root.find("midi/cc").get("number") == "1"
    assert root.find("midi/cc/binding").get("parameter") == "VALUE"


def test_a_bitwig_multisample_keeps_to_the_order_of_its_schema():
    bundle = build("Morph", kit("a", "b", "c"), "multisample", is_morph=True)
    root = ET.fromstring(text(bundle, "multisample.xml"))
    assert [child.tag for child in root][:5] == [
        "generator",
        "category",
        "creator",
        "description",
        "keywords",
    ]
    for sample in root.iterfind("sample"):
        assert [child.tag for child in sample] == ["key", "velocity", "select", "loop"]
        assert sample.get("file") in bundle.files
    assert [dict(select.items()) for select in root.iterfind(".//select")][1] == {
        "low": "0", "high": "127", "low-fade": "64", "high-fade": "63",
    }  # fmt: skip
    archive = zipfile.ZipFile(io.BytesIO(bundle.to_bytes()))
    assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_an_mpc_program_maps_pads_to_notes_and_counts_root_notes_from_one(scale):
    bundle = build("Kit", kit("kick", "snare", "OH"), "xpm", "drums")
    program = ET.fromstring(text(bundle, ".xpm")).find("Program")
    notes = [int(note.findtext("Note")) for note in program.iterfind("PadNoteMap/PadNote")]
    assert notes[:3] == [36, 38, 46]
    assert sorted(notes) == list(range(128))
    assert len(program.findall("Instruments/Instrument")) == 128
    keys = ET.fromstring(text(build("Scale", scale, "xpm"), ".xpm")).find("Program")
    first = keys.find("Instruments/Instrument")
    assert (keys.get("type"), keys.findtext("KeygroupNumKeygroups")) == ("Keygroup", "3")
    assert [first.findtext(tag) for tag in ("LowNote", "HighNote", ".//RootNote")] == ["0", "63", "58"]
    assert f"{first.findtext('.//SampleName')}.wav" in build("Scale", scale, "xpm").files


def test_a_hydrogen_kit_has_one_instrument_a_sound_with_its_note_and_credits():
    bundle = build("My & kit", kit("kick", "snare"), "h2drumkit")
    with tarfile.open(fileobj=io.BytesIO(bundle.to_bytes()), mode="r:gz") as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}
    root = ET.fromstring(files["My & kit/drumkit.xml"])
    spaces = {"h": "http://www.hydrogen-music.org/drumkit"}
    assert (root.findtext("h:name", namespaces=spaces), root.findtext("h:license", namespaces=spaces)) == (
        "My & kit", "CC-BY-4.0",
    )  # fmt: skip
    drums = root.findall(".//h:instrument", spaces)
    assert [drum.findtext("h:midiOutNote", namespaces=spaces) for drum in drums] == ["36", "38"]
    for drum in drums:
        file = drum.findtext(".//h:filename", namespaces=spaces)
        assert len(soundfile.read(io.BytesIO(files[f"My & kit/{file}"]))[0]) == RATE // 10


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Deep Kit", "Deep Kit"), ("a/b:c\\d", "a-b-c-d"), ('..<"?*|', "-----"), (" . ", "kit"), ("Été", "Été")],
)
def test_a_hydrogen_kit_is_found_again_by_songs_since_its_folder_has_its_name(name, folder):
    files = build(name, kit("kick"), "h2drumkit").files
    assert {path.split("/")[0] for path in files} == {folder}
    root = ET.fromstring(files[f"{folder}/drumkit.xml"])
    assert root.findtext("h:name", namespaces={"h": "http://www.hydrogen-music.org/drumkit"}) == folder


def test_an_op1_kit_is_one_aiff_whose_slices_are_the_sounds():
    data = build("Kit", kit("kick", "snare", "hat"), "op1").to_bytes()
    start = data.index(b"APPL")
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    assert data[start + 8 : start + 12] == b"op-1"
    fields = json.loads(data[start + 12 : start + 8 + size])
    samples, rate = soundfile.read(io.BytesIO(data))
    assert (rate, samples.ndim, len(fields["start"]), len(fields["end"])) == (44_100, 1, 24, 24)
    unit = (2**31 - 2) / (12 * rate)
    edges = [round(value / unit) for value in (*fields["start"][:3], fields["end"][2])]
    assert edges == pytest.approx([0, 4410, 8820, 13_230], abs=1)
    assert len(samples) == pytest.approx(13_230, abs=3)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_same_sounds_make_the_same_bytes_and_say_what_they_were_made_from(name):
    first, second = (build("Kit", kit("kick <1>", "snare & 2"), name, "drums") for _ in range(2))
    assert first.to_bytes() == second.to_bytes()
    everything = b"".join(first.files.values())
    assert b"CC-BY-4.0" in everything
    assert all(path == path.strip("/") and ".." not in path for path in first.files)


@pytest.mark.parametrize(
    ("name", "layout", "sounds", "words"),
    [
        ("op1", None, [str(n) for n in range(25)], "24 sounds at most; these are 25"),
        ("op1", "morph", ["a", "b"], "has no layout 'morph'; it can be drums"),
        ("h2drumkit", "keys", ["a", "b"], "has no layout 'keys'"),
        ("xpm", "morph", ["a", "b"], "it can be keys or drums"),
        ("zip", "keys", ["a"], "stand in a row"),
        ("sfz", "morph", ["a"], "2 to 128 steps"),
        ("sfz", None, [], "no sound"),
    ],
)
def test_what_a_format_cannot_hold_is_said_with_what_would_do(name, layout, sounds, words):
    with pytest.raises(InstrumentInvalid, match=words):
        build("Kit", kit(*sounds), name, layout)


def test_limits_of_length_layers_and_kinds_of_sound_are_checked():
    long = [tone("long", 440.0, seconds=12.5)]
    with pytest.raises(InstrumentInvalid, match=r"12 s of sound in all; these are 12\.5 s"):
        build("Kit", long, "op1")
    with pytest.raises(InstrumentInvalid, match="4 layers on a key at most; here 5"):
        build("Keys", [tone(str(n), 440.0) for n in range(5)], "xpm")
    with pytest.raises(InstrumentInvalid, match="holds sounds as wav, not as flac"):
        build("Keys", [tone("a", 440.0)], "multisample", options=SoundOptions("flac"))
    with pytest.raises(ValueError, match="no kind of instrument 'kontakt'"):
        build("Keys", [tone("a", 440.0)], "kontakt")


def test_every_kind_has_a_file_and_every_layout_is_of_some_kind():
    kinds = [format_named(name) for name in InstrumentName]
    assert {layout for kind in kinds for layout in kind.layouts} == set(Layout)


def test_sounds_in_a_row_keep_their_order_and_their_names_by_a_pattern(scale):
    sounds = renamed(scale, "{number} {name} {key}")
    bundle = build("Set", sounds, "m3u", options=SoundOptions("flac"))
    lines = text(bundle, ".m3u8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2::2] == ["01-a-4-a4.flac", "02-low-a-a3.flac", "03-a-5-a5.flac"]
    rows = list(csv.DictReader(io.StringIO(build("Set", sounds, "csv").to_bytes().decode())))
    assert [(row["key"], row["pitch_hz"]) for row in rows] == [
        ("A4", "440.000"),
        ("A3", "221.000"),
        ("A5", "880.000"),
    ]
    assert set(build("Set", sounds, "zip").files) == {
        "01-a-4-a4.wav", "02-low-a-a3.wav", "03-a-5-a5.wav", "sounds.csv", "README.txt",
    }  # fmt: skip
    for pattern in ("{bpm}", "{name", "same"):
        with pytest.raises(InstrumentInvalid, match="name pattern"):
            renamed(scale, pattern)


def test_a_file_comes_whole_with_its_channels_loop_and_root_note(tmp_path):
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, (800, 2)).astype(np.float32)
    sound = KeySound("noise", noise, RATE, 92.5, loop=Loop(100, 700))
    written = build("One", [sound], "sfz", options=SoundOptions(depth=32)).write(tmp_path / "one")
    again = of_file(written / "samples" / "noise.wav")
    np.testing.assert_array_equal(again.samples, noise)
    assert again.loop == Loop(100, 700)
    assert again.pitch_hz == pytest.approx(92.5, rel=1e-4)
    assert sampler_chunk(View(io.BytesIO(b"RIFF\0\0\0\0WAVE"))) is None


def test_nothing_is_written_over_and_a_number_is_put_behind_a_name(tmp_path, scale):
    folder, file = build("Scale", scale, "sfz"), build("Scale", scale, "dslibrary")
    assert [folder.write_in(tmp_path).name for _ in range(2)] == ["scale", "scale-2"]
    assert [file.write_in(tmp_path).name for _ in range(2)] == ["scale.dslibrary", "scale-2.dslibrary"]
    with pytest.raises(OutputError, match="exists already"):
        folder.write(tmp_path / "scale")
    assert free_path(tmp_path, "scale", "") == tmp_path / "scale-3"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_command_makes_an_instrument_of_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "808").mkdir()
    for name, hertz in (("kick", 60.0), ("SD", 180.0)):
        soundfile.write(tmp_path / "808" / f"{name}.wav", tone(name, hertz).samples, RATE)
    (tmp_path / "808" / "empty.wav").write_bytes(b"")
    assert main(["export", "808", "--as", "h2drumkit"]) == 0
    printed = capsys.readouterr()
    assert "808.h2drumkit: Hydrogen drum kit, 2 sounds" in printed.out
    assert "empty.wav" in printed.err
    assert main(["export", "808", "--as", "sfz", "--layout", "drums", "-o", "kit"]) == 0
    assert (tmp_path / "kit" / "808.sfz").is_file()
    for arguments, words in (
        ("808 --as op1 --layout keys", "has no layout"),
        ("--morph a b 808", "one of the two"),
        ("808 --names {x}", "name pattern"),
        ("808 -o no/where", "no folder"),
        ("808/kick.wav --as zip -o 808/kick.wav", "would be lost"),
    ):
        assert main(["export", *arguments.split()]) == 1
        assert words in capsys.readouterr().err
