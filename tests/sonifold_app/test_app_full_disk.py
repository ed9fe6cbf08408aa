"""A disk that is full, read-only or gone: told as such on every route, deleting makes room, and it passes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import pytest
import torch
from app_checks import API, assert_problem, file_of, renamed_pack, tone
from disks import fill, remount, small_disk
from starlette.testclient import TestClient

from sonifold.tensor_files import save_tensors
from sonifold.vae.checkpoint import save_checkpoint
from sonifold_app.app import create_app
from sonifold_app.jobs import worker
from sonifold_app.settings import Settings
from sonifold_app.store.blobs import Blobs
from sonifold_app.store.derived import DerivedStore
from sonifold_app.store.failures import StoreFullError
from sonifold_app.store.folder import BoundedFolder
from sonifold_app.store.room import RESERVE_BYTES, Room
from sonifold_app.store.sqlite import SqliteDatabase

SERVE = (
    "from sonifold_app.serve import ServeError, serve\n"
    "from sonifold_app.settings import Settings\n"
    "try: serve(Settings())\n"
    "except ServeError as error: raise SystemExit(str(error))\n"
)


def start(data, models, port=0, wait=True):
    """A server process without models; with ``wait``, what it says when it does not start."""
    environment = {
        **os.environ, "SONIFOLD_DATA": str(data), "SONIFOLD_MODELS": str(models), "SONIFOLD_PORT": str(port),
        "SONIFOLD_BROWSER": "false",
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not wait:
        return process
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return said


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "8M") as folder:
        yield folder


@pytest.fixture
def served(disk, engine_of):
    app = create_app(Settings(data=disk), engine_of())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def keep(client, name, count):
    files = [("files", (f"{n}.wav", file_of(tone(hertz=200 + 10 * n)))) for n in range(count)]
    return [one["id"] for one in client.post(f"{API}/models/{name}/sounds", files=files).json()["sounds"]]


def test_on_a_full_disk_nothing_is_our_mistake_and_everything_can_be_deleted(disk, served, name, ids):
    own = keep(served, name, 6)
    url = f"{API}/models/{name}"
    upload = served.post(f"{url}/uploads", files=[("files", ("u.wav", file_of(tone())))]).json()["id"]
    assert served.get("/readyz").status_code == 200
    filler = fill(disk)
    assert "full" in assert_problem(served.get("/readyz"), 503, "not_ready")["parts"]["storage"]

    files = [("files", ("n.wav", file_of(tone(1.0))))]
    several = {
        "keep": lambda: served.post(f"{url}/sounds", files=files),
        "upload": lambda: served.post(f"{url}/uploads", files=files),
        "rename": lambda: served.patch(f"{url}/sounds/{own[0]}", json={"name": "x" * 100}),
        "adapt": lambda: served.post(f"{url}/adaptations", json={"sounds": own[:2]}),
        "refine": lambda: served.post(f"{url}/finetunes", json={"sounds": own[:2], "title": "Kit"}),
        "morph": lambda: served.post(
            f"{url}/morphs", json={"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "kinds": ["linear"]}
        ),
        "decode": lambda: served.post(
            f"{url}/decodings", json={"positions": [[0.1, 0.1]]}, headers={"Accept": "application/json"}
        ),
        "import": lambda: served.post(f"{API}/models", files={"file": ("k.zip", renamed_pack(served, name))}),
    }
    for what, ask in several.items():
        for _ in range(3):
            fill(disk)  # what gave way is taken too
            reply = ask()
            if reply.status_code >= 400:
                assert_problem(reply, 507, "storage_full")
                break
        else:
            assert what in ("rename", "refine"), f"{what} needs room"
    assert served.get(f"{url}/file").status_code == 200, "to export a model takes no room"
    assert set(own) <= set(served.get(f"{url}/sounds").json()["id"])

    fill(disk)
    assert served.delete(f"{url}/uploads/{upload}").status_code == 204
    for id in own[1:]:
        fill(disk)
        assert served.delete(f"{url}/sounds/{id}").status_code == 204
    assert served.get(f"{url}/sounds/{own[0]}/audio").status_code == 200
    assert not [path for path in disk.rglob("*.part")], "something half-written is left"

    filler.unlink()
    assert served.patch(f"{url}/sounds/{own[0]}", json={"name": "after"}).json()["name"] == "after"
    assert len(keep(served, name, 2)) == 2
    assert served.get("/readyz").status_code == 200
    assert (disk / "library" / "reserve").stat().st_size == RESERVE_BYTES


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, small_engine_of, small_models, name):
    """A server with one of everything that a user can make, on a disk of its own: a client, the disk, addresses."""
    with small_disk(tmp_path_factory.mktemp("furnished") / "disk", "64M") as disk:
        app = create_app(Settings(data=disk, models=small_models), small_engine_of())
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            model = f"{API}/models/{name}"
            own = keep(client, name, 4)
            ids = client.get(f"{model}/sounds").json()["id"]
            adaptation = client.post(f"{model}/adaptations", json={"sounds": own[:2]}).json()["result"]
            upload = client.post(f"{model}/uploads", files=[("files", ("u.wav", file_of(tone())))]).json()[
                "id"
            ]
            imported = client.post(f"{API}/models", files={"file": ("k.zip", renamed_pack(client, name))})
            assert imported.status_code == 201, imported.text
            jobs = app.state.services.jobs.store
            job = jobs.create(name, "Kit", {"sounds": own, "kept_with": name, "config": {}}).id
            jobs.cancel(job)
            question = {
                "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
                "pairs": [{"start": ids[0], "end": ids[1]}],
                "trials": 8,
            }
            test = (
                f"{API}/listening-tests/{client.post(f'{API}/listening-tests', json=question).json()['id']}"
            )
            while client.get(test).json()["state"] == "preparing":
                time.sleep(0.05)
            addresses = {
                "adaptation": f"{API}/models/{adaptation}",
                "job": f"{API}/jobs/{job}",
                "listening test": test,
                "upload": f"{model}/uploads/{upload}",
                "sound": f"{model}/sounds/{own[0]}",
                "model": imported.headers["location"],
            }
            yield client, disk, addresses


def test_a_listening_test_that_finds_no_room_says_so_and_is_rendered_later(furnished, monkeypatch):
    client, disk, addresses = furnished
    monkeypatch.setattr("sonifold_app.user.listening.RETRY_SECONDS", 0.0)
    question = client.get(addresses["listening test"]).json()["request"]
    filler = fill(disk)
    os.truncate(filler, filler.stat().st_size - 64 * 1024)  # for its row
    test = f"{API}/listening-tests/{client.post(f'{API}/listening-tests', json=question).json()['id']}"
    while (found := client.get(test).json())["error"] is None:
        assert found["state"] == "preparing"
        fill(disk)
        time.sleep(0.05)
    assert found["state"] == "preparing"
    assert "full" in found["error"]
    filler.unlink()
    while client.get(test).json()["state"] == "preparing":
        time.sleep(0.05)
    assert client.get(test).json()["error"] is None


def test_on_a_full_disk_everything_is_read_and_heard_and_deleting_makes_room(furnished, name, ids):
    client, disk, addresses = furnished
    model, sound = f"{API}/models/{name}", addresses["sound"]
    fill(disk)
    for path in (
        f"{API}/models", f"{API}/jobs", f"{API}/listening-tests", model, f"{model}/sounds", f"{model}/atlas",
        f"{model}/adaptations", f"{model}/uploads", f"{model}/sounds/{ids[0]}/audio?format=ogg",
        f"{model}/sounds/{ids[0]}/decoded", f"{addresses['adaptation']}/sounds",
        f"{addresses['adaptation']}/sounds/{ids[0]}/decoded?format=flac", f"{sound}/audio", f"{sound}/decoded",
        f"{sound}/neighbours", f"{sound}/distances", f"{addresses['upload']}/files/0/audio?format=ogg",
        f"{addresses['listening test']}/results", *addresses.values(),
    ):  # fmt: skip
        reply = client.get(path)
        assert reply.status_code == 200, (path, reply.text[:300])
        fill(disk)  # what gave way for it
    for what, address in addresses.items():
        fill(disk)
        reply = client.delete(address)
        assert reply.status_code in (200, 204), (what, reply.text)
        assert client.get(address).status_code == 404, what
    assert len(keep(client, name, 1)) == 1, "there is room now"


def test_the_cache_gives_way_to_what_is_kept(disk):
    room = Room(disk / "reserve")
    cache = BoundedFolder(disk / "cache" / "blobs", 1 << 30, room=room)
    keys = [f"{n:064x}" for n in range(5)]
    for key in keys:
        cache.put(key, bytes(1 << 20))
    cache.get(keys[0])
    fill(disk)
    room.write(lambda: (disk / "kept").write_bytes(bytes(1 << 20)), 1 << 20)
    assert (disk / "kept").stat().st_size == 1 << 20
    assert [key in cache for key in keys] == [True, False, False, True, True], "longest unused first"
    blobs = Blobs(cache)
    fill(disk)
    assert blobs.get(blobs.put(b"sound" * 200_000)) == b"sound" * 200_000, "to itself too"
    with pytest.raises(StoreFullError):
        room.write(lambda: (disk / "large").write_bytes(bytes(20 << 20)), 20 << 20)


def test_what_can_be_worked_out_again_is_not_missed(disk):
    """A list that is asked for on a full disk comes all the same."""
    database = SqliteDatabase(disk / "library.sqlite", room=Room(disk / "reserve"))
    derived = DerivedStore(database)
    derived.keep_fingerprints({"a": bytes(1000)})
    fill(disk)
    derived.keep_fingerprints({f"{n}": bytes(100_000) for n in range(20)})
    assert derived.fingerprints(["a", "0"]) == {"a": bytes(1000)}
    database.close()


def test_a_start_on_a_full_disk_goes_on_from_the_reserve(disk, engine_of, name):
    with TestClient(create_app(Settings(data=disk), engine_of()), base_url="http://localhost") as client:
        (own,) = keep(client, name, 1)
    fill(disk)
    with TestClient(create_app(Settings(data=disk), engine_of()), base_url="http://localhost") as client:
        fill(disk)
        assert client.get(f"{API}/models/{name}/sounds/{own}/audio").status_code == 200
        assert client.delete(f"{API}/models/{name}/sounds/{own}").status_code == 204


def test_a_start_without_any_room_says_so(disk, tmp_path):
    fill(disk)
    said = start(disk, tmp_path)
    assert "full" in said
    assert "damaged" not in said


def test_a_start_on_a_read_only_disk_says_so(disk, engine_of, name, tmp_path):
    with TestClient(create_app(Settings(data=disk), engine_of()), base_url="http://localhost") as client:
        keep(client, name, 1)
    remount(disk, "ro")
    said = start(disk, tmp_path)
    assert "read-only" in said.lower()
    assert "SONIFOLD_DATA" in said
    assert "damaged" not in said


def test_a_data_folder_that_is_moved_away_is_told_and_nothing_is_written_into_it(tmp_path, engine_of, name):
    data = tmp_path / "data"
    app = create_app(Settings(data=data), engine_of())
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        (own,) = keep(client, name, 1)
        url = f"{API}/models/{name}"
        aside = data.rename(tmp_path / "aside")
        for there in ("gone", "another one"):
            if there == "another one":
                (data / "library").mkdir(parents=True)
            for reply in (
                client.patch(f"{url}/sounds/{own}", json={"name": "lost"}),
                client.post(f"{url}/finetunes", json={"sounds": [own], "title": "lost"}),
                client.post(f"{url}/sounds", files=[("files", ("n.wav", file_of(tone())))]),
                client.get(f"{url}/sounds/{own}/audio"),
            ):
                problem = assert_problem(reply, 503, "storage_unavailable")
                assert "elete" not in problem["detail"]
            assert (
                "data folder" in assert_problem(client.get("/readyz"), 503, "not_ready")["parts"]["storage"]
            )
        assert [path.name for path in data.rglob("*") if path.is_file()] == []
        (data / "library").rmdir()
        data.rmdir()
        aside.rename(data)
        assert client.get(f"{url}/sounds/{own}").json()["name"] != "lost"
        assert client.get(f"{url}/sounds/{own}/audio").status_code == 200
        parts = client.get("/readyz").json().get("parts", {})  # the jobs look again a little later
        assert "storage" not in parts


def test_a_checkpoint_and_a_pack_that_find_no_room_say_so_as_any_file_does(tmp_path):
    """A fine-tune waits for room then; for another error it would be given up."""
    network = torch.nn.Linear(400, 400)
    with small_disk(tmp_path / "disk", "256k") as disk:
        checkpoint = disk / "checkpoint.safetensors"
        for save in (
            lambda: save_checkpoint(checkpoint, "run", network, torch.optim.Adam(network.parameters()), {}),
            lambda: save_tensors(disk / "weights.safetensors", network.state_dict()),
        ):
            with pytest.raises(OSError, match="No space left") as caught:
                save()
            assert caught.value.errno == errno.ENOSPC
            assert worker.passes(caught.value)
            assert list(disk.iterdir()) == []


@pytest.mark.long
def test_a_second_server_on_a_data_folder_is_refused(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    first = start(tmp_path / "data", models, wait=False)
    try:
        assert "Sonifold is at" in first.stdout.readline()
        said = start(tmp_path / "data", models)
        assert f"process {first.pid}" in said
        assert "SONIFOLD_DATA" in said
        first.kill()  # whatever becomes of it, the folder is free again
        first.wait(30)
        third = start(tmp_path / "data", models, wait=False)
        assert "Sonifold is at" in third.stdout.readline()
        third.terminate()
        third.communicate(timeout=30)
    finally:
        first.kill()
        first.communicate()
