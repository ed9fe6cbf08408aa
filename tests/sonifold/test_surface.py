"""What a person meets in Python and on the command line: names that are there, slips told in a sentence, notebooks."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

import sonifold
from sonifold.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def path(model):
    kick, bell = (
        model.sound(model.library.ids[model.library.families.index(name)]) for name in ("Kick", "Bell")
    )
    return model.geodesic(kick, bell, steps=3)


def named_in_documents() -> set[str]:
    text = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    return set(re.findall(r"(?<![\w/.-])sonifold\.([a-z_]+)\b(?!\.\w*\.)", text)) - {"zip", "egg"}


#: What one name's import leaves in the package is taken out before the next name.
NAMES = """
import sonifold, sys
own = set(vars(sonifold))
for name in sys.argv[1:]:
    getattr(sonifold, name)
    assert name in dir(sonifold), name
    for left in set(vars(sonifold)) - own:
        delattr(sonifold, left)
"""


@pytest.mark.long
def test_every_public_name_is_there_after_a_plain_import():
    names = sorted({*sonifold.__all__, *named_in_documents()})
    assert len(names) > 10
    ran = subprocess.run([sys.executable, "-c", NAMES, *names], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_timbre_features_are_reached_as_written():
    assert sonifold.audio.timbre_features is not None
    assert "audio" in sonifold.__all__


def test_a_model_shows_its_map_and_names_itself(model):
    shown = ElementTree.fromstring(model._repr_html_())
    circles = shown.findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) == len(model.library)
    assert repr(model) == f"<Model oneshots: {len(model.library)} sounds, 32 latent dimensions>"


def test_a_path_shows_its_lengths_and_its_curve(path):
    shown = path._repr_html_()
    assert f"{path.length:.2f}, straight {path.line_length:.2f}" in shown
    (line,) = ElementTree.fromstring(shown).findall(".//{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]
    assert len(points) == len(path.map)
    assert all(0 <= x <= 360 and 0 <= y <= 240 for x, y in points)


def test_a_clip_shows_a_player_that_carries_its_sound(model, path):
    import base64
    import io

    clip = model.render_steps([path])[0]
    players = re.findall(r'src="data:audio/wav;base64,([^"]+)"', clip._repr_html_())
    assert len(players) == 3
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(players[0])))
    assert rate == model.sample_rate
    assert np.allclose(samples, clip.audio[0], atol=1e-3)


def test_a_sound_does_not_print_its_numbers(path):
    assert "tensor" not in repr(path.start)


def test_a_file_name_for_a_sound_is_told_what_to_do(model):
    with pytest.raises(TypeError, match=r"expected a Sound, got str 'kick.wav'.*model.encode"):
        model.geodesic("kick.wav", "bell.wav")


@pytest.mark.parametrize("seconds", [-1, 0, 0.05, 400, float("nan")])
def test_a_glide_of_no_sensible_length_is_refused(model, path, seconds):
    with pytest.raises(ValueError, match=r"a glide is 0.5 to 20 seconds long"):
        model.render(path, seconds)


@pytest.mark.parametrize(
    "command",
    [
        "morph kick.wav bell.wav -o no/such/folder/steps.wav",
        "morph kick.wav bell.wav --glide --seconds 0.05",
        "morph kick.wav missing.wav",
        "sample --count 1 -o kick.wav",
        "embed missing.wav",
        "finetune oneshots missing.wav --name mine",
    ],
)
def test_a_slip_on_the_command_line_is_a_sentence(command, tmp_path, monkeypatch, capsys, model):
    monkeypatch.chdir(tmp_path)
    for name in ("Kick", "Bell"):
        sound_id = model.library.ids[model.library.families.index(name)]
        soundfile.write(f"{name.lower()}.wav", model.library.audio(sound_id).numpy(), model.sample_rate)
    before = Path("kick.wav").read_bytes()
    assert main(command.split()) == 1
    said = capsys.readouterr().err
    assert said.startswith("sonifold: ")
    assert "Traceback" not in said
    assert Path("kick.wav").read_bytes() == before
