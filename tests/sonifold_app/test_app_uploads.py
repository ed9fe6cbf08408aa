"""The user's own recordings: kept, split, chosen from, checked; and whatever else may come in a file."""

from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile
from app_checks import API, RATE, assert_problem, file_of, samples_of, tone
from starlette.testclient import TestClient
from test_app_embeddings import HOSTILE, wav_header

from sonifold.audio.limits import MAX_CUTS
from sonifold_app.app import create_app
from sonifold_app.engine.operations.recordings import split
from sonifold_app.engine.questions import SplitQuery, Upload
from sonifold_app.settings import Settings
from sonifold_app.store import uploads as waiting_uploads


@pytest.fixture
def send(client, name):
    """Post files to a resource."""

    def send(*files: bytes, to: str = "sounds", names: list[str] | None = None, **params):
        labels = names or [f"sound {i}.wav" for i in range(len(files))]
        parts = [("files", (label, data)) for label, data in zip(labels, files, strict=True)]
        return client.post(f"{API}/models/{name}/{to}", files=parts, params=params)

    return send


@pytest.fixture(autouse=True)
def nothing_left(client, name, ids):
    """Every test leaves the library as it found it."""
    yield
    listed = client.get(f"{API}/models/{name}/sounds").json()
    for id in listed["id"][len(ids) :]:
        client.delete(f"{API}/models/{name}/sounds/{id}")


def kit(times=(0.1, 0.7, 1.5), seconds=2.5, rate=RATE):
    """A recording of several hits of different pitch."""
    out = np.zeros(round(seconds * rate), np.float32)
    for i, time in enumerate(times):
        sound = tone(0.5, 150 * (i + 1), rate)
        begin = round(time * rate)
        out[begin : begin + len(sound)] += sound
    return out


# -- one sound a file ------------------------------------------------------------------------------


def test_uploads_that_wait_are_listed_and_so_much_may_wait(client, name, monkeypatch):
    listed = f"{API}/models/{name}/uploads"
    before = {one["id"] for one in client.get(listed).json()["uploads"]}
    data = file_of(tone(0.4))
    asked = {"files": [("files", ("kit.wav", data))]}
    upload = client.post(listed, **asked).json()
    found = {one["id"]: one for one in client.get(listed).json()["uploads"]}
    assert found.keys() == before | {upload["id"]}
    assert found[upload["id"]]["expires"] == upload["expires"]
    assert found[upload["id"]]["files"] == [{"name": "kit.wav", "seconds": 0.4, "bytes": len(data)}]
    for limit, value in (("MOST_WAITING", len(found)), ("MOST_WAITING_BYTES", len(data))):
        with monkeypatch.context() as patch:
            patch.setattr(waiting_uploads, limit, value)
            assert_problem(client.post(listed, **asked), 507, "uploads_full")
    assert {one["id"] for one in client.get(listed).json()["uploads"]} == found.keys()
    assert client.delete(f"{listed}/{upload['id']}").status_code == 204
    assert {one["id"] for one in client.get(listed).json()["uploads"]} == before


def test_an_uploaded_sound_is_kept_placed_and_told(client, send, ids, name):
    reply = send(file_of(tone()), names=["My blip.wav"])
    assert reply.status_code == 201, reply.text
    (sound,) = reply.json()["sounds"]
    assert (sound["kind"], sound["name"], sound["family"]) == ("uploaded", "My blip", "yours")
    assert sound["made_with"] == {"file": "My blip.wav"}
    assert sound["pitch"] == pytest.approx(220, rel=0.02)
    url = f"{API}/models/{name}/sounds/{sound['id']}"
    assert client.get(url).json() == sound
    table = client.get(f"{API}/models/{name}/sounds").json()
    assert table["kind"][len(ids) :] == ["uploaded"]
    (embedded,) = client.post(
        f"{API}/models/{name}/embeddings", files=[("files", ("x.wav", file_of(tone())))]
    ).json()["embeddings"]
    assert sound["z"] == pytest.approx(embedded["z"], abs=1e-3)


