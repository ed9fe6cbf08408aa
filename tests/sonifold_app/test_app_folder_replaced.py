"""Another folder in the data folder's place: every request is told, and nothing in it changes."""

from __future__ import annotations

import shutil

import pytest
from app_checks import API, assert_problem, file_of, renamed_pack, tone
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.settings import Settings


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("replaced") / "data"


@pytest.fixture(scope="module")
def served(data, small_models, small_engine_of):
    app = create_app(Settings(data=data, models=small_models), small_engine_of())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def stored(served, data, name, small_model):
    """Something of each kind: a user sound, a model, a morph in the cache."""
    url = f"{API}/models/{name}"
    files = [("files", ("n.wav", file_of(tone())))]
    assert (
        served.post(f"{API}/models", files={"file": ("k.zip", renamed_pack(served, name))}).status_code == 201
    )
    ids = small_model.library.ids
    morph = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"], "steps": 2}
    (rendered,) = served.post(f"{url}/morphs", json=morph).json()["morphs"]
    return {
        "sound": served.post(f"{url}/sounds", files=files).json()["sounds"][0]["id"],
        "morph": morph,
        "fresh": morph | {"anchors": morph["anchors"][::-1]},
        "audio": rendered["audio"]["url"],
        "pack": renamed_pack(served, name, "third"),
    }


def contents(folder):
    """All that is in a folder, and when it was changed."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else None,
        )
        for path in (folder, *folder.rglob("*"))
    }


def empty(folder, _):
    folder.mkdir()


def another(folder, _):
    (folder / "library").mkdir(parents=True)


def copy(folder, original):
    shutil.copytree(original, folder)
    (folder / "cache" / "unknown").mkdir()


@pytest.mark.parametrize("put_in_place", [empty, another, copy])
def test_nothing_changes_in_a_folder_that_took_the_data_folders_place(
    served, stored, data, name, put_in_place
):
    url = f"{API}/models/{name}"
    aside = data.rename(data.with_name("aside"))
    try:
        put_in_place(data, aside)
        before = contents(data)
        files = [("files", ("n.wav", file_of(tone(hertz=300))))]
        requests = {
            "morph": lambda: served.post(f"{url}/morphs", json=stored["fresh"]),
            "the same morph": lambda: served.post(f"{url}/morphs", json=stored["morph"]),
            "decode": lambda: served.post(
                f"{url}/decodings", json={"positions": [[0.1, 0.1]]}, headers={"Accept": "application/json"}
            ),
            "audio": lambda: served.get(stored["audio"]),
            "audio in another format": lambda: served.get(f"{stored['audio']}?format=flac"),
            "keep": lambda: served.post(f"{url}/sounds", files=files),
            "upload": lambda: served.post(f"{url}/uploads", files=files),
            "adapt": lambda: served.post(f"{url}/adaptations", json={"sounds": [stored["sound"]]}),
            "import": lambda: served.post(f"{API}/models", files={"file": ("k.zip", stored["pack"])}),
            "delete a sound": lambda: served.delete(f"{url}/sounds/{stored['sound']}"),
        }
        if put_in_place is copy:
            requests |= {
                "rename a model": lambda: served.patch(f"{API}/models/another", json={"title": "lost"}),
                "delete a model": lambda: served.delete(f"{API}/models/another"),
            }
        for what, ask in requests.items():
            reply = ask()
            assert reply.status_code == 503, f"{what}: {reply.text}"
            problem = assert_problem(reply, 503, "storage_unavailable")
            assert "data folder" in problem["detail"], what
            assert reply.headers["retry-after"], what
        sound = served.post(
            f"{url}/decodings", json={"positions": [[0.1, 0.1]]}, headers={"Accept": "audio/wav"}
        )
        assert sound.status_code == 200, "what is kept nowhere is heard all the same"
        assert served.get("/vendor/plotly.min.js").status_code == 200
        assert contents(data) == before
    finally:
        shutil.rmtree(data)
        aside.rename(data)
    assert served.post(f"{url}/morphs", json=stored["morph"]).status_code == 200
    assert served.get(stored["audio"]).status_code == 200
