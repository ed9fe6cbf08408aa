"""Sounds that leave: the bits that are heard, under good names, with where they come from inside."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import sys
import zipfile
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from app_checks import API, assert_problem, file_of, samples_of, tone
from starlette.requests import Request

from sonifold.audio.formats import FORMATS
from sonifold_app.routes.reveal import OPENERS, is_at_the_machine

RATE = 44_100
STEPS = 4


def name_of(answer):
    return unquote(answer.headers["content-disposition"].rpartition("''")[2])


def record_of(data):
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        return json.loads(file.comment)


@pytest.fixture(scope="module")
def pair(model):
    """Two library sounds with licences of different kinds."""
    by = {label.licence: label.id for label in model.library.labels}
    return [by["CC0-1.0"], by["CC-BY-3.0"]]


@pytest.fixture(scope="module")
def way(pair):
    return {"anchors": [{"sound": id} for id in pair], "kind": "linear", "steps": STEPS}


@pytest.fixture(scope="module")
def export(client, name):
    return lambda **asked: client.post(f"{API}/models/{name}/exports", json=asked)


@pytest.fixture(scope="module")
def heard(client, name, pair):
    """The steps as they are played, (step, sample)."""
    asked = {"anchors": [{"sound": id} for id in pair], "kinds": ["linear"], "steps": STEPS}
    reply = client.post(f"{API}/models/{name}/morphs", json=asked).json()
    samples, _ = samples_of(client.get(reply["morphs"][0]["audio"]["url"]).content)
    return samples.reshape(STEPS, reply["step_samples"])


def test_all_steps_are_a_zip_of_what_was_heard(export, way, heard, model, pair):
    answer = export(morph=way)
    assert answer.headers["content-type"] == "application/zip"
    stem = name_of(answer).removesuffix(".zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert zipped.testzip() is None
        files = {one: zipped.read(one) for one in zipped.namelist()}
    table = list(csv.DictReader(io.StringIO(files.pop("sounds.csv").decode(), newline="")))
    assert files.pop("README.txt")
    assert (
        list(files) == [f"{stem}-{n:02d}.wav" for n in range(1, STEPS + 1)] == [row["file"] for row in table]
    )
    for data, step in zip(files.values(), heard, strict=True):
        np.testing.assert_array_equal(samples_of(data)[0], step)
    assert {row["licences"] for row in table} == {"CC0-1.0; CC-BY-3.0"}
    last = record_of(list(files.values())[-1])
    assert (last["path"], last["step"], last["place"], last["metric"]) == ("linear", STEPS, 1.0, "blend")
    assert [one["id"] for one in last["sources"]] == pair
    assert json.loads(table[-1]["record"]) == last


def test_a_file_of_more_bits_has_them(export, way, heard):
    deep = samples_of(export(morph={**way, "only": 2}, depth=24).content)[0]
    floats = samples_of(export(morph={**way, "only": 2}, depth=32).content)[0]
    assert np.abs(floats - deep).max() <= 0.51 / 2**23
    assert 0 < np.abs(floats - heard[1]).max() <= 0.51 / 2**15, "rendered anew, not blown up from 16 bits"


@pytest.mark.parametrize(
    ("format", "depth", "subtype"),
    [
        ("wav", None, "PCM_16"),
        ("wav", 32, "FLOAT"),
        ("flac", 24, "PCM_24"),
        ("aiff", 24, "PCM_24"),
        ("ogg", None, "VORBIS"),
    ],
)
def test_every_format_and_depth_is_what_it_says(export, pair, format, depth, subtype):
    answer = export(sounds=[{"sound": pair[1]}], format=format, depth=depth)
    assert answer.headers["content-type"] == f"audio/{format}"
    assert name_of(answer).endswith(f".{format}")
    with soundfile.SoundFile(io.BytesIO(answer.content)) as file:
        assert (file.format, file.subtype, file.samplerate) == (format.upper(), subtype, RATE)
        assert "CC-BY-3.0" in file.copyright
    assert record_of(answer.content)["sources"][0]["licence"] == "CC-BY-3.0"


def test_one_step_has_its_number_in_its_name(export, way):
    answer = export(morph={**way, "only": 3, "names": ["My Kick!", "Köto"]})
    assert name_of(answer) == "my-kick-to-köto-straight-03.wav"
    assert record_of(answer.content)["step"] == 3


def test_steps_in_one_file_last_as_long_as_they_were_played(export, way, heard):
    durations = [0.25, 0.5, 0.75, 1.0]
    samples, _ = samples_of(export(morph={**way, "joined": True, "durations": durations}).content)
    assert len(samples) == round(sum(durations) * RATE)
    begin = 0
    for step, seconds in zip(heard, durations, strict=True):
        until_fade = round((seconds - 0.02) * RATE)
        np.testing.assert_array_equal(samples[begin:][:until_fade], step[:until_fade])
        begin += round(seconds * RATE)


def test_a_glide_is_as_long_as_was_asked(export, way):
    samples, _ = samples_of(export(morph={**way, "mode": "glide", "seconds": 2.5}).content)
    assert len(samples) / RATE == pytest.approx(2.5, abs=0.02)


def test_level_and_silence(export, way, heard):
    plain = samples_of(export(morph={**way, "only": 2}).content)[0]
    loud, _ = samples_of(export(morph={**way, "only": 2}, level="normalise", trim=True).content)
    assert np.abs(loud).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
    assert len(loud) < len(plain)


def test_own_sounds_and_places_leave_too_under_the_names_they_are_given(client, export, name, model):
    kept = client.post(
        f"{API}/models/{name}/sounds", files=[("files", ("Tick.wav", file_of(tone()), "audio/wav"))]
    ).json()["sounds"][0]
    point = model.library.z[3].tolist()
    answer = export(
        sounds=[{"sound": kept["id"]}, {"point": point}, {"position": [kept["x"], kept["y"]]}],
        names=["Tick", "Tick", "Here"],
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert zipped.namelist()[:3] == ["tick.wav", "tick-2.wav", "here.wav"]
        files = [zipped.read(one) for one in zipped.namelist()[:3]]
    own, _ = samples_of(client.get(f"{API}/models/{name}/sounds/{kept['id']}/audio").content)
    np.testing.assert_array_equal(samples_of(files[0])[0], own)
    assert record_of(files[1])["point"] == pytest.approx(point, rel=1e-4)
    client.delete(f"{API}/models/{name}/sounds/{kept['id']}")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sounds": []},
        {"morph": {"steps": 40}},
        {"morph": {"only": 9}},
        {"morph": {"durations": [1.0]}},
        {"morph": {"seconds": 60.0, "mode": "glide"}},
        {"morph": {}, "sounds": [{"sound": "x"}]},
        {"morph": {}, "format": "mp3"},
        {"morph": {}, "format": "flac", "depth": 32},
        {"morph": {}, "format": "ogg", "depth": 16},
        {"morph": {}, "depth": 8},
    ],
)
def test_what_cannot_be_written_is_said(export, way, asked):
    if "morph" in asked:
        asked = {**asked, "morph": {**way, **asked["morph"]}}
    assert_problem(export(**asked), 422, "request_invalid")


def test_a_sound_that_is_not_there(export):
    assert_problem(export(sounds=[{"sound": "0" * 12}]), 404, "sound_not_found")


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_whatever_is_fetched_says_where_it_comes_from(client, name, pair, format):
    asked = {"anchors": [{"sound": id} for id in pair], "kinds": ["retimed"], "steps": 3}
    url = client.post(f"{API}/models/{name}/morphs", json=asked).json()["morphs"][0]["audio"]["url"]
    record = record_of(client.get(url, params={"format": format}).content)
    assert (record["path"], record["steps"], record["model"]) == ("retimed", 3, name)
    assert [one["licence"] for one in record["sources"]] == ["CC0-1.0", "CC-BY-3.0"]
    sound = client.get(
        f"{API}/models/{name}/sounds/{pair[1]}/audio", params={"format": format, "download": "x"}
    )
    assert record_of(sound.content)["sources"][0]["credit"]


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_a_sound_got_has_the_same_tags_as_the_sound_exported(client, export, name, pair, format):
    """In Ogg a library sound keeps its own encoding."""
    tags = ("title", "artist", "copyright", "license", "comment")
    stored = client.get(
        f"{API}/models/{name}/sounds/{pair[1]}/audio", headers={"Accept": "audio/ogg"}
    ).content
    for query in ({"format": format}, {"format": format, "download": "x"}):
        sent = client.get(f"{API}/models/{name}/sounds/{pair[1]}/audio", params=query).content
        posted = export(sounds=[{"sound": pair[1]}], format=format).content
        with (
            soundfile.SoundFile(io.BytesIO(sent)) as got,
            soundfile.SoundFile(io.BytesIO(posted)) as exported,
        ):
            assert {tag: getattr(got, tag) for tag in tags} == {tag: getattr(exported, tag) for tag in tags}
            assert "CC-BY-3.0" in got.copyright
        if format == "ogg":
            np.testing.assert_array_equal(samples_of(sent)[0], samples_of(stored)[0])


def test_what_a_place_sounds_like_has_one_record_whoever_asks_together_with_it(client, name, model):
    one, other = model.library.z[3].tolist(), model.library.z[4].tolist()

    def decoded(*points):
        sounds = client.post(f"{API}/models/{name}/decodings", json={"points": points}).json()["sounds"]
        return client.get(sounds[-1]["audio"]["url"]).content

    record = record_of(decoded(other))
    assert record == record_of(decoded(one, other))
    assert record["point"] == pytest.approx(other, rel=1e-4)
    assert "CC-BY-3.0" in record["sources"][0]["licence"], "what the model learned from"


def test_a_morph_is_an_instrument_under_the_wheel(export, way):
    answer = export(morph=way, instrument={"kind": "sfz", "title": "Kick <to> bell"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert name_of(answer) == "kick-to-bell.zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        text = archive.read("kick-to-bell/kick-to-bell.sfz").decode()
        sounds = [name for name in archive.namelist() if name.endswith(".wav")]
        assert text.count("<region>") == len(sounds) == STEPS
        assert text.count("xfin_locc1") == text.count("xfout_locc1") == STEPS - 1
        assert all(f"sample={name.removeprefix('kick-to-bell/')}" in text for name in sounds)
        assert "CC-BY-3.0" in archive.read("kick-to-bell/README.txt").decode()
    assert export(morph=way, instrument={"kind": "sfz", "title": "Kick <to> bell"}).content == answer.content


def test_sounds_are_a_drum_kit_with_the_bits_of_their_recordings(export, pair, model):
    sounds = [{"sound": id} for id in pair]
    answer = export(
        sounds=sounds, names=["Kick", "Snare"], instrument={"kind": "multisample", "layout": "drums"}
    )
    assert answer.headers["content-type"] == "application/octet-stream"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b'root="36"' in archive.read("multisample.xml")
        samples, _ = samples_of(archive.read("kick.wav"))
    np.testing.assert_allclose(samples, model.library.audio(pair[0]).numpy(), atol=2**-23)


def test_an_instrument_that_cannot_be_is_refused_in_words(export, way, pair):
    sounds = [{"sound": pair[0]}] * 25
    answer = export(sounds=sounds, instrument={"kind": "op1"})
    assert_problem(answer, 422, "instrument_invalid")
    assert "24 sounds at most; these are 25" in answer.json()["detail"]
    assert_problem(
        export(morph=way, instrument={"kind": "xpm", "layout": "morph"}), 422, "instrument_invalid"
    )
    assert_problem(export(morph={**way, "only": 1}, instrument={"kind": "sfz"}), 422, "request_invalid")
    assert_problem(export(sounds=sounds, instrument={"kind": "kontakt"}), 422, "request_invalid")


@pytest.fixture
def export_folder(client, tmp_path):
    state = client.app.state
    services = state.services
    settings = services.settings.model_copy(update={"exports": tmp_path / "exports"})
    state.services = dataclasses.replace(services, settings=settings)
    yield tmp_path / "exports"
    state.services = services


def test_what_is_put_into_the_export_folder_is_there_when_the_reply_comes(
    export, pair, export_folder, client
):
    assert client.get(f"{API}/models").json()["export_folder"] is True
    sounds = [{"sound": pair[0]}]
    replies = [export(sounds=sounds, names=["Kick"], destination="folder") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [201, 201]
    assert [reply.json()["path"] for reply in replies] == [
        str(export_folder / name) for name in ("kick.wav", "kick-2.wav")
    ]
    sent = export(sounds=sounds, names=["Kick"]).content
    assert {(export_folder / name).read_bytes() for name in ("kick.wav", "kick-2.wav")} == {sent}
    kit = export(sounds=sounds, names=["Kick"], destination="folder", instrument={"kind": "xpm"}).json()
    assert sorted(path.name for path in (export_folder / kit["name"]).iterdir()) == [
        "README.txt", "kick.wav", "kick.xpm", "sounds.csv",
    ]  # fmt: skip


def test_without_an_export_folder_nothing_is_put_anywhere(export, pair, client):
    assert client.get(f"{API}/models").json()["export_folder"] is False
    assert_problem(export(sounds=[{"sound": pair[0]}], destination="folder"), 507, "export_folder_unusable")


@pytest.fixture
def file_manager(tmp_path, monkeypatch):
    """A desktop: what opens folders there writes down what it was asked for, and ends as the file ``status`` says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / OPENERS.get(sys.platform, OPENERS["linux"])
    program.write_text(f'#!/bin/sh\nprintf %s "$*" > "{folder}/opened"\nexit $(cat "{folder}/status")\n')
    program.chmod(0o755)
    (folder / "status").write_text("0")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":7")
    return folder


