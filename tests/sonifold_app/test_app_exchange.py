"""Models as files: out of one server and into another the same to the bit, and nothing hostile gets in."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import stat
import time
import zipfile

import numpy as np
import pytest
import torch
from app_checks import API, assert_problem, file_of, samples_of, tone
from safetensors.torch import load, save
from starlette.testclient import TestClient

from sonifold import adapt
from sonifold_app.app import create_app
from sonifold_app.settings import Settings
from sonifold_app.store.folder import bytes_under
from sonifold_app.store.room import Room
from sonifold_app.user import archive
from sonifold_app.user.models import UserModels

KIT = "kit"


@pytest.fixture(scope="module")
def kit(small_model, tmp_path_factory):
    """A pack that has learned three sounds, and the three."""
    library = small_model.library
    sounds = [small_model.encode(library.audio_bytes(id), name=f"mine {id}") for id in library.ids[:3]]
    folder = tmp_path_factory.mktemp("made") / KIT
    adapt.save(adapt.instant(small_model, sounds), folder, "My kit")
    return folder


@pytest.fixture(scope="module")
def data(kit, tmp_path_factory):
    data = tmp_path_factory.mktemp("exchange")
    shutil.copytree(kit, data / "packs" / KIT)
    return data


def serve(data, small_engine_of):
    return TestClient(
        create_app(Settings(data=data), small_engine_of()),
        base_url="http://localhost",
        raise_server_exceptions=False,
    )


@pytest.fixture(scope="module")
def app(data, small_engine_of):
    with serve(data, small_engine_of) as client:
        while KIT not in models(client):
            pass
        yield client


@pytest.fixture(scope="module")
def file(app):
    reply = app.get(f"{API}/models/{KIT}/file")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/zip"
    assert f'filename="{KIT}.sonifold.zip"' in reply.headers["content-disposition"]
    assert int(reply.headers["content-length"]) == len(reply.content)
    return reply.content


@pytest.fixture(scope="module")
def other(tmp_path_factory, small_engine_of):
    """Another server, which has nothing but the library's model."""
    with serve(tmp_path_factory.mktemp("other"), small_engine_of) as client:
        yield client


def models(app):
    return {one["id"]: one for one in app.get(f"{API}/models").json()["models"]}


def take_in(app, data, **how):
    return app.post(f"{API}/models", files={"file": ("kit.sonifold.zip", data, "application/zip")}, **how)


def heard(app, model, point):
    reply = app.post(
        f"{API}/models/{model}/decodings", json={"points": [point]}, headers={"Accept": "audio/wav"}
    )
    return samples_of(reply.content)[0]


