"""A thousand own sounds in an adapted model: shown at once, in their places soon, and that is paid for once."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import pytest
from app_checks import API, file_of, tone, wait_for
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.engine.answers import Neighbour, PreparedSound
from sonifold_app.settings import Settings
from sonifold_app.store.sounds import NewSound, UserSoundStore

NOTES = [110.0, 150.0, 220.0, 330.0, 440.0, 880.0]


@pytest.fixture
def serve(tmp_path, engine_of):
    def start():
        app = create_app(Settings(data=tmp_path), engine_of())
        return TestClient(app, base_url="http://localhost")

    return start


@pytest.fixture
def keep(name):
    """Keep tones; their ids."""

    def keep(client, notes=NOTES):
        files = [("files", (f"{hertz:.0f}.wav", file_of(tone(hertz=hertz)))) for hertz in notes]
        reply = client.post(f"{API}/models/{name}/sounds", files=files)
        assert reply.status_code == 201, reply.text
        return [one["id"] for one in reply.json()["sounds"]]

    return keep


def adapt(client, name, ids):
    made = client.post(f"{API}/models/{name}/adaptations", json={"sounds": ids})
    assert made.status_code == 201, made.text
    return made.json()["result"]


def table(client, model):
    """The own sounds of a list: id -> (x, y); and how many are provisional."""
    reply = client.get(f"{API}/models/{model}/sounds").json()
    own = [row for row, kind in enumerate(reply["kind"]) if kind in ("made", "uploaded")]
    return {reply["id"][row]: (reply["x"][row], reply["y"][row]) for row in own}, reply["provisional"]


def settled(client, model):
    """The own sounds once all are in their places."""
    places, _ = wait_for(
        lambda: (current := table(client, model))[1] == 0 and current,
        60,
        "some sounds did not come to their places within a minute",
    )
    return places


class Held:
    """Keeps the engine's one computing thread busy while it is open."""

    def __init__(self, client):
        self._batcher = client.app.state.services.engine._batcher
        self._run, self._begun, self._go = self._batcher._run, threading.Event(), threading.Event()

    def __enter__(self):
        def run_or_hold(key, items):
            if key != ("trace", "held"):
                return self._run(key, items)
            self._begun.set()
            assert self._go.wait(60)
            return items

        self._batcher._run = run_or_hold
        self._held = self._batcher.submit(("trace", "held"), None)
        assert self._begun.wait(60)

    def __exit__(self, *_):
        self._go.set()
        self._held.result(60)
        self._batcher._run = self._run


def within(seconds, call):
    """What a call gives; fails where it takes longer."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, f"no answer within {seconds} seconds"
    return results[0]


def test_the_first_list_of_an_adapted_model_waits_for_no_computation(serve, keep, name):
    with serve() as client:
        ids = keep(client)
        base, none = table(client, name)
        assert none == 0
        result = adapt(client, name, ids[:2])
        url = f"{API}/models/{result}/sounds"
        with Held(client):
            places, provisional = within(30, lambda: table(client, result))
            assert (places, provisional) == (base, len(ids))
            library = client.get(url).json()["id"][0]
            for path in (f"{library}/distances", f"{ids[3]}/audio"):
                assert within(30, lambda path=path: client.get(f"{url}/{path}")).status_code == 200
        after = settled(client, result)
        assert after.keys() == base.keys()
        assert after != base
        for id in ids:
            one = client.get(f"{url}/{id}").json()
            assert (one["x"], one["y"]) == after[id]


def test_what_a_question_is_about_is_in_its_place_first(serve, keep, name, monkeypatch):
    with serve() as client:
        ids = keep(client)
        result = adapt(client, name, ids[:2])
        monkeypatch.setattr("sonifold_app.user.reembedding.Reembedding.reembed_behind", lambda *_: None)
        found = client.get(f"{API}/models/{result}/sounds/{ids[0]}").json()
        assert found["z"] != client.get(f"{API}/models/{name}/sounds/{ids[0]}").json()["z"]
        places, provisional = table(client, result)
        assert provisional == len(ids) - 1
        assert places[ids[0]] == (found["x"], found["y"])
        asked = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kind": "linear", "steps": 2}
        (path,) = client.post(f"{API}/models/{result}/paths", json=asked).json()["legs"]
        assert table(client, result)[1] == len(ids) - 2
        start = client.post(f"{API}/models/{result}/atlas/positions", json={"points": [found["z"]]}).json()[
            "positions"
        ]
        np.testing.assert_allclose(path["map"][0], start[0], atol=1e-3)


def test_places_outlive_a_restart_and_go_with_the_adaptation_and_the_sound(serve, keep, name, tmp_path):
    def kept_places():
        with sqlite3.connect(tmp_path / "library" / "library.sqlite") as file:
            rows = file.execute("SELECT sound FROM settled_places").fetchall()
        file.close()
        return {sound for (sound,) in rows}

    with serve() as client:
        ids = keep(client)
        result = adapt(client, name, ids[:2])
        places = settled(client, result)
        assert kept_places() == set(ids)
    with serve() as client:
        with Held(client):
            assert table(client, result) == (places, 0)
        client.delete(f"{API}/models/{name}/sounds/{ids[5]}")
        assert kept_places() == set(ids[:5])
        assert client.delete(f"{API}/models/{result}").status_code == 204
        assert kept_places() == set()


def recording_of(client, name, id, data):
    """The file of a sound's recording in the data folder."""
    audio = client.app.state.services.user_sounds.store.some(name, {id})[id].audio
    return data / "library" / "sounds" / audio[:2] / audio[2:]


