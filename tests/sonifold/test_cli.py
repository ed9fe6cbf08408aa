"""The command line and the README's examples, as a user would type them."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sonifold
from sonifold.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def sounds(model, tmp_path, monkeypatch):
    """kick.wav and bell.wav in an empty working directory."""
    for name in ("Kick", "Bell"):
        sound_id = model.library.ids[model.library.families.index(name)]
        soundfile.write(
            tmp_path / f"{name.lower()}.wav", model.library.audio(sound_id).numpy(), model.sample_rate
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.split()[1])
def test_the_python_examples_of_the_readme_run(code, sounds):
    exec(compile(code, "README.md", "exec"), {})


def test_the_commands_of_the_readme_run(sounds, capsys):
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith(("sonifold morph", "sonifold embed"))]
    assert len(commands) >= 4
    for command in commands:
        assert main(command[1:]) == 0
    for name in ("steps", "straight", "glide"):
        samples, rate = soundfile.read(sounds / f"{name}.wav")
        assert rate == 44_100
        assert 0.05 < np.abs(samples).max() <= 1
    found = json.loads(capsys.readouterr().out.split("\n[", 1)[1].join(["[", ""]))
    assert [one["file"] for one in found] == ["kick.wav", "bell.wav"]
    assert found[0]["nearest"][0]["distance"] < found[0]["nearest"][-1]["distance"]


def test_samples_are_files_and_the_same_seed_draws_the_same(sounds, capsys):
    for folder in ("one", "two"):
        assert main(["sample", "--by", "mixture", "--count", "2", "--seed", "5", "-o", folder]) == 0
    report = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert [Path(one["file"]).parent.name for one in report["samples"]] == ["one", "one"]
    for one in report["samples"]:
        again = soundfile.read(Path("two") / Path(one["file"]).name)[0]
        np.testing.assert_array_equal(soundfile.read(one["file"])[0], again)
        assert 0.05 < np.abs(again).max() <= 1


def test_a_walk_from_nowhere_says_what_it_needs(sounds, capsys):
    assert main(["sample", "--by", "walk"]) == 1
    assert "start" in capsys.readouterr().err


def test_the_straight_path_differs_from_the_geodesic(sounds):
    main(["morph", "kick.wav", "bell.wav", "-o", "a.wav", "--steps", "3"])
    main(["morph", "kick.wav", "bell.wav", "-o", "b.wav", "--steps", "3", "--path", "linear"])
    a, b = (soundfile.read(f"{name}.wav")[0].reshape(3, -1) for name in "ab")
    assert np.abs(a[1] - b[1]).max() > 1e-3
    assert np.abs(a[0] - b[0]).max() < 1e-3


def test_problems_are_one_sentence_on_standard_error(sounds, capsys):
    (sounds / "words.wav").write_text("not a sound")
    for command in (["morph", "nowhere.wav", "bell.wav"], ["morph", "words.wav", "bell.wav"],
                    ["embed", "kick.wav", "--model", "nonesuch"], ["morph", "kick.wav", "bell.wav", "-o", "x.mp4"],
                    ["train", "--dataset", "nowhere"]):  # fmt: skip
        assert main(command) == 1
        assert capsys.readouterr().err.startswith("sonifold: ")


def test_a_recording_is_never_written_over(sounds, capsys):
    before = (sounds / "kick.wav").read_bytes()
    for target in ("kick.wav", "./bell.wav"):
        assert main(["morph", "kick.wav", "bell.wav", "-o", target]) == 1
        assert "one of the recordings that this is made from" in capsys.readouterr().err
    assert (sounds / "kick.wav").read_bytes() == before


def test_what_cannot_be_written_is_said_before_anything_is_computed(sounds, capsys, monkeypatch):
    monkeypatch.setattr(sonifold, "load", lambda *_: pytest.fail("computed for nothing"))
    for options, words in (
        (["-o", "nowhere/x.wav"], "there is no folder 'nowhere'"),
        (["-o", "x.mp3"], "cannot write 'mp3'"),
        (["-o", "x.flac", "--depth", "32"], "WAV or AIFF can have 32"),
        (["-o", "kick.wav", "--each"], "is a file; name a folder"),
    ):
        assert main(["morph", "kick.wav", "bell.wav", *options]) == 1
        assert words in capsys.readouterr().err


def test_steps_as_files_of_their_own(sounds):
    options = [
        "--steps",
        "3",
        "--each",
        "-o",
        "out",
        "--format",
        "flac",
        "--depth",
        "24",
        "--normalise",
        "--trim",
    ]
    assert main(["morph", "kick.wav", "bell.wav", *options]) == 0
    files = sorted((sounds / "out").iterdir())
    assert [one.name for one in files] == [f"kick-to-bell-0{n}.flac" for n in (1, 2, 3)]
    for number, file in enumerate(files, start=1):
        with soundfile.SoundFile(file) as opened:
            assert opened.subtype == "PCM_24"
            record = json.loads(opened.comment)
            assert (record["step"], record["path"]) == (number, "geodesic")
            assert [one["name"] for one in record["sources"]] == ["kick", "bell"]
            assert np.abs(opened.read()).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)


def test_of_a_folder_the_sound_files_are_embedded_and_the_others_named(sounds, capsys):
    inside = sounds / "pack" / "drums"
    inside.mkdir(parents=True)
    for file in ("kick.wav", "bell.wav"):
        shutil.copy(sounds / file, inside / file)
    for name in ("._kick.wav", ".DS_Store", "notes.txt", "kick.wav.asd"):
        (inside / name).write_bytes(bytes(100))
    assert main(["embed", "pack"]) == 0
    reply = capsys.readouterr()
    assert [one["file"] for one in json.loads(reply.out)] == ["pack/drums/bell.wav", "pack/drums/kick.wav"]
    assert reply.err == ""
    soundfile.write(inside / "room.wav", np.zeros(44_100), 44_100)
    assert main(["embed", "pack", "kick.wav"]) == 1
    reply = capsys.readouterr()
    assert len(json.loads(reply.out)) == 3
    assert "room.wav is silent" in reply.err
    assert "1 of 4 files" in reply.err


def test_what_is_done_to_a_sound_is_printed_with_it(sounds, capsys):
    t = np.arange(4 * 48_000) / 48_000
    gong = 0.2 * np.sin(2 * np.pi * 200 * t) * np.exp(-t / 2)
    soundfile.write(sounds / "gong.wav", np.stack([gong, gong], 1) + 0.05, 48_000)
    assert main(["embed", "gong.wav"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert {warning["code"] for warning in one["warnings"]} == {"cut", "mono", "resampled", "dc_removed"}


def test_a_folder_without_sounds_says_so(sounds, capsys):
    (sounds / "empty").mkdir()
    assert main(["embed", "empty"]) == 1
    assert "no sound file in the folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../evil", "/evil", "kit.part", "nul", "Kit", ".kit"])
def test_finetune_refuses_a_name_that_is_no_name_of_a_pack_before_anything_is_done(tmp_path, capsys, name):
    arguments = ["finetune", "oneshots", "none.wav", "--name", name, "--models", str(tmp_path / "packs")]
    assert main(arguments) == 1
    assert "cannot be the name of a pack" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