def reveal(client):
    return client.post(f"{API}/export-folder/reveal")


def test_the_export_folder_is_shown_on_the_desktop_whatever_a_request_asks_for(
    client, export, pair, export_folder, file_manager
):
    assert export(sounds=[{"sound": pair[0]}], destination="folder").json()["revealable"] is True
    asked = client.post(f"{API}/export-folder/reveal?path=/etc", json={"path": "/etc"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert (file_manager / "opened").read_text() == str(export_folder)


def test_where_no_desktop_shows_folders_it_is_said(
    client, export, pair, export_folder, file_manager, monkeypatch
):
    (file_manager / "status").write_text("3")
    assert_problem(reveal(client), 503, "no_desktop")
    if OPENERS.get(sys.platform) != "xdg-open":
        return
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert export(sounds=[{"sound": pair[0]}], destination="folder").json()["revealable"] is False
    assert_problem(reveal(client), 503, "no_desktop")


def test_nobody_elsewhere_opens_folders_on_this_machine(client, export, pair, export_folder, file_manager):
    services = client.app.state.services
    elsewhere = services.settings.model_copy(update={"host": "0.0.0.0"})
    client.app.state.services = dataclasses.replace(services, settings=elsewhere)
    reply = export(sounds=[{"sound": pair[0]}], destination="folder").json()
    assert (reply["path"], reply["revealable"]) == (None, False)
    assert_problem(reveal(client), 403, "not_this_machine")
    client.app.state.services = services
    assert not (file_manager / "opened").exists()


@pytest.mark.parametrize(("host", "expected"), [("localhost:8750", True), ("studio.example", False)])
def test_a_proxy_on_the_same_machine_brings_nobody_to_it(client, host, expected):
    request = Request({"type": "http", "headers": [(b"host", host.encode())]})
    assert is_at_the_machine(client.app.state.services.settings, request) is expected


def test_without_an_export_folder_there_is_none_to_show(client, file_manager):
    assert_problem(reveal(client), 507, "export_folder_unusable")