def test_it_sounds_as_it_came_but_aligned_and_at_full_level(client, send):
    quiet = np.concatenate([np.zeros(RATE // 3), 0.1 * tone()]).astype(np.float32)
    (sound,) = send(file_of(quiet, subtype="FLOAT")).json()["sounds"]
    heard, rate = samples_of(client.get(sound["audio_url"]).content)
    assert rate == RATE
    begin = int(np.argmax(np.abs(heard) > 0.05))
    assert 200 <= begin <= 260
    assert np.abs(heard).max() == pytest.approx(0.95, abs=0.01)


def test_a_morph_from_an_uploaded_sound_begins_with_the_sound_itself(client, send, ids, name, model):
    (sound,) = send(file_of(tone(hertz=333.0))).json()["sounds"]
    asked = {"anchors": [{"sound": sound["id"]}, {"sound": ids[4]}], "kinds": ["geodesic"], "steps": 3}
    (morph,) = client.post(f"{API}/models/{name}/morphs", json=asked).json()["morphs"]
    heard, _ = samples_of(client.get(morph["audio"]["url"]).content)
    kept, _ = samples_of(client.get(sound["audio_url"]).content)
    assert np.linalg.norm(heard[: model.sound_samples] - kept) / np.linalg.norm(kept) < 0.03


def test_twenty_files_are_kept_in_their_order(client, send):
    files = [file_of(tone(0.3, 100 + 30 * i)) for i in range(20)]
    sounds = send(*files, names=[f"{i}.wav" for i in range(20)]).json()["sounds"]
    assert [one["name"] for one in sounds] == [str(i) for i in range(20)]
    assert len({one["id"] for one in sounds}) == 20


@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "DOUBLE"),
        ("FLAC", None),
        ("OGG", None),
        ("MP3", None),
        ("AIFF", None),
    ],
)
def test_every_usual_format_is_kept(send, format, subtype):
    answer = send(file_of(np.stack([tone(), tone()], 1), format=format, subtype=subtype))
    assert answer.status_code == 201, answer.text


def test_uploads_survive_the_app(tmp_path, engine_of, name):
    def app():
        return TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost")

    with app() as client:
        files = [("files", ("a.wav", file_of(tone())))]
        (sound,) = client.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]
        waiting = client.post(
            f"{API}/models/{name}/uploads", files=[("files", ("k.wav", file_of(kit())))]
        ).json()
    with app() as client:
        assert client.get(f"{API}/models/{name}/sounds/{sound['id']}").json() == sound
        assert client.get(f"{API}/models/{name}/uploads/{waiting['id']}").json() == waiting
        choice = {"sounds": [{"start": 0.1, "end": 0.5, "name": "chosen later"}]}
        answer = client.post(f"{API}/models/{name}/uploads/{waiting['id']}/sounds", json=choice)
        assert answer.status_code == 201, answer.text


# -- several sounds a file -------------------------------------------------------------------------


def test_a_long_recording_is_split_and_nothing_is_kept_yet(client, send, name, ids):
    reply = send(file_of(kit(), format="FLAC"), to="uploads", names=["kit.flac"])
    assert reply.status_code == 201, reply.text
    upload = reply.json()
    (file,) = upload["files"]
    assert file["seconds"] == pytest.approx(2.5)
    assert [one["start"] for one in file["sounds"]] == pytest.approx([0.1, 0.7, 1.5], abs=0.006)
    assert [one["name"] for one in file["sounds"]] == ["kit 1", "kit 2", "kit 3"]
    assert client.get(f"{API}/models/{name}/sounds").json()["count"] == len(ids)
    low, high = np.array(file["overview"]).T
    recording = kit()
    assert high.max() == pytest.approx(recording.max(), abs=1e-3)
    assert low.min() == pytest.approx(recording.min(), abs=1e-3)
    heard, rate = samples_of(client.get(file["audio_url"]).content)
    assert rate == RATE
    np.testing.assert_allclose(heard, recording, atol=1e-3)
    assert client.get(reply.headers["location"]).json() == upload


def test_the_copy_to_listen_to_is_rounded_and_not_cut_off():
    steps = 3000 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 44_100)
    file = io.BytesIO()
    soundfile.write(file, steps / 32_768, 44_100, format="WAV", subtype="FLOAT")
    audio = split(None, SplitQuery(Upload("take.wav", file.getvalue()), None)).recording.wav
    written, _ = soundfile.read(io.BytesIO(audio), dtype="int16")
    assert np.array_equal(written, np.rint(steps))