def test_a_sound_whose_recording_was_away_comes_to_its_place_once_it_is_back(serve, keep, name, tmp_path):
    with serve() as client:
        ids = keep(client)
        base, _ = table(client, name)
        file = recording_of(client, name, ids[5], tmp_path)
        aside = file.rename(tmp_path / "aside")
        result = adapt(client, name, ids[:2])
        without = settled(client, result)  # nothing is provisional while nobody looks for anything
        assert without[ids[5]] == base[ids[5]]
        assert without[ids[4]] != base[ids[4]]
        aside.rename(file)
        back = settled(client, result)
        assert back[ids[5]] != base[ids[5]]
        assert {id: back[id] for id in ids[:5]} == {id: without[id] for id in ids[:5]}
        single = client.get(f"{API}/models/{result}/sounds/{ids[5]}").json()
        assert (single["x"], single["y"]) == back[ids[5]]


def test_sounds_of_a_pack_that_has_changed_are_listed_at_once_and_found_anew_behind(
    serve, keep, name, tmp_path
):
    with serve() as client:
        ids = keep(client)
        before = table(client, name)[0]
    with sqlite3.connect(tmp_path / "library" / "library.sqlite") as file:
        file.execute("UPDATE kept_sounds SET pack = 'older', z = zeroblob(8), x = 99")
    file.close()
    with serve() as client:
        with Held(client):
            places, provisional = within(30, lambda: table(client, name))
        assert provisional == len(ids)
        assert {x for x, _ in places.values()} == {99}
        library = client.get(f"{API}/models/{name}/sounds").json()["id"][0]
        near = client.get(f"{API}/models/{name}/sounds/{library}/neighbours?distance=euclidean")
        assert near.status_code == 200, near.text
        after = settled(client, name)
    assert after.keys() == before.keys()
    for id, place in after.items():
        assert place == pytest.approx(before[id], abs=0.05)


# -- many --------------------------------------------------------------------------------------


@pytest.fixture
def crowd(tmp_path, model, client, name):
    """A data folder with 2,050 own sounds of the model, each somewhere else."""
    engine = client.app.state.services.engine
    pack = client.portal.call(engine.catalogue, 60).models[name].pack
    kept = UserSoundStore(tmp_path / "library")
    uploads = client.post(
        f"{API}/models/{name}/sounds", files=[("files", ("a.wav", file_of(tone())))]
    ).json()["sounds"]
    audio = client.get(uploads[0]["audio_url"] + "?format=flac").content
    client.delete(f"{API}/models/{name}/sounds/{uploads[0]['id']}")
    z = model.library.z[: len(model.library.ids)].numpy()
    timbre = model.library.timbre.numpy()

    def prepared(row):
        at = row % len(z)
        near = (Neighbour(id=model.library.ids[at], distance=0.0),)
        position = (float(row), 0.0)
        return PreparedSound(
            "x", 0.5, z[at] + 0.01, position, True, near, timbre[at] + 1e-4, audio, None, {}, ()
        )

    new = [NewSound("uploaded", f"sound {row}", prepared(row), {}) for row in range(2050)]
    ids = [one.id for one in kept.add(name, pack, new)]
    kept.close()
    return ids


def test_more_than_two_thousand_sounds_are_listed_compared_and_checked(serve, crowd, name, ids):
    with serve() as client:
        url = f"{API}/models/{name}/sounds"
        listed = client.get(url).json()
        assert listed["id"] == [*ids, *crowd]
        assert listed["x"][-1] == 2049
        away = client.get(f"{url}/{crowd[7]}/distances").json()["distances"]
        assert len(away) == len(ids) + len(crowd)
        assert np.argsort(away[: len(ids)])[0] == 7 % len(ids)
        for distance in ("perceptual", "euclidean", "geodesic"):
            near = client.get(f"{url}/{ids[3]}/neighbours", params={"distance": distance, "count": 3}).json()
            assert near["neighbours"][0]["id"] in crowd[3 :: len(ids)]
        for asked in ({}, {"sounds": crowd}):
            check = client.post(f"{API}/models/{name}/checks", json=asked)
            assert check.status_code == 200, check.text
            assert check.json()["count"] == len(crowd)
            assert sum(one["duplicate_of"] is not None for one in check.json()["sounds"]) == len(crowd) - 1
        assert client.post(url, files=[("files", ("b.wav", file_of(tone())))]).status_code == 201


def test_what_sounds_are_told_apart_by_is_worked_out_once(serve, keep, name, tmp_path):
    """A second check reads no audio: it finds the same where that is gone."""
    with serve() as client:
        keep(client, [220.0, 330.0, 220.0])
        first = client.post(f"{API}/models/{name}/checks", json={}).json()
        assert [one["duplicate_of"] is not None for one in first["sounds"]] == [False, False, True]
    for file in (tmp_path / "library" / "sounds").glob("*/*"):
        file.unlink()
    with serve() as client:
        assert client.post(f"{API}/models/{name}/checks", json={}).json() == first


def test_a_check_goes_on_where_the_audio_of_a_sound_is_lost(serve, keep, name, tmp_path):
    with serve() as client:
        keep(client, [220.0, 330.0, 220.0])
    files = sorted((tmp_path / "library" / "sounds").glob("*/*"), key=lambda file: file.stat().st_size)
    files[0].unlink()
    with serve() as client:
        check = client.post(f"{API}/models/{name}/checks", json={})
        assert check.status_code == 200, check.text
        assert check.json()["count"] == 3


def test_an_unknown_sound_is_not_checked(client, name):
    reply = client.post(
        f"{API}/models/{name}/checks", json={"sounds": ["u0", *[f"u{n}" for n in range(300)]]}
    )
    assert reply.status_code == 404
    assert reply.json()["code"] == "sound_not_found"
