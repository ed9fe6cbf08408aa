"""The data set's steps, on constructed sounds: no package is needed."""

from __future__ import annotations

import argparse
import csv
import io
import json
import shutil
import struct
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from sonifold.audio import fingerprint
from sonifold.audio.notes import note_hz, note_name
from sonifold.audio.prepare import (
    BEFORE_ONSET,
    PEAK,
    SAMPLE_RATE,
    SAMPLES,
    audible_seconds,
    polyphase,
    prepare,
    resample,
    to_float,
)
from sonifold.errors import DatasetError
from sonifold.training import datasets
from sonifold.training.datasets import candidates, labels, oneshots, render, sources, split, table
from sonifold.training.datasets.candidates import Candidate


def decay(
    hertz: float = 440, seconds: float = 0.2, total: float = 1.0, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """A struck partial: an exponential decay that falls by 60 dB in ``seconds``."""
    t = np.arange(int(total * rate)) / rate
    return np.sin(2 * np.pi * hertz * t + 1) * 10 ** (-3 * t / seconds)


def noise(seed: int, seconds: float = 0.3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SAMPLE_RATE) * decay(0, seconds)


def prepared(audio: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    samples = prepare(audio, rate)
    assert samples is not None
    return samples


def fingerprints(*sounds: np.ndarray) -> list[np.ndarray]:
    return [fingerprint.fingerprint(prepared(sound)) for sound in sounds]


BLANK = Candidate(
    name="Ping",
    family="Bell",
    source="Made here",
    package="none",
    version="1",
    licence="CC0-1.0",
    credit="nobody",
    group="Kit A",
    unit="ping",
)


# ------------------------------------------------------------------------------------------- prepare


@pytest.mark.parametrize("silence", [0, 37, BEFORE_ONSET, 5_000, 60_000])
def test_the_onset_lies_at_the_same_sample_however_much_silence_comes_first(silence):
    sound = prepared(np.concatenate([np.zeros(silence), decay()]))
    loud = np.abs(sound) > 0.2 * np.abs(sound).max()
    assert abs(int(np.argmax(loud)) - BEFORE_ONSET) < 60
    assert sound.shape == (SAMPLES,)


@pytest.mark.parametrize("gain", [0.01, 0.3, 1.0, 4.0])
def test_every_sound_comes_out_at_the_same_peak(gain):
    assert np.abs(to_float(prepared(gain * decay()))).max() == pytest.approx(PEAK, abs=1e-4)


def test_stereo_is_mixed_and_other_rates_are_resampled_to_the_same_sound():
    mono = prepared(decay())
    stereo = prepared(np.stack([decay(), decay()], axis=1))
    resampled = prepare(decay(rate=64_000), 64_000, polyphase)
    assert np.array_equal(mono, stereo)
    (a, b) = (fingerprint.fingerprint(sound) for sound in (mono, resampled))
    assert fingerprint.distance(a, b) < 0.7


def test_what_lies_above_the_new_half_rate_does_not_fold_back():
    high = np.sin(2 * np.pi * 30_000 * np.arange(64_000) / 64_000)
    for filtered in (polyphase(high, 64_000), resample(high, 64_000)):
        assert np.abs(filtered[1_000:-1_000]).max() < 2e-3


@pytest.mark.parametrize("nothing", [np.zeros(44_100), 1e-4 * np.ones(44_100), np.ones(100), np.zeros(0)])
def test_silence_and_scraps_are_not_sounds(nothing):
    assert prepare(nothing, SAMPLE_RATE) is None


def test_a_long_recording_is_faded_out():
    sound = prepared(decay(seconds=60, total=3))
    assert np.abs(sound[-20:]).max() < 0.01 * np.abs(sound).max()


@pytest.mark.parametrize("seconds", [0.1, 0.4, 1.0])
def test_the_audible_length_is_the_time_to_minus_60_db(seconds):
    assert audible_seconds(prepared(decay(seconds=seconds, total=2))) == pytest.approx(seconds, rel=0.03)


# -------------------------------------------------------------------------------------------- fingerprint


def test_a_scaled_copy_is_the_same_sound_and_another_pitch_or_decay_is_not():
    maps = fingerprints(decay(440), 0.1 * decay(440), decay(470), decay(440, 0.4))
    assert fingerprint.unique(maps) == [0, 2, 3]


def test_short_sounds_are_not_the_same_for_the_silence_they_share():
    a, b = fingerprints(decay(200, 0.05), decay(2_000, 0.05))
    assert np.abs(a - b).mean() < fingerprint.distance(a, b) / 5
    assert fingerprint.unique([a, b]) == [0, 1]


def test_the_quick_bound_never_hides_a_neighbour():
    rng = np.random.default_rng(0)
    maps = fingerprints(*(decay(h, s) for h, s in rng.uniform((100, 0.05), (2_000, 1.0), (40, 2))))
    maps += [
        (m + rng.normal(0, s, m.shape)).astype(np.float32)
        for m, s in zip(maps, np.linspace(0, 6, 40), strict=True)
    ]
    found = fingerprint.Neighbours()
    for map_ in maps:
        found.add(map_)
    for query in maps:
        near = [(i, fingerprint.distance(map_, query)) for i, map_ in enumerate(maps)]
        assert dict(found.within(query, 4.0)) == {i: d for i, d in near if d < 4.0}


# --------------------------------------------------------------------------------------------- split


def chord(seed: int, bend: float = 1.0) -> np.ndarray:
    """Three decaying partials of random pitch and length: no two seeds sound alike."""
    rng = np.random.default_rng(seed)
    return sum(
        decay(bend * h, t) for h, t in zip(rng.uniform(60, 8_000, 3), rng.uniform(0.1, 1, 3), strict=True)
    )


def layered_kit(kit: str, notes: int) -> tuple[list[str], list[str], list[np.ndarray]]:
    """Groups, units and maps of a kit whose notes all differ, and whose two layers differ audibly too."""
    sounds = [(note, chord(note, bend)) for note in range(notes) for bend in (1.0, 1.4)]
    units = [f"{kit} note {note}" for note, _ in sounds]
    return [kit] * len(sounds), units, fingerprints(*(sound for _, sound in sounds))


def test_no_note_of_a_kit_stands_on_both_sides_of_the_split():
    groups, units, maps = layered_kit("Kit A", 50)
    splits = split.assign(groups, units, maps, held_out_groups=())
    sides = {unit: {s for u, s in zip(units, splits, strict=True) if u == unit} for unit in units}
    assert all(len(side) == 1 for side in sides.values())
    assert splits.count(split.HELD_OUT_SOUNDS) == 10


def test_near_doubles_stay_together_though_their_units_differ():
    maps = fingerprints(*(chord(k) for k in range(60) for _ in range(2)))
    units = [f"file {i}" for i in range(120)]
    splits = split.assign(["Folder"] * 120, units, maps, held_out_groups=())
    assert splits[0::2] == splits[1::2]
    assert 0 < splits.count(split.HELD_OUT_SOUNDS) <= 12


def twins_by_ear(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two maps alike but for their loudest cell, and so for their floor 60 dB below it."""
    cells = np.random.default_rng(seed).choice(2_600, 60, replace=False)
    flat = np.full((2, 2_600), [[-60.0], [-54.0]], dtype=np.float32)
    flat[:, cells] = np.linspace(-40, 0, 60)
    flat[1, cells[-1]] = 6
    first, second = flat.reshape(2, 65, 40)
    return first, second


def test_nothing_held_out_is_near_what_is_trained_on_even_where_the_floors_differ():
    maps = [map_ for seed in range(40) for map_ in twins_by_ear(seed)]
    assert fingerprint.distance(*maps[:2]) > 50 * split.NEAR_DB
    splits = split.assign(["Folder"] * 80, [f"file {i}" for i in range(80)], maps, (), fraction=0.5)
    held, trained = (
        [map_ for map_, name in zip(maps, splits, strict=True) if name == wanted]
        for wanted in (split.HELD_OUT_SOUNDS, split.TRAIN)
    )
    assert held
    assert all(fingerprint.active_distance(map_, np.stack(trained)).min() >= split.NEAR_DB for map_ in held)


def test_held_out_and_foreign_kits_lose_what_the_training_kits_have_too():
    sounds = [decay(300), decay(900), decay(310 * 3), decay(300), decay(5_000, 0.5), decay(300), noise(1)]
    groups = ["Ours", "Ours", "Held", "Held", "Held", "Theirs", "Theirs"]
    units = [str(i) for i in range(7)]
    splits = split.assign(groups, units, fingerprints(*sounds), {"Held"}, {"Theirs"}, fraction=0)
    assert splits == ["train", "train", "held_out_kits", None, "held_out_kits", None, "foreign"]


def test_what_is_held_out_does_not_depend_on_the_order_of_the_sounds():
    groups, units, maps = layered_kit("Kit A", 40)
    there = split.assign(groups, units, maps, ())
    back = split.assign(groups[::-1], units[::-1], maps[::-1], ())
    assert there == back[::-1]


# -------------------------------------------------------------------------------------------- labels


def test_every_label_is_of_one_of_the_eight_families():
    assert len(labels.FAMILIES) == 8
    drums = [labels.drum_label(kit, "Kit", note, 120) for kit in (0, 48, 58, 96) for note in range(27, 88)]
    programs = list(labels.PROGRAMS.values())
    assert {label.family for label in drums + programs} <= set(labels.FAMILIES)
    assert set(labels.GUESSED_FAMILIES) < set(labels.FAMILIES)


@pytest.mark.parametrize(
    ("kit", "note", "velocity", "label"),
    [
        (0, 36, 120, ("Kick, Standard", "Kick")),
        (0, 39, 64, ("Hand clap, Standard, soft", "Percussion")),
        (48, 41, 120, ("Timpani F2, Standard", "Tom")),
        (48, 42, 120, ("Timpani F#2, Standard", "Tom")),
        (58, 42, 120, ("Marching cymbal 42", "Cymbal")),
    ],
)
def test_drum_notes_are_called_as_general_midi_calls_them(kit, note, velocity, label):
    assert labels.drum_label(kit, "Standard", note, velocity) == label


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("bd_808", ("Kick 808", "Kick")),
        ("drum_cymbal_open", ("Drum cymbal open", "Cymbal")),
        ("elec_hollow_kick", ("Electric hollow kick", "Kick")),
        ("tabla_ghe3", ("Tabla ghe 3", "Percussion")),
        ("perc_bell2", ("Percussion bell 2", "Bell")),
        ("vinyl_hiss", ("Vinyl hiss", "Texture")),
    ],
)
def test_sonic_pi_names_become_labels(stem, label):
    assert labels.sonic_pi_label(stem) == label


@pytest.mark.parametrize(
    ("instrument", "stem", "label"),
    [
        ("d#3 - clap", "beats_01-26", ("Clap", "Percussion")),
        ("c3 - bass drum 1", "beats_06-38", ("Bass drum 1", "Kick")),
        ("Sample: beats_08-37.flac", "beats_08-37", ("08-37", "")),
        ("", "EE_Snare_Low", ("EE_Snare_Low", "Snare")),
        ("Pedal HH", "hh_p", ("Pedal HH", "Cymbal")),
        ("WaterglassHi", "WaterglassHi-Soft", ("WaterglassHi", "Bell")),
        ("Ride (Custom)", "Ride-1", ("Ride (Custom)", "Cymbal")),
        ("PearlTom 1", "x", ("PearlTom 1", "Tom")),
    ],
)
def test_names_in_a_drum_kit_become_labels(instrument, stem, label):
    assert candidates.kit_label("kit", stem, instrument) == label


def test_strums_are_called_by_their_chord():
    assert candidates.kit_label(candidates.STRUMS, "Asharp minro7b5_DOWN_02", "") == (
        "Strum A# minor7b5 DOWN 02",
        "Pluck",
    )


def test_a_sound_without_a_name_gets_the_family_of_the_sounds_like_it():
    low, high = (
        fingerprints(*(decay(h, 0.3) for h in (50, 55, 60))),
        fingerprints(*(noise(s) for s in (1, 2, 3))),
    )
    families = ["Kick"] * 3 + ["Cymbal"] * 3
    unnamed = fingerprints(decay(57, 0.25), noise(9, 0.25))
    assert labels.guess_families(unnamed, low + high, families) == ["Kick", "Cymbal"]


def test_middle_c_is_c4_and_a4_is_440_hz():
    assert (note_name(60), note_name(69), note_hz(69)) == ("C4", "A4", 440.0)


# ------------------------------------------------------------------------------------------- render


def test_note_k_begins_at_its_place_in_the_score(tmp_path):
    from mido import MidiFile

    kit, piano = render.Preset(128, 25, "TR-808"), render.Preset(8, 4, "Detuned")
    notes = [render.Note(kit, 36, 120), render.Note(piano, 60, 110), render.Note(kit, 38, 64)]
    render.write_score(notes, tmp_path / "score.mid")
    now, begins, banks = 0, [], []
    for message in MidiFile(tmp_path / "score.mid").tracks[0]:
        now += message.time
        if message.type == "note_on":
            begins.append((now, message.channel, message.note, message.velocity))
        if message.type == "control_change" and message.control == render.BANK_SELECT:
            banks.append(message.value)
    first, step = render.START_MS + render.LEAD_MS, render.STEP_MS
    assert begins == [(first, 9, 36, 120), (first + step, 0, 60, 110), (first + 2 * step, 9, 38, 64)]
    assert banks == [0, 8, 0]


def test_presets_of_a_soundfont_are_read_from_its_headers(tmp_path):
    def record(name: bytes, program: int, bank: int) -> bytes:
        return struct.pack("<20sHH14x", name, program, bank)

    headers = record(b"Kit", 25, 128) + record(b"Grand", 0, 0) + record(b"EOP", 0, 0)
    font = tmp_path / "small.sf2"
    font.write_bytes(b"RIFFjunk" + b"phdr" + struct.pack("<I", len(headers)) + headers)
    assert render.presets(font) == [(0, 0, "Grand"), (128, 25, "Kit")]
    font.write_bytes(b"something else")
    with pytest.raises(DatasetError, match="not a SoundFont 2 file"):
        render.presets(font)


def test_rendering_without_fluidsynth_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    note = render.Note(render.Preset(0, 0, "Grand"), 60, 100)
    with pytest.raises(DatasetError, match="apt-get install fluidsynth"):
        next(render.render(tmp_path / "font.sf2", [note], tmp_path))


# ------------------------------------------------------------------------------------------- sources


def npm_package(folder: Path, sounds: dict[str, np.ndarray]) -> Path:
    """A file as ``npm pack`` makes it, with these samples in it."""
    files = {"package.json": json.dumps({"version": "9.8.7"}).encode(), "LICENSE": b"CC0 1.0 Universal"}
    lines = [
        f"* `:{stem}` - http://freesound.org/people/Ada%20L/sounds/{i}/" for i, stem in enumerate(sounds)
    ]
    files["PROVENANCE.md"] = "\n".join(lines).encode()
    for stem, audio in sounds.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, audio, SAMPLE_RATE, format="FLAC")
        files[f"samples/{stem}.flac"] = buffer.getvalue()
    path = folder / f"{sources.SUPERSONIC}-9.8.7.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_a_package_in_the_users_folder_is_unpacked_once_and_listed_with_credits(tmp_path):
    archive = npm_package(tmp_path, {"bd_fat": decay(60), "loop_amen": decay(90), "hat_zap": noise(0)})
    package = sources.locate(sources.SUPERSONIC, tmp_path, cache=tmp_path / "cache")
    archive.write_bytes(b"")  # what was unpacked is used again
    assert sources.locate(sources.SUPERSONIC, tmp_path, cache=tmp_path / "cache") == package
    files = candidates.sonic_pi_files(package)
    assert [(c.name, c.family, c.credit) for c, _ in files] == [
        ("Kick fat", "Kick", "Ada L, Freesound 0, by way of Sonic Pi"),
        ("Hat zap", "Cymbal", "Ada L, Freesound 2, by way of Sonic Pi"),
    ]
    assert {(c.licence, c.version, c.shippable) for c, _ in files} == {("CC0-1.0", "9.8.7", True)}


@pytest.mark.parametrize("name", [sources.SUPERSONIC, sources.MUSESCORE])
def test_a_package_that_is_nowhere_is_named_with_what_to_do(name, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(DatasetError, match=rf"{name} is missing.*--sources"):
        sources.locate(name, tmp_path, cache=tmp_path / "cache")


def test_a_package_that_cannot_be_fetched_is_named_with_the_clients_words(tmp_path, monkeypatch):
    def fail(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "E: Unable to locate package\n")

    monkeypatch.setattr(shutil, "which", lambda program: program)
    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(
        DatasetError, match=r"hydrogen-drumkits is missing.*apt-get.*Unable to locate package"
    ):
        sources.locate(sources.HYDROGEN, cache=tmp_path)


def test_a_broken_package_file_is_refused_and_leaves_nothing_half_unpacked(tmp_path):
    path = tmp_path / f"{sources.SUPERSONIC}-9.8.7.tgz"
    path.write_bytes(b"not a tar file")
    for _ in range(2):
        with pytest.raises(DatasetError, match="could not be unpacked"):
            sources.locate(sources.SUPERSONIC, tmp_path, cache=tmp_path / "cache")


def test_a_package_file_cannot_write_outside_its_folder(tmp_path):
    path = tmp_path / f"{sources.SUPERSONIC}-9.8.7.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in {"../../escaped": b"!", "package/package.json": b'{"version": "9.8.7"}'}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    package = sources.locate(sources.SUPERSONIC, tmp_path, cache=tmp_path / "a" / "cache")
    assert not list(tmp_path.rglob("escaped"))
    assert package.version == "9.8.7"


def test_the_statements_of_licence_go_with_the_sounds(tmp_path):
    npm_package(tmp_path, {"bd_fat": decay(60)})
    package = sources.locate(sources.SUPERSONIC, tmp_path, cache=tmp_path / "cache")
    oneshots.write_notices(tmp_path / "set", [package])
    texts = {path.name: path.read_text() for path in (tmp_path / "set" / "notices").iterdir()}
    name = sources.SUPERSONIC
    assert texts.keys() == {f"{name}-LICENSE.txt", f"{name}-PROVENANCE.txt"}
    assert texts[f"{name}-LICENSE.txt"] == "CC0 1.0 Universal"


def test_no_process_cannot_build(tmp_path):
    with pytest.raises(DatasetError, match="--workers 1"):
        oneshots.build(tmp_path, workers=0)


def test_the_sources_folder_must_be_a_folder(tmp_path):
    with pytest.raises(DatasetError, match="is not a folder"):
        sources.locate(sources.SUPERSONIC, tmp_path / "nowhere")


def test_kits_that_may_not_be_shipped_are_marked_so(tmp_path):
    kits = tmp_path / "usr/share/hydrogen/data/drumkits"
    for kit in ("Audiophob", "HardElectro1", "unheard of"):
        (kits / kit).mkdir(parents=True)
        soundfile.write(kits / kit / "a.wav", decay(), SAMPLE_RATE)
    xml = '<kit xmlns="ns"><instrument><filename>a.wav</filename><name>Snare Rock</name></instrument></kit>'
    (kits / "Audiophob" / "drumkit.xml").write_text(xml)
    found = candidates.hydrogen_files(sources.Package(sources.HYDROGEN, "1", tmp_path))
    assert [(c.group, c.name, c.family, c.licence, c.shippable) for c, _ in found] == [
        ("Hydrogen Audiophob", "Snare Rock", "Snare", "CC0-1.0", True),
        ("Hydrogen HardElectro1", "A", "", "GPL-2.0-or-later", False),
    ]


def test_only_free_licences_are_shipped():
    shipped = {terms.licence for terms in candidates.KIT_TERMS.values() if terms.shippable}
    kept_back = {terms.licence for terms in candidates.KIT_TERMS.values() if not terms.shippable}
    assert shipped == {"CC0-1.0", "CC-BY-3.0"}
    assert all(licence.startswith(("GPL", "CC-BY-SA")) for licence in kept_back)


# --------------------------------------------------------------------------------- the whole, on disk


def file_job(folder: Path, sounds: dict[str, np.ndarray]) -> oneshots.FileJob:
    files = []
    for name, audio in sounds.items():
        soundfile.write(folder / f"{name}.wav", audio / np.abs(audio).max(), SAMPLE_RATE, subtype="FLOAT")
        files.append((replace(BLANK, name=name, unit=name), folder / f"{name}.wav"))
    return oneshots.FileJob(tuple(files))


def test_a_data_set_is_written_read_and_loaded_as_it_was_built(tmp_path):
    sounds = {"Ping": decay(800), "Ping copy": 0.5 * decay(800), "Thud": decay(80), "Hiss": noise(3)}
    kept = oneshots.run_job(file_job(tmp_path, sounds))
    rows, samples = oneshots.choose(kept)
    oneshots.write(tmp_path / "set", rows, samples)
    assert [row.name for row in rows] == ["Ping", "Thud", "Hiss"]
    assert table.read(tmp_path / "set") == [replace(row, seconds=round(row.seconds, 4)) for row in rows]
    audio = table.load_audio(tmp_path / "set", rows)
    assert audio.dtype == torch.float32
    assert torch.equal(audio, torch.from_numpy(np.stack([to_float(s) for s in samples])))


def test_the_id_is_the_hash_of_the_audio_that_is_loaded(tmp_path):
    import hashlib

    rows, samples = oneshots.choose(oneshots.run_job(file_job(tmp_path, {"Ping": decay(800)})))
    oneshots.write(tmp_path / "set", rows, samples)
    (audio,) = table.load_audio(tmp_path / "set", rows)
    assert rows[0].id == hashlib.sha256(audio.numpy().astype("<f4").tobytes()).hexdigest()[:12]


def test_two_builds_give_the_same_rows(tmp_path):
    job = file_job(tmp_path, {f"Ping {k}": decay(200 * 1.1**k) for k in range(12)})
    first, second = (oneshots.choose(oneshots.run_job(job))[0] for _ in range(2))
    assert first == second
    assert len({row.id for row in first}) == 12


def test_an_absent_note_or_pitch_is_an_empty_cell(tmp_path):
    rows, samples = oneshots.choose(oneshots.run_job(file_job(tmp_path, {"A": decay(200), "B": decay(700)})))
    rows[1] = replace(rows[1], note=60, velocity=110, pitch_hz=261.626)
    oneshots.write(tmp_path / "set", rows, samples)
    with (tmp_path / "set" / table.TABLE).open() as file:
        cells = [(row["note"], row["pitch_hz"], row["shippable"]) for row in csv.DictReader(file)]
    assert cells == [("", "", "1"), ("60", "261.626", "1")]
    assert [row.note for row in table.read(tmp_path / "set")] == [None, 60]


def test_building_again_leaves_no_sound_of_the_build_before(tmp_path):
    for hertz in (200, 700):
        rows, samples = oneshots.choose(oneshots.run_job(file_job(tmp_path, {"A": decay(hertz)})))
        oneshots.write(tmp_path / "set", rows, samples)
    assert [path.stem for path in (tmp_path / "set" / "audio").iterdir()] == [rows[0].id]


def test_a_sound_is_found_a_family_where_its_name_tells_none(tmp_path):
    known = oneshots.run_job(file_job(tmp_path, {"Ping": decay(800), "Ping 2": decay(900)}))
    (nameless,) = oneshots.run_job(file_job(tmp_path, {"08-37": decay(850)}))
    nameless = nameless._replace(candidate=replace(nameless.candidate, family=""))
    labelled = oneshots.label_unnamed([*known, nameless])
    assert (labelled[2].candidate.name, labelled[2].candidate.family) == ("Bell 08-37", "Bell")
    assert labelled[:2] == known


def test_equal_names_are_numbered():
    assert oneshots.distinct_names(["Clap", "Kick", "Clap", "Clap"]) == [
        "Clap",
        "Kick",
        "Clap (2)",
        "Clap (3)",
    ]


def test_the_summary_counts_every_sound(tmp_path):
    rows, _ = oneshots.choose(oneshots.run_job(file_job(tmp_path, {"A": decay(200), "B": decay(700)})))
    last = oneshots.summary(rows).splitlines()[-1].split()
    assert (last[0], last[1], last[-1]) == ("all", "shippable", "2")


def test_a_folder_without_a_data_set_says_how_to_build_one(tmp_path):
    with pytest.raises(DatasetError, match="sonifold dataset oneshots --out"):
        table.read(tmp_path)


def test_a_table_with_other_columns_is_refused(tmp_path):
    (tmp_path / table.TABLE).write_text("id,name\n1,Kick\n")
    with pytest.raises(DatasetError, match="expected"):
        table.read(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "garbage", "short"])
def test_damaged_audio_is_named(tmp_path, damage):
    rows, samples = oneshots.choose(oneshots.run_job(file_job(tmp_path, {"A": decay(200)})))
    oneshots.write(tmp_path, rows, samples)
    path = tmp_path / rows[0].file
    path.unlink()
    if damage == "garbage":
        path.write_bytes(b"garbage")
    if damage == "short":
        soundfile.write(path, samples[0][:100], SAMPLE_RATE, subtype="PCM_16")
    with pytest.raises(DatasetError, match=rf"{path.name}.*build the data set again"):
        table.load_audio(tmp_path, rows)


def test_the_command_passes_its_arguments_on(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(oneshots, "build", lambda *args: calls.append(args))
    parser = argparse.ArgumentParser()
    datasets.add_arguments(parser)
    args = parser.parse_args(
        ["oneshots", "--out", str(tmp_path), "--sources", str(tmp_path), "--workers", "1"]
    )
    assert datasets.run(args) == 0
    assert calls == [(tmp_path, tmp_path, 1)]