def test_the_copy_to_listen_to_of_a_take_over_full_scale_is_softer_and_not_cut_off():
    take = 8.8 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 44_100)
    file = io.BytesIO()
    soundfile.write(file, take, 44_100, format="WAV", subtype="FLOAT")
    audio = split(None, SplitQuery(Upload("take.wav", file.getvalue()), None)).recording.wav
    copy, _ = soundfile.read(io.BytesIO(audio))
    assert 0.5 < np.abs(copy).max() <= 1
    np.testing.assert_allclose(copy / np.abs(copy).max(), take / np.abs(take).max(), atol=2 / 32_768)


def test_the_choice_is_kept_as_it_was_corrected(client, send, name):
    upload = send(file_of(kit()), to="uploads").json()
    choice = [
        {"start": 0.69, "end": 1.1, "name": "second"},
        {"start": 0.08, "end": 0.5, "name": "first v1.0"},
    ]
    reply = client.post(f"{API}/models/{name}/uploads/{upload['id']}/sounds", json={"sounds": choice})
    assert reply.status_code == 201, reply.text
    second, first = reply.json()["sounds"]
    assert (second["name"], first["name"]) == ("second", "first v1.0")
    assert second["made_with"] == {"file": "sound 0.wav", "start": 0.69, "end": 1.1}
    assert second["pitch"] == pytest.approx(300, rel=0.02)
    assert first["pitch"] == pytest.approx(150, rel=0.02)


def test_a_lower_threshold_finds_no_fewer(client, send, name):
    upload = send(file_of(kit()), to="uploads", threshold=2).json()
    few = len(upload["files"][0]["sounds"])
    url = f"{API}/models/{name}/uploads/{upload['id']}"
    many = client.get(url, params={"threshold": 0.01}).json()["files"][0]["sounds"]
    assert few < 3 <= len(many)


def test_an_upload_can_be_forgotten_and_what_was_chosen_stays(client, send, name):
    upload = send(file_of(kit()), to="uploads").json()
    url = f"{API}/models/{name}/uploads/{upload['id']}"
    choice = {"sounds": [{"start": 0.1, "end": 0.5, "name": "kept"}]}
    (sound,) = client.post(f"{url}/sounds", json=choice).json()["sounds"]
    assert client.delete(url).status_code == 204
    for answer in (client.get(url), client.delete(url), client.post(f"{url}/sounds", json=choice)):
        assert_problem(answer, 404, "upload_not_found")
    assert_problem(client.get(f"{url}/files/0/audio"), 404, "upload_not_found")
    assert client.get(sound["audio_url"]).status_code == 200


def test_uploads_that_nobody_chose_from_are_gone_after_a_day(tmp_path, monkeypatch):
    import time

    from sonifold_app.store.sounds import UserSoundStore

    kept = UserSoundStore(tmp_path / "library")
    upload = kept.uploads.add("m", [("a.wav", b"audio", 1.0)])
    assert kept.uploads.find("m", upload.id) == upload
    assert kept.uploads.find("other", upload.id) is None
    later = time.time() + 25 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert kept.uploads.find("m", upload.id) is None
    kept.uploads.add("m", [("b.wav", b"more", 1.0)])
    assert kept.uploads.audio(upload.files[0]) is None
    kept.close()


CHOICES = {
    "nothing": ({"sounds": []}, 422, "request_invalid"),
    "backwards": ({"sounds": [{"start": 1.0, "end": 0.5, "name": "x"}]}, 422, "request_invalid"),
    "past the end": ({"sounds": [{"start": 2.0, "end": 5.0, "name": "x"}]}, 422, "cut_invalid"),
    "before the beginning": ({"sounds": [{"start": -1.0, "end": 0.5, "name": "x"}]}, 422, "request_invalid"),
    "too long": ({"sounds": [{"start": 0.0, "end": 11.0, "name": "x"}]}, 422, "request_invalid"),
    "a blink": ({"sounds": [{"start": 0.5, "end": 0.501, "name": "x"}]}, 422, "request_invalid"),
    "another file": (
        {"sounds": [{"file": 3, "start": 0.1, "end": 0.5, "name": "x"}]},
        404,
        "upload_not_found",
    ),
    "silence": ({"sounds": [{"start": 0.0, "end": 0.05, "name": "x"}]}, 422, "audio_silent"),
    "too many": (
        {"sounds": [{"start": 0.1, "end": 0.5, "name": "x"}] * (MAX_CUTS + 1)},
        422,
        "request_invalid",
    ),
    "text": ({"sounds": "all"}, 422, "request_invalid"),
}