def contents(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def archive_of(files, compression=zipfile.ZIP_STORED, sealed=True):
    """An archive of some files, its pack.json made to promise what is there."""
    files = dict(files)
    if sealed:
        config = json.loads(files["pack.json"])
        config["files"] = {
            name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "pack.json"
        }
        files["pack.json"] = json.dumps(config).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, one in files.items():
            archive.writestr(name, one)
    return buffer.getvalue()


def with_config(files, **changes):
    config = json.loads(files["pack.json"])
    for key, value in changes.items():
        config = {**config, key: value}
    return {**files, "pack.json": json.dumps(config).encode()}


def left_over(app):
    """What lies in the imports of a server."""
    folder = app.app.state.services.settings.data / "imports"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_finetuned_model_says_what_it_is_and_which_sounds_it_was_finetuned_on(app, name, small_model, kit):
    ids = small_model.library.ids
    found = models(app)[KIT]
    assert (found["kind"], found["base"], found["title"]) == ("finetuned", name, "My kit")
    table = app.get(f"{API}/models/{KIT}/sounds").json()
    assert table["kind"] == ["library"] * len(ids) + ["finetuned"] * 3
    assert table["name"][-1] == f"mine {ids[2]}"
    assert app.get(f"{API}/models/{KIT}/sounds/{table['id'][-1]}").json()["kind"] == "finetuned"
    assert_problem(app.delete(f"{API}/models/{KIT}/sounds/{table['id'][-1]}"), 403, "sound_not_yours")


def test_a_model_goes_to_another_server_and_sounds_the_same_there(app, other, file, name):
    reply = take_in(other, file)
    assert reply.status_code == 201, reply.text
    assert reply.headers["location"] == f"{API}/models/{KIT}"
    try:
        assert (reply.json()["kind"], reply.json()["base"]) == ("imported", name)
        assert reply.json() | {"kind": "finetuned"} == models(app)[KIT]
        assert models(other)[KIT] == reply.json()
        ids = app.get(f"{API}/models/{KIT}/sounds").json()["id"]
        point = app.get(f"{API}/models/{KIT}/sounds/{ids[-1]}").json()["z"]
        np.testing.assert_array_equal(heard(other, KIT, point), heard(app, KIT, point))
        audio = [one.get(f"{API}/models/{KIT}/sounds/{ids[-1]}/audio").content for one in (app, other)]
        assert audio[0] == audio[1]
        assert other.get(f"{API}/models/{KIT}/file").content == file, (
            "the file is not the same when it goes on"
        )
        assert_problem(take_in(other, file), 409, "model_exists")
    finally:
        assert other.delete(f"{API}/models/{KIT}").status_code == 204
    assert left_over(other) == []
    assert KIT not in models(other)


def test_a_model_that_came_with_the_server_has_a_file_too(client, name):
    reply = client.get(f"{API}/models/{name}/file")
    assert reply.status_code == 200
    assert json.loads(contents(reply.content)["pack.json"])["name"] == name
    assert not list((client.app.state.services.settings.data / "cache").rglob("*.zip"))
    assert_problem(take_in(client, reply.content), 409, "model_exists")


def test_an_adapted_model_has_none(app, name, small_model):
    sound = {"point": small_model.library.z[0].tolist(), "name": "a"}
    own = app.post(f"{API}/models/{name}/sounds", json=sound).json()["id"]
    made = app.post(f"{API}/models/{name}/adaptations", json={"sounds": [own]}).json()["result"]
    assert_problem(app.get(f"{API}/models/{made}/file"), 409, "model_not_a_pack")
    renamed = app.patch(f"{API}/models/{made}", json={"title": "At once"})
    assert renamed.json()["title"] == models(app)[made]["title"] == "At once"
    assert app.delete(f"{API}/models/{made}").status_code == 204


def test_a_title_is_changed_for_good_and_goes_along_in_the_file(app, file, small_engine_of, data):
    before = app.get(f"{API}/models/{KIT}").json()
    renamed = app.patch(f"{API}/models/{KIT}", json={"title": "Käfer"})
    assert renamed.json() == before | {"title": "Käfer"} == models(app)[KIT]
    exported = app.get(f"{API}/models/{KIT}/file").content
    assert json.loads(contents(exported)["pack.json"])["title"] == "Käfer"
    with serve(data, small_engine_of) as again:
        while KIT not in models(again):
            pass
        assert models(again)[KIT]["title"] == "Käfer"
    app.patch(f"{API}/models/{KIT}", json={"title": "My kit"})


@pytest.mark.parametrize("title", ["", "\0", "x" * 121, None, 7])
def test_bad_titles_are_refused(app, title):
    assert_problem(app.patch(f"{API}/models/{KIT}", json={"title": title}), 422, "request_invalid")


def test_the_servers_own_models_cannot_be_renamed_or_deleted(app, name):
    assert_problem(app.patch(f"{API}/models/{name}", json={"title": "x"}), 403, "model_not_yours")
    assert_problem(app.delete(f"{API}/models/{name}"), 403, "model_not_yours")
    assert_problem(app.delete(f"{API}/models/broken"), 403, "model_not_yours")
    assert_problem(app.delete(f"{API}/models/none"), 404, "model_not_found")
    assert_problem(app.get(f"{API}/models/none/file"), 404, "model_not_found")


def link_entry(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def hostile(files):
    """Archives that are no packs, by what is wrong with them."""
    weights, library = load(files["weights.safetensors"]), load(files["library.safetensors"])
    audio = next(name for name in files if name.startswith("audio/"))
    csv = files["library.csv"].decode()
    rows = csv.splitlines(keepends=True)
    first = rows[1].partition(",")[0]
    huge = json.loads(files["pack.json"])["vae"] | {"width": 10**6, "hidden": 10**6}
    metric = json.loads(files["pack.json"])["metric"]
    poisoned = {**weights, next(iter(weights)): torch.full_like(weights[next(iter(weights))], torch.nan)}
    yield "up and out", archive_of({**files, "../evil.txt": b"x"})
    yield "up and out of a folder", archive_of({**files, "audio/../../evil.ogg": b"x"})
    yield "absolute", archive_of({**files, "/etc/evil.txt": b"x"})
    yield "backslashes", archive_of({**files, "..\\evil.txt": b"x"})
    yield "a drive", archive_of({**files, "C:evil.txt": b"x"})
    yield "a null byte", archive_of({**files, "audio/0123456789ab.ogg\0.exe": b"x"})
    yield "an unknown file", archive_of({**files, "setup.py": b"x"})
    yield "a pickle", archive_of({**files, "weights.pt": b"x"})
    yield "a file that is not named", archive_of({**files, "notices/more.txt": b"x"}, sealed=False)
    yield "a file that is not there", archive_of({k: v for k, v in files.items() if k != audio}, sealed=False)
    yield "other bytes than promised", archive_of({**files, "CARD.md": b"x"}, sealed=False)
    yield "no pack.json", archive_of({k: v for k, v in files.items() if k != "pack.json"}, sealed=False)
    yield "pack.json is not JSON", archive_of({**files, "pack.json": b"{"}, sealed=False)
    yield "pack.json is deep", archive_of({**files, "pack.json": b"[" * 100_000}, sealed=False)
    yield "pack.json is a list", archive_of({**files, "pack.json": b"[]"}, sealed=False)
    yield "another format", archive_of(with_config(files, format=99))
    yield "a field too many", archive_of(with_config(files, evil=1))
    yield "a name that is a path", archive_of(with_config(files, name="../kit"))
    yield "a name of another kind", archive_of(with_config(files, name="KIT.gone/"))
    yield "huge networks", archive_of(with_config(files, vae=huge))
    yield (
        "an infinite number",
        archive_of(
            {**files, "pack.json": files["pack.json"].replace(b'"level":', b'"level": 1e999, "x":', 1)},
            sealed=False,
        ),
    )
    yield "a metric that is none", archive_of(with_config(files, metric=metric | {"temperature": -1}))
    yield "an essential file is missing", archive_of({k: v for k, v in files.items() if k != "CARD.md"})
    yield "weights that are not safetensors", archive_of({**files, "weights.safetensors": b"\x80\x04K\x01."})
    yield "a huge header", archive_of({**files, "atlas.safetensors": b"\xff" * 7 + b"\x7f{}"})
    yield "weights that are NaN", archive_of({**files, "weights.safetensors": save(poisoned)})
    yield "weights of other sizes", archive_of({**files, "weights.safetensors": save(library)})
    yield (
        "fewer points than sounds",
        archive_of(
            {**files, "library.safetensors": save({k: v[:-1].contiguous() for k, v in library.items()})}
        ),
    )
    yield "no points", archive_of({**files, "library.safetensors": save({})})
    yield (
        "an id that is a path",
        archive_of({**files, "library.csv": csv.replace(first, "../../../x", 1).encode()}),
    )
    yield "a sound twice", archive_of({**files, "library.csv": (csv + rows[-1]).encode()})
    yield (
        "a family unheard of",
        archive_of({**files, "library.csv": csv.replace(",Kick,", ",Evil,", 1).encode()}),
    )
    yield "labels that are not text", archive_of({**files, "library.csv": b"\xff\xfe\0"})
    yield "audio that is not audio", archive_of({**files, audio: b"x" * 100})
    yield "a card that is a list", archive_of({**files, "card.json": b"[]"})
    yield "not a zip file", b"RIFF" + bytes(1000)
    yield "nothing", b""
    whole = archive_of(files)
    yield "a part of a file", whole[: len(whole) // 2]
    yield "damaged in the middle", whole[:5000] + bytes(64) + whole[5064:]
    buffer = io.BytesIO(whole)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link_entry("notices/link.txt"), "/etc/passwd")
    yield "a link", buffer.getvalue()
    buffer = io.BytesIO(whole)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("CARD.md", "another")
    yield "the same name twice", buffer.getvalue()
    locked = bytearray(whole)
    at = locked.rindex(b"PK\x01\x02")
    locked[at + 8] |= 1
    yield "encrypted", bytes(locked)
    bomb = {"pack.json": files["pack.json"], "card.json": b"[" + b" " * (64 << 20) + b"]"}
    yield "a bomb", archive_of(bomb, zipfile.ZIP_DEFLATED)
    yield "another compression", archive_of({"pack.json": files["pack.json"]}, zipfile.ZIP_LZMA)


def test_nothing_hostile_gets_in_and_nothing_is_left_of_it(other, file):
    before, seen = models(other), 0
    data = other.app.state.services.settings.data
    for what, content in hostile(contents(file)):
        reply = take_in(other, content)
        assert reply.status_code == 422, (what, reply.text)
        problem = assert_problem(reply, 422, "pack_invalid")
        assert len(problem["detail"]) < 600, what
        assert left_over(other) == [], what
        seen += 1
    assert seen > 40
    assert models(other) == before
    assert other.get(f"{API}/models").json()["unusable"][0]["id"] == "broken"
    assert not [path for path in data.parent.rglob("evil*")]
    assert take_in(other, file).status_code == 201, "the same archive, unharmed, is taken"
    assert other.delete(f"{API}/models/{KIT}").status_code == 204


def test_what_is_too_large_is_refused_before_it_is_read(other, file, monkeypatch):
    monkeypatch.setattr(archive, "PACK_BYTES", 1000)
    assert "1,000" in assert_problem(take_in(other, file), 422, "pack_invalid")["detail"]
    monkeypatch.setattr(archive, "MOST_FILES", 10)
    assert "at most 10" in assert_problem(take_in(other, file), 422, "pack_invalid")["detail"]
    too_long = {
        "Content-Length": str(archive.ARCHIVE_BYTES + 1),
        "Content-Type": "multipart/form-data; boundary=x",
    }
    assert_problem(other.post(f"{API}/models", content=b"", headers=too_long), 413, "upload_too_large")
    assert left_over(other) == []


def test_what_is_no_form_with_one_file_is_refused(other, file):
    assert_problem(other.post(f"{API}/models", json={}), 415, "media_type_unsupported")
    assert_problem(other.post(f"{API}/models", files={"files": ("a", b"x")}), 422, "request_invalid")
    two = [("file", ("a", b"x")), ("file", ("b", b"x"))]
    assert_problem(other.post(f"{API}/models", files=two), 422, "request_invalid")


def test_a_server_that_ends_in_the_middle_of_an_import_starts_without_it(tmp_path, small_engine_of, kit):
    for half in (".0123.part", "4567.part"):  # as this version and as an earlier one names it
        shutil.copytree(kit, tmp_path / "imports" / half)
    with serve(tmp_path, small_engine_of) as app:
        while left_over(app):
            pass
        assert KIT not in models(app)
    assert [path.name for path in (tmp_path / "trash").glob("*/*")] == ["4567.part"]


@pytest.mark.parametrize("odd", ["kit.part", "kit.gone"])
def test_a_model_that_an_earlier_version_took_under_an_odd_name_stays(tmp_path, small_engine_of, kit, odd):
    folder = tmp_path / "imports" / odd
    shutil.copytree(kit, folder)
    config = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps(config | {"name": odd}))
    with serve(tmp_path, small_engine_of) as app:
        while odd not in models(app):
            pass
        assert app.get(f"{API}/models/{odd}/file").status_code == 200
        assert app.patch(f"{API}/models/{odd}", json={"title": "Odd"}).json()["title"] == "Odd"
        assert app.delete(f"{API}/models/{odd}").status_code == 204
        assert left_over(app) == []


@pytest.mark.parametrize("odd", ["kit.part", "kit.gone", ".kit", "con", "lpt1.kit", "kit.", "Kit", "-kit"])
def test_a_name_that_means_something_else_is_refused(other, file, odd):
    """To the service, to a system, or to a shell."""
    archive = archive_of(with_config(contents(file), name=odd))
    assert "name" in assert_problem(take_in(other, archive), 422, "pack_invalid")["detail"]
    assert left_over(other) == []


def test_sounds_that_were_kept_with_a_model_move_to_its_base(tmp_path, small_engine_of, kit, name):
    shutil.copytree(kit, tmp_path / "packs" / KIT)
    with serve(tmp_path, small_engine_of) as app:
        while KIT not in models(app):
            pass
        files = [("files", (f"{hertz}.wav", file_of(tone(hertz=hertz)))) for hertz in (220, 330)]
        sounds = app.post(f"{API}/models/{KIT}/sounds", files=files).json()["sounds"]
        heard_before, _ = samples_of(app.get(sounds[0]["audio_url"]).content)
        upload = app.post(f"{API}/models/{KIT}/uploads", files=files[:1]).json()["id"]
        reply = app.delete(f"{API}/models/{KIT}")
        assert reply.status_code == 200
        assert reply.json() == {"sounds_moved": 2, "moved_to": name}
        assert {one["id"] for one in sounds} <= set(app.get(f"{API}/models/{name}/sounds").json()["id"])
        url = f"{API}/models/{name}/sounds/{sounds[0]['id']}"
        np.testing.assert_array_equal(samples_of(app.get(f"{url}/audio").content)[0], heard_before)
        assert len(app.get(url).json()["z"]) == models(app)[name]["latent_dim"]
        assert app.get(f"{API}/models/{name}/uploads/{upload}").status_code == 200


def test_sounds_of_a_model_that_is_not_here_are_adopted_until_it_is(tmp_path, small_engine_of, kit, name):
    shutil.copytree(kit, tmp_path / "packs" / KIT)
    with serve(tmp_path, small_engine_of) as app:
        while KIT not in models(app):
            pass
        files = [("files", ("a.wav", file_of(tone())))]
        id = app.post(f"{API}/models/{KIT}/sounds", files=files).json()["sounds"][0]["id"]
    (tmp_path / "packs" / KIT).rename(tmp_path / "elsewhere")
    for home, others in ((name, []), (KIT, [name])):
        with serve(tmp_path, small_engine_of) as app:
            deadline = time.monotonic() + 30
            while home not in models(app) or id not in app.get(f"{API}/models/{home}/sounds").json()["id"]:
                assert time.monotonic() < deadline, f"not at {home}"
            for other in others:
                assert id not in app.get(f"{API}/models/{other}/sounds").json()["id"]
        if home == name:
            (tmp_path / "elsewhere").rename(tmp_path / "packs" / KIT)


def test_a_damaged_model_of_ones_own_can_be_deleted(tmp_path, small_engine_of, kit):
    shutil.copytree(kit, tmp_path / "packs" / KIT)
    (tmp_path / "packs" / KIT / "weights.safetensors").write_bytes(b"x")
    with serve(tmp_path, small_engine_of) as app:
        while KIT not in [one["id"] for one in app.get(f"{API}/models").json()["unusable"]]:
            pass
        assert app.delete(f"{API}/models/{KIT}").status_code == 204
        assert [one["id"] for one in app.get(f"{API}/models").json()["unusable"]] == ["broken"]


def test_a_model_that_is_deleted_while_its_size_is_looked_at_has_none_and_its_successor_its_own(
    tmp_path, small_engine_of, monkeypatch
):
    folder = tmp_path / "imports" / KIT
    own = UserModels(tmp_path, small_engine_of(), Room(tmp_path / "reserve"))

    def write(size):
        folder.mkdir(parents=True)
        (folder / "pack.json").write_bytes(bytes(size))

    def deleted_meanwhile(looked_at):
        shutil.rmtree(looked_at)
        return bytes_under(looked_at)

    write(10)
    with monkeypatch.context() as patch:
        patch.setattr("sonifold_app.user.models.bytes_under", deleted_meanwhile)
        assert asyncio.run(own.stored_bytes(KIT)) is None
    write(20)
    assert asyncio.run(own.stored_bytes(KIT)) == 20


def test_the_pitch_of_an_own_sound_can_be_corrected(client, name, model, ids):
    url = f"{API}/models/{name}/sounds"
    own = client.post(url, json={"point": model.library.z[0].tolist(), "name": "a"}).json()["id"]
    try:
        tag = client.get(url).headers["etag"]
        assert client.patch(f"{url}/{own}", json={"pitch": 220.5}).json()["pitch"] == 220.5
        assert client.get(url).json()["pitch"][-1] == 220.5
        assert client.get(url).headers["etag"] != tag
        both = client.patch(f"{url}/{own}", json={"name": "b", "pitch": None}).json()
        assert (both["name"], both["pitch"]) == ("b", None)
        for asked in (
            {},
            {"pitch": 0},
            {"pitch": 1e9},
            {"pitch": "a"},
            {"pitch": True},
            {"name": None},
            {"z": []},
        ):
            assert_problem(client.patch(f"{url}/{own}", json=asked), 422, "request_invalid")
        assert client.get(f"{url}/{own}").json() == both
        assert_problem(client.patch(f"{url}/{ids[0]}", json={"pitch": 220.5}), 403, "sound_not_yours")
    finally:
        client.delete(f"{url}/{own}")
