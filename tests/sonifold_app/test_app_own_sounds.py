"""The user's own sounds: kept from the map, found beside the library's, and never lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx2 as httpx
import numpy as np
import pytest
from app_checks import API, assert_problem, file_of, samples_of, tone
from server import started_server
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.engine.answers import PreparedSound
from sonifold_app.engine.operations.sounds import load_user_sound
from sonifold_app.settings import Settings
from sonifold_app.store import sqlite
from sonifold_app.store.database import DatabaseUnusableError
from sonifold_app.store.sounds import NewSound, UserSoundStore
from sonifold_app.store.sqlite import SqliteDatabase


@pytest.fixture
def sounds(name):
    return f"{API}/models/{name}/sounds"


@pytest.fixture
def point(model):
    """A point halfway between two library sounds."""
    return model.library.z[:2].mean(0).tolist()


@pytest.fixture
def own(client, sounds, point):
    """One kept sound, gone again afterwards."""
    reply = client.post(sounds, json={"point": point, "name": "Halfway", "made_with": {"seed": 7}})
    assert reply.status_code == 201, reply.text
    yield reply.json()
    client.delete(f"{sounds}/{reply.json()['id']}")


def test_a_kept_sound_is_told_in_full(client, sounds, own, point, name):
    assert own["kind"] == "made"
    assert own["name"] == "Halfway"
    assert own["family"] == "yours"
    assert own["z"] == pytest.approx(point, abs=1e-6)
    assert own["made_with"]["seed"] == 7
    assert own["created"].endswith("+00:00")
    (place,) = client.post(f"{API}/models/{name}/atlas/positions", json={"points": [point]}).json()[
        "positions"
    ]
    assert [own["x"], own["y"]] == pytest.approx(place, abs=1e-4)
    assert client.get(f"{sounds}/{own['id']}").json() == own


def test_it_sounds_as_what_the_model_makes_of_its_point(client, own, point, model):
    audio, rate = samples_of(client.get(own["audio_url"]).content)
    assert rate == model.sample_rate
    decoded = model.decode(model.library.z[:2].mean(0)[None]).audio[0].numpy()
    np.testing.assert_allclose(audio, decoded, atol=2e-4)
    again, _ = samples_of(client.get(own["decoded_url"]).content)
    np.testing.assert_allclose(again, decoded, atol=2e-4)
    assert client.get(own["audio_url"], params={"format": "ogg"}).headers["content-type"] == "audio/ogg"


def test_the_list_holds_the_library_and_then_the_own_sounds(client, sounds, own, ids):
    table = client.get(sounds).json()
    assert table["count"] == len(ids) + 1
    assert table["id"] == [*ids, own["id"]]
    assert table["kind"] == ["library"] * len(ids) + ["made"]
    assert table["family_names"][table["family"][-1]] == "yours"
    columns = [column for column in table.values() if isinstance(column, list)]
    assert {len(column) for column in columns} == {len(ids) + 1, len(table["family_names"])}
    assert (table["x"][-1], table["y"][-1], table["name"][-1]) == (own["x"], own["y"], own["name"])


def test_the_tag_of_the_list_changes_with_it(client, sounds, point):
    def tag():
        return client.get(sounds).headers["etag"]

    before = tag()
    id = client.post(sounds, json={"point": point, "name": "one"}).json()["id"]
    kept = tag()
    client.patch(f"{sounds}/{id}", json={"name": "two"})
    renamed = tag()
    client.delete(f"{sounds}/{id}")
    assert len({before, kept, renamed}) == 3
    assert tag() == before


def test_it_can_be_renamed_and_deleted(client, sounds, point):
    id = client.post(sounds, json={"point": point, "name": "one"}).json()["id"]
    renamed = client.patch(f"{sounds}/{id}", json={"name": "zwei"})
    assert renamed.json()["name"] == "zwei"
    assert client.get(f"{sounds}/{id}").json() == renamed.json()
    assert client.delete(f"{sounds}/{id}").status_code == 204
    for answer in (
        client.get(f"{sounds}/{id}"),
        client.get(f"{sounds}/{id}/audio"),
        client.delete(f"{sounds}/{id}"),
    ):
        assert_problem(answer, 404, "sound_not_found")
    assert_problem(client.patch(f"{sounds}/{id}", json={"name": "x"}), 404, "sound_not_found")


def test_library_sounds_are_not_the_users_to_change(client, sounds, ids):
    assert_problem(client.delete(f"{sounds}/{ids[0]}"), 403, "sound_not_yours")
    assert_problem(client.patch(f"{sounds}/{ids[0]}", json={"name": "x"}), 403, "sound_not_yours")


def test_it_is_an_anchor_everywhere(client, own, ids, name, point):
    mine, theirs = {"sound": own["id"]}, {"sound": ids[9]}

    def ask(resource, **asked):
        reply = client.post(f"{API}/models/{name}/{resource}", json=asked)
        assert reply.status_code == 200, reply.text
        return reply.json()

    path = ask("paths", anchors=[theirs, mine, theirs], kind="linear", steps=3)
    assert path["legs"][0]["nodes"][-1] == pytest.approx(point, abs=1e-5)
    assert ask("means", anchors=[mine, mine], metric="flat")["point"] == pytest.approx(point, abs=1e-4)
    assert ask("analogies", a=mine, b=mine, c=mine, metric="flat")["point"] == pytest.approx(point, abs=1e-3)
    ask("extrapolations", anchors=[theirs, mine], metric="flat")
    ask("samples", sampler="walk", start=mine, count=2)


def test_a_morph_ends_with_the_very_sound_that_was_kept(client, own, ids, name, model):
    asked = {"anchors": [{"sound": ids[9]}, {"sound": own["id"]}], "kinds": ["linear"], "steps": 2}
    (morph,) = client.post(f"{API}/models/{name}/morphs", json=asked).json()["morphs"]
    heard, _ = samples_of(client.get(morph["audio"]["url"]).content)
    kept, _ = samples_of(client.get(own["audio_url"]).content)
    end = heard[model.sound_samples :]
    error = np.linalg.norm(end - kept) / np.linalg.norm(kept)
    assert error < 0.03


def test_a_sound_that_is_gone_is_no_anchor_though_its_morphs_were_kept(client, sounds, point, ids, name):
    id = client.post(sounds, json={"point": point, "name": "brief"}).json()["id"]
    asked = {"anchors": [{"sound": ids[9]}, {"sound": id}], "kinds": ["linear"], "steps": 2}
    assert client.post(f"{API}/models/{name}/morphs", json=asked).status_code == 200
    client.delete(f"{sounds}/{id}")
    assert_problem(client.post(f"{API}/models/{name}/morphs", json=asked), 404, "sound_not_found")


def test_distances_and_neighbours_know_it(client, sounds, own, ids):
    distance = client.get(f"{sounds}/{own['id']}/distances").json()["distances"]
    assert len(distance) == len(ids) + 1
    assert distance[-1] == pytest.approx(0, abs=1e-3)
    back = client.get(f"{sounds}/{ids[4]}/distances").json()["distances"]
    assert back[-1] == pytest.approx(distance[4], rel=1e-3)
    for kind in ("perceptual", "euclidean", "geodesic"):
        query = {"distance": kind, "count": 12}
        found = client.get(f"{sounds}/{own['id']}/neighbours", params=query).json()["neighbours"]
        assert own["id"] not in {one["id"] for one in found}
        nearest = client.get(f"{sounds}/{found[0]['id']}/neighbours", params={**query, "count": 64}).json()
        mutual = {one["id"]: one["distance"] for one in nearest["neighbours"]}
        assert mutual[own["id"]] == pytest.approx(found[0]["distance"], rel=0.02), kind


BAD = {
    "no point": ({"name": "x"}, "request_invalid"),
    "no name": ({"point": "P"}, "request_invalid"),
    "an empty name": ({"point": "P", "name": ""}, "request_invalid"),
    "a name that cannot be seen": ({"point": "P", "name": "\x00\x07 "}, "request_invalid"),
    "a long name": ({"point": "P", "name": "x" * 121}, "request_invalid"),
    "a short point": ({"point": [0.0], "name": "x"}, "point_invalid"),
    "a point of text": ({"point": ["0"], "name": "x"}, "request_invalid"),
    "a point far out": ({"point": "F", "name": "x"}, "point_invalid"),
    "a story": ({"point": "P", "name": "x", "made_with": {"a": "b" * 5000}}, "request_invalid"),
    "an unknown field": ({"point": "P", "name": "x", "kind": "library"}, "request_invalid"),
    "null": (None, "request_invalid"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD)
def test_bad_requests_are_told_what_is_wrong_and_keep_nothing(client, sounds, point, model, body, code):
    if body and isinstance(body.get("point"), str):
        body = {**body, "point": point if body["point"] == "P" else [1e30] * model.latent_dim}
    before = client.get(sounds).json()["count"]
    assert_problem(client.post(sounds, json=body), 422, code)
    assert client.get(sounds).json()["count"] == before


@pytest.mark.parametrize(
    "name_",
    ["../../etc/passwd", "nul\0byte", "'; DROP TABLE kept_sounds; --", "🥁", "<script>", "\u202egnp.wav"],
)
def test_names_are_only_names(client, sounds, point, name_):
    id = client.post(sounds, json={"point": point, "name": name_}).json()["id"]
    kept = client.get(f"{sounds}/{id}").json()["name"]
    assert kept == "".join(c for c in name_ if c.isprintable())
    assert client.delete(f"{sounds}/{id}").status_code == 204


def test_sounds_kept_at_the_same_time_are_all_kept(client, sounds, point, ids):
    with ThreadPoolExecutor(8) as pool:
        asked = [{"point": point, "name": f"sound {i}"} for i in range(12)]
        kept = [answer.json()["id"] for answer in pool.map(lambda one: client.post(sounds, json=one), asked)]
        assert len(set(kept)) == 12
        assert set(client.get(sounds).json()["id"][len(ids) :]) == set(kept)
        gone = list(pool.map(lambda id: client.delete(f"{sounds}/{id}").status_code, kept * 2))
    assert sorted(gone) == [204] * 12 + [404] * 12
    assert client.get(sounds).json()["count"] == len(ids)


# -- what lasts ----------------------------------------------------------------------------------


def prepared(model, seed: int = 0) -> PreparedSound:
    numbers = np.random.default_rng(seed).normal(size=model.latent_dim).astype(np.float32)
    return PreparedSound(
        "x", 0.5, numbers, (0.0, 0.0), True, (), numbers[:4], b"audio %d" % seed, None, {}, ()
    )


def test_own_sounds_survive_the_app(tmp_path, engine_of, sounds, point):
    lists = []
    for run in range(2):
        app = create_app(Settings(data=tmp_path), engine_of())
        with TestClient(app, base_url="http://localhost") as client:
            if run == 0:
                id = client.post(sounds, json={"point": point, "name": "lasting"}).json()["id"]
            lists.append(client.get(sounds).content)
            audio = client.get(f"{sounds}/{id}/audio")
            assert audio.status_code == 200
    assert lists[0] == lists[1]


def test_deleting_the_cache_loses_no_own_sound(tmp_path, engine_of, sounds, point):
    import shutil

    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        id = client.post(sounds, json={"point": point, "name": "lasting"}).json()["id"]
    shutil.rmtree(tmp_path / "cache")
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        assert client.get(f"{sounds}/{id}/audio").status_code == 200


def test_audio_goes_with_the_last_sound_that_has_it(tmp_path, model):
    kept = UserSoundStore(tmp_path / "library")
    new = NewSound("made", "x", prepared(model), {})
    one, two = kept.add("m", "p", [new, new])
    assert kept.remove("m", one.id)
    assert kept.audio(two) == b"audio 0"
    assert not kept.remove("other", two.id)
    assert kept.remove("m", two.id)
    assert kept.audio(two) is None
    kept.close()


def test_audio_that_a_crash_left_without_a_row_goes_to_the_trash(tmp_path, model):
    kept = UserSoundStore(tmp_path / "library")
    sound, other = kept.add("m", "p", [NewSound("made", "x", prepared(model, n), {}) for n in range(2)])
    stale = kept._audio.put(b"stale")
    for one in (stale, sound.audio, other.audio):
        os.utime(tmp_path / "library" / "sounds" / one[:2] / one[2:], (1, 1))
    kept.close()
    again = UserSoundStore(tmp_path / "library")
    again.tidy()
    assert again.audio(sound) == b"audio 0"
    (trashed,) = (tmp_path / "trash").glob("*/*")
    assert trashed.name == stale
    assert trashed.read_bytes() == b"stale"
    again.close()


def test_all_or_none_of_several_are_kept(tmp_path, model, monkeypatch):
    kept = UserSoundStore(tmp_path / "library")
    monkeypatch.setattr("secrets.token_hex", lambda _: "same")  # the second row breaks the key
    with pytest.raises(Exception, match="UNIQUE"):
        kept.add("m", "p", [NewSound("made", "x", prepared(model), {})] * 2)
    assert kept.all("m") == []
    kept.close()


def test_a_sound_kept_with_another_pack_of_the_name_is_found_anew(tmp_path, engine_of, sounds, model, ids):
    """Its point meant something else; its audio means what it meant."""
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        point = model.library.z[3].tolist()
        id = client.post(sounds, json={"point": point, "name": "old"}).json()["id"]
    with sqlite3.connect(tmp_path / "library" / "library.sqlite") as file:
        file.execute("UPDATE kept_sounds SET pack = 'older', z = zeroblob(8), x = 99")
    file.close()
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost") as client:
        found = client.get(f"{sounds}/{id}").json()
        distance = client.get(f"{sounds}/{id}/distances").json()["distances"]
    assert len(found["z"]) == model.latent_dim
    assert found["x"] != 99
    assert np.argmin(distance[: len(ids)]) == 3


# -- the database --------------------------------------------------------------------------------


def version_of(path):
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return version


def test_an_older_file_is_brought_up_to_date_and_copied_first(tmp_path, model, monkeypatch):
    kept = UserSoundStore(tmp_path / "library")
    (sound,) = kept.add("m", "p", [NewSound("made", "x", prepared(model), {})])
    kept.close()
    path, version = tmp_path / "library" / "library.sqlite", len(sqlite.MIGRATIONS)
    later = (*sqlite.MIGRATIONS, ("ALTER TABLE kept_sounds ADD COLUMN note TEXT DEFAULT ''",))
    monkeypatch.setattr(sqlite, "MIGRATIONS", later)
    again = UserSoundStore(tmp_path / "library")
    (found,) = again.some("m", {sound.id}).values()
    assert replace(found, z=0, timbre=0) == replace(sound, z=0, timbre=0)
    again.close()
    assert version_of(path) == version + 1
    assert version_of(tmp_path / "library" / f"library.v{version}.sqlite") == version


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    SqliteDatabase(tmp_path / "l.sqlite").close()
    version = len(sqlite.MIGRATIONS)
    broken = (*sqlite.MIGRATIONS, ("CREATE TABLE extra (id)", "nonsense"))
    monkeypatch.setattr(sqlite, "MIGRATIONS", broken)
    with pytest.raises(DatabaseUnusableError, match="nonsense"):
        SqliteDatabase(tmp_path / "l.sqlite")
    assert version_of(tmp_path / "l.sqlite") == version
    connection = sqlite3.connect(tmp_path / "l.sqlite")
    assert not connection.execute("SELECT * FROM sqlite_master WHERE name = 'extra'").fetchall()
    connection.close()


def test_a_newer_or_damaged_file_is_refused_with_a_sentence(tmp_path):
    SqliteDatabase(tmp_path / "new.sqlite").close()
    connection = sqlite3.connect(tmp_path / "new.sqlite")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(DatabaseUnusableError, match="newer Sonifold"):
        SqliteDatabase(tmp_path / "new.sqlite")
    (tmp_path / "bad.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(DatabaseUnusableError, match="restore it"):
        SqliteDatabase(tmp_path / "bad.sqlite")
    assert (tmp_path / "bad.sqlite").read_bytes() == b"this is no database" * 100


WRITER = """
import sys
from pathlib import Path
import numpy as np
from sonifold_app.engine.answers import PreparedSound
from sonifold_app.engine.operations.sounds import load_user_sound
from sonifold_app.store.sounds import UserSoundStore, NewSound
kept = UserSoundStore(Path(sys.argv[1]))
z = np.zeros(4, np.float32)
for i in range(100_000):
    sound = PreparedSound("x", 1.0, z, (0, 0), True, (), z, b"%d " % i * 5000, None, {}, ())
    new = NewSound("uploaded", str(i), sound, {})
    (sound,) = kept.add("m", "p", [new])
    print(sound.id, flush=True)