@pytest.mark.parametrize(("choice", "status", "code"), CHOICES.values(), ids=CHOICES)
def test_a_bad_choice_is_refused_and_nothing_of_it_is_kept(client, send, name, ids, choice, status, code):
    upload = send(file_of(kit()), to="uploads").json()
    answer = client.post(f"{API}/models/{name}/uploads/{upload['id']}/sounds", json=choice)
    assert_problem(answer, status, code)
    assert client.get(f"{API}/models/{name}/sounds").json()["count"] == len(ids)


def test_an_unknown_upload_is_not_found(client, name):
    for id in ("0" * 16, "x", "..%2F..", "%00"):
        answer = client.get(f"{API}/models/{name}/uploads/{id}")
        assert answer.status_code == 404


# -- the data check --------------------------------------------------------------------------------


def test_the_check_says_what_is_wrong_with_which_sound(client, send, name):
    clipped = np.clip(8 * tone(), -0.9, 0.9)
    files = [tone(), 0.3 * tone(), clipped, 0.005 * tone(hertz=90)]
    late = np.concatenate([np.zeros(RATE), tone(hertz=500)])
    sounds = send(*(file_of(one, subtype="FLOAT") for one in [*files, late])).json()["sounds"]
    check = client.post(f"{API}/models/{name}/checks", json={}).json()
    assert [one["id"] for one in check["sounds"]] == [one["id"] for one in sounds]
    blip, again, loud, quiet, after = check["sounds"]
    codes = [{warning["code"] for warning in one["warnings"]} - {"unknown"} for one in check["sounds"]]
    assert codes == [set(), set(), {"clipped"}, {"quiet"}, {"late"}]
    assert blip["duplicate_of"] is None
    assert again["duplicate_of"]["id"] == blip["id"]
    assert loud["clipped"] > 0.1
    assert quiet["peak_db"] == pytest.approx(20 * np.log10(np.abs(0.005 * tone(hertz=90)).max()), abs=0.1)
    assert after["leading"] == pytest.approx(1.0, abs=0.01)
    assert blip["pitch"] == pytest.approx(220, rel=0.02)
    assert blip["distance"] == blip["nearest"][0]["distance"]
    assert {one["code"] for one in check["warnings"]} == {"few", "duplicates"}
    assert check["seconds"] == pytest.approx(sum(one["seconds"] for one in check["sounds"]), abs=1e-2)


def test_a_check_may_be_of_some_sounds(client, send, name):
    sounds = send(file_of(tone()), file_of(tone(hertz=700))).json()["sounds"]
    one = client.post(f"{API}/models/{name}/checks", json={"sounds": [sounds[1]["id"]] * 2}).json()
    assert [found["id"] for found in one["sounds"]] == [sounds[1]["id"]]
    none = client.post(f"{API}/models/{name}/checks", json={"sounds": ["u0"]})
    assert_problem(none, 404, "sound_not_found")
    assert_problem(client.post(f"{API}/models/{name}/checks", json={"sounds": []}), 422, "request_invalid")


def test_a_check_may_name_as_many_sounds_as_can_be_kept(client, name):
    ids = [f"u{number}" for number in range(2000)]
    assert_problem(client.post(f"{API}/models/{name}/checks", json={"sounds": ids}), 404, "sound_not_found")


def test_without_uploads_the_check_says_so(client, name):
    check = client.post(f"{API}/models/{name}/checks", json={}).json()
    assert (check["count"], check["sounds"]) == (0, [])
    assert [one["code"] for one in check["warnings"]] == ["few"]


# -- folders as they are ---------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["sounds", "uploads"])
def test_of_a_folder_the_good_files_are_taken_and_the_others_named(send, to):
    names = ["kick.wav", "._kick.wav", "room.wav", "kit/.DS_Store", "Thumbs.db", "bell.wav", "notes.txt"]
    files = [
        file_of(tone()),
        bytes(200),
        file_of(np.zeros(RATE)),
        bytes(6148),
        bytes(9),
        file_of(kit()),
        b"hi",
    ]
    reply = send(*files, names=names, to=to)
    assert reply.status_code == 201, reply.text
    found = reply.json()["sounds" if to == "sounds" else "files"]
    assert [one["name"].removesuffix(".wav") for one in found] == ["kick", "bell"]
    codes = ["skipped", "audio_silent", "skipped", "skipped", "audio_unreadable"]
    assert [(one["file"], one["code"]) for one in reply.json()["refused"]] == list(
        zip([1, 2, 3, 4, 6], codes, strict=True)
    )


def test_of_a_choice_the_good_sounds_are_kept_and_the_others_named(client, send, name):
    upload = send(file_of(tone()), file_of(kit()), to="uploads").json()
    cuts = [(0, 0.0, 0.4, "blip"), (1, 0.0, 0.05, "nothing"), (1, 0.7, 1.2, "tom"), (0, 7.0, 7.5, "nowhere")]
    choice = [dict(zip(("file", "start", "end", "name"), cut, strict=True)) for cut in cuts]
    reply = client.post(f"{API}/models/{name}/uploads/{upload['id']}/sounds", json={"sounds": choice})
    assert reply.status_code == 201, reply.text
    assert [one["name"] for one in reply.json()["sounds"]] == ["blip", "tom"]
    refused = [
        tuple(one[key] for key in ("file", "sound", "name", "code")) for one in reply.json()["refused"]
    ]
    assert refused == [(0, 3, "nowhere", "cut_invalid"), (1, 1, "nothing", "audio_silent")]


NAMES = {
    "a letter and its accent": ("Ga\u0308nseblu\u0308mchen", "G\u00e4nsebl\u00fcmchen"),
    "a joiner between letters": ("\u06a9\u062a\u0627\u0628\u200c\u062e\u0627\u0646\u0647",) * 2,
    "an emoji of three": ("\U0001f469\u200d\U0001f3a4 take",) * 2,
    "joiners that join nothing": ("\u200dkick\u200c \u200d", "kick"),
    "text that would run backwards": ("kick\u202evaw.exe", "kickvaw.exe"),
}


@pytest.mark.parametrize(("came", "becomes"), NAMES.values(), ids=NAMES)
def test_names_are_kept_as_they_are_read(client, send, name, came, becomes):
    (sound,) = send(file_of(tone()), names=[f"{came}.wav"]).json()["sounds"]
    assert sound["name"] == becomes
    renamed = client.patch(f"{API}/models/{name}/sounds/{sound['id']}", json={"name": came})
    assert renamed.json()["name"] == becomes


# -- a hostile corpus ------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_bad_file_is_told_what_is_wrong_and_the_good_one_is_kept(client, send, name, ids, data, code):
    reply = send(file_of(tone()), data, names=["good.wav", "mine.wav"])
    assert reply.status_code == 201, reply.text
    assert [one["name"] for one in reply.json()["sounds"]] == ["good"]
    (refused,) = reply.json()["refused"]
    assert (refused["file"], refused["name"], refused["code"]) == (1, "mine.wav", code)
    assert "mine.wav" in refused["detail"]
    assert client.get(f"{API}/models/{name}/sounds").json()["count"] == len(ids) + 1


@pytest.mark.parametrize(
    ("label", "data", "code"), [(key, *value) for key, value in HOSTILE.items()], ids=HOSTILE
)
def test_a_bad_recording_is_told_what_is_wrong(send, label, data, code):
    answer = send(data, to="uploads", names=["mine.wav"])
    if label == "eleven seconds":
        assert answer.status_code == 201
        return
    assert "mine.wav" in assert_problem(answer, 422, code)["detail"]