"""


@pytest.mark.long
def test_what_was_answered_before_a_kill_is_there_after_it(tmp_path):
    """A writer is killed (-9) in the middle of its writing, ten times: each sound that it told of is whole."""
    told = []
    for run in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "library")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(3 + 2 * run)]
        time.sleep(0.003 * run)  # so that it is killed at another place each time
        writer.send_signal(signal.SIGKILL)
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
    kept = UserSoundStore(tmp_path / "library")
    found = {sound.id: sound for sound in kept.all("m")}
    assert set(told) <= set(found)
    for sound in found.values():
        assert kept.audio(sound) == f"{sound.name} ".encode() * 5000
    kept.close()


def test_a_server_killed_and_started_again_has_the_sounds(tmp_path, small_models, point, sounds):
    """The real thing: ``sonifold serve`` in a process of its own, killed (-9)."""
    kept: list[str] = []
    for _ in range(2):
        with (
            started_server(DATA=str(tmp_path), MODELS=str(small_models)) as (address, server),
            httpx.Client(base_url=address, timeout=60) as client,
        ):
            listed = client.get(sounds).json()
            made = [id for id, kind in zip(listed["id"], listed["kind"], strict=True) if kind == "made"]
            assert made == kept
            for id in kept:
                assert client.get(f"{sounds}/{id}/audio").status_code == 200
            for i in range(3):
                kept.append(client.post(sounds, json={"point": point, "name": str(i)}).json()["id"])
            os.kill(server, signal.SIGKILL)
    assert len(kept) == 6


def test_a_corrected_pitch_is_the_one_that_a_morph_registers_with(client, sounds, name, model):
    files = [("files", (f"{hertz}.wav", file_of(tone(hertz=hertz)))) for hertz in (220, 330)]
    ids = [sound["id"] for sound in client.post(sounds, files=files).json()["sounds"]]
    store = client.app.state.services.user_sounds.store

    def ends():
        rows = store.some(name, set(ids))
        return [load_user_sound(model, rows[id].plain(store.audio(rows[id]))) for id in ids]

    assert [end.pitch_hz for end in ends()] == [None, None], "what was heard is a guess"
    for id, hertz in zip(ids, (100.0, 400.0), strict=True):
        assert client.patch(f"{sounds}/{id}", json={"pitch": hertz}).status_code == 200
    first, last = ends()
    assert (first.pitch_hz, last.pitch_hz) == (100, 400)
    assert model.renderer.crossing(first, last).interval == 2  # octaves
    for id in ids:
        client.delete(f"{sounds}/{id}")