def test_192_khz_in_eight_channels_are_kept_and_split(send):
    data = file_of(np.stack([tone(rate=192_000)] * 8, axis=1), rate=192_000, subtype="FLOAT")
    assert send(data).status_code == 201
    assert len(send(data, to="uploads").json()["files"][0]["sounds"]) == 1


@pytest.mark.parametrize("to", ["sounds", "uploads"])
@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF])
def test_a_header_that_claims_gigabytes_costs_no_memory(send, size, to):
    send(file_of(tone()), to=to)  # whatever is made once
    tracemalloc.start()
    try:
        send(wav_header(size) + file_of(tone())[44:], to=to)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 48e6


@pytest.mark.parametrize("level", [1.6, 5e-4], ids=["over full scale", "quiet"])
def test_splitting_holds_a_recording_once_and_its_copy_to_listen_to(level):
    """Beside the file: the recording in single precision, half as many samples at half the rate, and blocks."""
    rate, seconds = 96_000, 16
    second = np.pad(tone(0.3, rate=rate), (0, rate - round(0.3 * rate)))
    data = file_of(level * np.tile(second, seconds), rate=rate, subtype="FLOAT")
    split(None, SplitQuery(Upload("short.wav", file_of(tone())), None))  # whatever is made once
    tracemalloc.start()
    try:
        answer = split(None, SplitQuery(Upload("long.wav", data), None))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.facts.seconds == seconds
    assert peak < 1.5 * 4 * rate * seconds + 6e6


def test_hours_in_a_small_file_cost_bounded_memory(send):
    """Eight hours of silence are some kilobytes of FLAC."""
    import io

    import soundfile

    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(8 * 60):
            file.write(np.zeros(60 * 8000, np.int16))
    assert len(buffer.getvalue()) < 2e6
    tracemalloc.start()
    try:
        answer = send(buffer.getvalue(), to="uploads")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert_problem(answer, 422, "audio_too_long")
    assert peak < 150e6


def test_a_wav_of_64_bit_floats_with_every_kind_of_nonsense_in_its_chunks(send):
    data = bytearray(file_of(tone(), subtype="DOUBLE"))
    at = data.index(b"fmt ")
    for field in (struct.pack("<I", 0), struct.pack("<I", 0xFFFFFFFF)):  # its sample rate
        broken = bytes(data[: at + 12] + field + data[at + 16 :])
        assert_problem(send(broken, to="sounds"), 422, "audio_unreadable")


@pytest.mark.parametrize(
    "name_",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "nul\0byte.wav",
        "a" * 5000,
        " ",
        "snare\r\nX: y.wav",
        "🥁.wav",
        '"',
        ".wav",
    ],
)
@pytest.mark.parametrize("to", ["sounds", "uploads"])
def test_names_of_files_are_only_names(send, name_, to):
    answer = send(file_of(tone()), names=[name_], to=to)
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        found = answer.json()
        name = found["sounds"][0]["name"] if to == "sounds" else found["files"][0]["sounds"][0]["name"]
        assert 1 <= len(name) <= 120
        assert name.isprintable()
        assert not set("/\\\0") & set(name)


@pytest.mark.parametrize("to", ["sounds", "uploads"])
def test_too_much_at_once_is_refused(client, send, to):
    limit = client.get(f"{API}/models").json()["models"][0]["limits"]["upload_bytes"]
    assert_problem(send(bytes(limit), to=to), 413, "upload_too_large")
    blip = file_of(tone(0.05))
    assert_problem(send(*[blip] * 21, to=to), 422, "request_invalid")


def test_json_is_limited_where_files_are_not(client, name):
    body = b'{"name": "x", "point": [' + b"0," * 2_000_000 + b"0]}"
    answer = client.post(
        f"{API}/models/{name}/sounds", content=body, headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 413, "upload_too_large")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"point=1", "application/x-www-form-urlencoded", 415),
        (b"RIFF", "audio/wav", 415),
        (b"", "", 400),
        (b"\xff\xfe", "application/json", 400),
    ],
)
def test_what_is_neither_json_nor_a_form_is_refused(client, name, body, media_type, status):
    answer = client.post(f"{API}/models/{name}/sounds", content=body, headers={"Content-Type": media_type})
    assert answer.status_code in (status, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
