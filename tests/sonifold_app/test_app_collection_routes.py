"""The collection over HTTP: folders taken in behind the requests, searched, heard in full, and morphed with."""

import os
import shutil
import threading
import time

import numpy as np
import pytest
import soundfile
from app_checks import API, RATE, assert_problem, samples_of, tone
from starlette.testclient import TestClient
from test_app_collection_positions import decoded

from sonifold.errors import Cancelled
from sonifold_app.app import create_app
from sonifold_app.collection import following
from sonifold_app.collection import ingest as ingest_module
from sonifold_app.collection.database import FOLDER
from sonifold_app.collection.ingest import Ingest
from sonifold_app.collection.words import Fts5Index
from sonifold_app.settings import Settings

COLLECTION = f"{API}/collection"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve tones, one of them as an AIFF of 12 s in stereo; one file that is no sound, one link that leads out."""
    root = tmp_path_factory.mktemp("files")
    (root / "Samples").mkdir()
    for number in range(11):
        soundfile.write(root / "Samples" / f"Kick {number:02d}.wav", tone(0.2, 100 + 20 * number), RATE)
    seconds = np.arange(12 * RATE) / RATE
    stereo = np.stack([0.5 * np.sin(2 * np.pi * hertz * seconds) for hertz in (220, 330)], axis=1)
    soundfile.write(root / "Samples" / "long pad.aiff", stereo, RATE, subtype="PCM_24")
    soundfile.write(root / "Samples" / "quiet.wav", 0.3 * tone(0.2, 160), RATE, subtype="PCM_24")  # Kick 03
    shutil.copy(root / "Samples" / "Kick 07.wav", root / "Samples" / "copy.wav")
    (root / "Samples" / "broken.wav").write_bytes(b"RIFF and nothing else")
    (root / "secret.wav").write_bytes(b"not for this server")
    (root / "Samples" / "link.wav").symlink_to(root / "secret.wav")
    return root / "Samples"


@pytest.fixture(scope="module")
def settings(tmp_path_factory, folder, small_models):
    data = tmp_path_factory.mktemp("data")
    return Settings(data=data, models=small_models, threads=1, collection_folders=str(folder))


@pytest.fixture(scope="module")
def client(settings, small_engine_of):
    with TestClient(create_app(settings, small_engine_of()), base_url="http://127.0.0.1:8750") as client:
        yield client


@pytest.fixture(scope="module")
def ingested(client, folder):
    """After all was taken in: what became of it."""
    reply = client.post(f"{COLLECTION}/ingests", json={"folders": [str(folder)]})
    assert reply.status_code == 202, reply.text
    return over(client, reply.headers["location"])


def over(client, url):
    deadline = time.monotonic() + 120
    while (ingest := client.get(url).json())["state"] in ("running", "paused"):
        assert time.monotonic() < deadline, ingest
        time.sleep(0.05)
    return ingest


def search(client, query):
    return client.get(f"{COLLECTION}/sounds", params={"q": query}).json()


def test_before_anything_was_taken_in_there_is_nothing_and_no_file_is_made(
    small_engine_of, tmp_path, small_models
):
    settings = Settings(data=tmp_path, models=small_models)
    with TestClient(create_app(settings, small_engine_of()), base_url="http://127.0.0.1:8750") as client:
        assert client.get(COLLECTION).json() == {"folders": [], "within": None, "ingest": None}
        assert search(client, "kick")["count"] == 0
        assert client.get(f"{COLLECTION}/matches").content == b""
        assert client.get(f"{COLLECTION}/selection?ids=1").json()["count"] == 0
        assert_problem(client.get(f"{COLLECTION}/sounds/1/audio"), 404, "sound_not_found")
        assert_problem(client.get(f"{COLLECTION}/ingests/1"), 404, "ingest_not_found")
    assert not (tmp_path / "collection").exists()


def test_folders_are_taken_in_and_what_cannot_be_read_has_its_reason(client, folder, ingested):
    assert (ingested["state"], ingested["progress"]["remaining"]) == ("done", 0)
    (facts,) = client.get(COLLECTION).json()["folders"]
    assert facts == {
        "id": 1,
        "path": str(folder),
        "followed": False,
        "sounds": 16,
        "analysed": 14,
        "unreadable": 2,
        "missing": 0,
    }
    unreadable = search(client, "is:unreadable")["sounds"]
    assert {sound["name"] for sound in unreadable} == {"broken.wav", "link.wav"}
    assert all(sound["reason"] for sound in unreadable)
    assert client.get(f"{COLLECTION}/ingests").json()["ingests"] == [ingested]


def test_pages_of_a_search_are_its_whole(client, ingested):
    everything = [sound["id"] for sound in search(client, "kick -01")["sounds"]]
    url = f"{COLLECTION}/sounds?q=kick%20-01&limit=4&offset="
    pages = [client.get(f"{url}{offset}").json() for offset in (0, 4, 8)]
    assert [sound["id"] for page in pages for sound in page["sounds"]] == everything
    assert [page["more"] for page in pages] == [True, True, False]
    assert {page["count"] for page in pages} == {len(everything)} == {10}


def test_a_whole_recording_is_heard_with_all_its_channels(client, folder, ingested):
    (long,) = search(client, "pad")["sounds"]
    assert long["seconds"] == 12
    samples, rate = samples_of(client.get(long["audio_url"]).content)
    original, _ = soundfile.read(folder / "long pad.aiff", dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, original, atol=1 / 32768)
    kick = search(client, '"kick 03"')["sounds"][0]
    part = client.get(kick["audio_url"], headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.headers["content-type"]) == (206, "audio/wav")
    assert part.content == (folder / "Kick 03.wav").read_bytes()[:100]


def test_the_sounds_stand_on_the_models_map_where_own_sounds_stand(client, name, ingested):
    url = f"{API}/models/{name}/collection/positions"
    reply = client.get(url)
    assert reply.headers["content-type"] == "application/vnd.sonifold.positions"
    header, columns = decoded(reply.content)
    everything = {sound["id"]: sound for sound in search(client, "is:analysed")["sounds"]}
    assert columns["id"].tolist() == sorted(everything)
    families = [header["families"][number] for number in columns["family"]]
    assert families == [everything[id]["family"] for id in columns["id"]]
    assert client.get(url, headers={"If-None-Match": reply.headers["etag"]}).status_code == 304
    since, none = decoded(client.get(url, params={"after": header["version"]}).content)
    assert (since["whole"], since["count"], none["id"].tolist()) == (False, 0, [])
    atlas = client.get(f"{API}/models/{name}/atlas").json()
    assert header["extent"] == pytest.approx(atlas["extent"])
    kick = search(client, '"kick 03"')["sounds"][0]
    own = client.post(f"{API}/models/{name}/collection/{kick['id']}").json()
    at = columns["id"].tolist().index(kick["id"])
    x0, x1, y0, y1 = header["extent"]
    place = (x0 + columns["x"][at] / 65535 * (x1 - x0), y0 + columns["y"][at] / 65535 * (y1 - y0))
    # the encoder's mean against the point that inversion has: near, on a map 2 across
    assert np.hypot(place[0] - own["x"], place[1] - own["y"]) < 0.5


def test_all_that_fit_a_search_and_all_that_were_selected_are_had_by_id(client, ingested):
    ids = np.frombuffer(client.get(f"{COLLECTION}/matches", params={"q": "kick -03"}).content, "<u4").tolist()
    assert ids == sorted(sound["id"] for sound in search(client, "kick -03")["sounds"])
    assert_problem(client.get(f"{COLLECTION}/matches", params={"q": "pitch:H9"}), 422, "search_invalid")
    wanted = [ids[3], 10**9, ids[0]]
    some = client.get(f"{COLLECTION}/selection", params={"ids": ",".join(map(str, wanted))}).json()
    assert [sound["id"] for sound in some["sounds"]] == [ids[3], ids[0]]
    for text in (",", "1,,2", "one", "-1", "1" * 17):
        assert client.get(f"{COLLECTION}/selection", params={"ids": text}).status_code == 422


def test_neighbours_are_the_ones_most_like_a_sound(client, ingested):
    kick = search(client, '"kick 03"')["sounds"][0]
    near = client.get(f"{COLLECTION}/sounds/{kick['id']}/neighbours?limit=3").json()["sounds"]
    assert near[0]["name"] == "quiet.wav"
    assert {sound["name"] for sound in near[1:]} <= {f"Kick {number:02d}.wav" for number in (1, 2, 4, 5)}
    assert [sound["distance"] for sound in near] == sorted(sound["distance"] for sound in near)
    broken = search(client, "broken")["sounds"][0]
    assert_problem(client.get(f"{COLLECTION}/sounds/{broken['id']}/neighbours"), 409, "sound_not_analysed")


def test_a_sound_of_the_collection_becomes_one_of_your_own_once(client, name, ingested):
    for query in ('"kick 03"', "pad"):
        sound = search(client, query)["sounds"][0]
        first, again = (client.post(f"{API}/models/{name}/collection/{sound['id']}") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]
        assert client.get(first.headers["location"]).json()["made_with"]["file"] == sound["name"]
    morph = {"anchors": [{"sound": first.json()["id"]}, {"sound": first.json()["id"]}], "steps": 2}
    assert client.post(f"{API}/models/{name}/morphs", json=morph).is_success


def test_copies_and_nearly_the_same_sounds_are_grouped(client, ingested):
    (quiet,), (copy,) = (search(client, name)["sounds"] for name in ("quiet", "copy"))
    near = client.get(f"{COLLECTION}/sounds/{quiet['id']}/duplicates").json()["sounds"]
    assert [sound["name"] for sound in near] == ["Kick 03.wav"]
    assert 0 < near[0]["distance"] < 1
    (same,) = client.get(f"{COLLECTION}/sounds/{copy['id']}/duplicates").json()["sounds"]
    assert (same["name"], same["distance"], same["duplicates"]) == ("Kick 07.wav", 0, copy["duplicates"])
    names = [sound["name"] for sound in search(client, "is:duplicate")["sounds"]]
    assert {frozenset(names[:2]), frozenset(names[2:])} == {
        frozenset(("Kick 03.wav", "quiet.wav")),
        frozenset(("Kick 07.wav", "copy.wav")),
    }
    broken = search(client, "broken")["sounds"][0]
    assert_problem(client.get(f"{COLLECTION}/sounds/{broken['id']}/duplicates"), 409, "sound_not_analysed")


@pytest.mark.parametrize(
    ("folders", "status", "code"),
    [
        (["{outside}"], 403, "folder_not_allowed"),
        (["{folder}/.."], 403, "folder_not_allowed"),
        (["{folder}/out"], 403, "folder_not_allowed"),
        (["/"], 403, "folder_not_allowed"),
        (["{folder}/nothing"], 422, "folder_invalid"),
        (["{folder}/Kick 00.wav"], 422, "folder_invalid"),
        (["Samples"], 422, "folder_invalid"),
        (["{folder}\0"], 422, "folder_invalid"),
        (["x"] * 65, 422, "request_invalid"),
    ],
)
def test_folders_that_may_not_be_taken_in_are_refused(client, folder, tmp_path, folders, status, code):
    if not (folder / "out").exists():
        (folder / "out").symlink_to(tmp_path)
    named = [text.replace("{folder}", str(folder)).replace("{outside}", str(tmp_path)) for text in folders]
    assert_problem(client.post(f"{COLLECTION}/ingests", json={"folders": named}), status, code)


def test_a_server_that_others_reach_takes_nothing_in_unless_told(tmp_path):
    token = "a token of some length"
    assert Settings(data=tmp_path, host="0.0.0.0", token=token).allowed_folders == ()
    told = Settings(data=tmp_path, host="0.0.0.0", collection_folders=f"/a{os.pathsep}/b")
    assert [str(path) for path in told.allowed_folders or ()] == ["/a", "/b"]


def test_no_link_leads_out_of_the_folders(client, ingested):
    link = search(client, "link")["sounds"][0]
    problem = assert_problem(client.get(link["audio_url"]), 404, "sound_not_found")
    assert "not for this server" not in str(problem)


@pytest.mark.parametrize("query", ["colour:red", "pitch:H9", "is:blue"])
def test_a_search_that_cannot_be_read_is_refused_in_words(client, query):
    assert_problem(client.get(f"{COLLECTION}/sounds", params={"q": query}), 422, "search_invalid")


def test_an_ingest_rests_goes_on_and_is_cancelled(client, folder, ingested, settings, monkeypatch):
    """While one process takes in, as `sonifold ingest` or another server might: the wishes are rows."""
    collection = client.app.state.services.collection
    monkeypatch.setattr(ingest_module, "PAUSE_SECONDS", 0.01)
    seen = []

    def show(progress):
        url = f"{COLLECTION}/ingests/{collection.all_runs()[0].id}"
        if not seen:
            assert_problem(client.post(f"{COLLECTION}/ingests", json={}), 409, "ingest_running")
            seen.append(client.post(f"{url}/pause").json()["wish"])
            threading.Thread(target=go_on, args=(url,)).start()
        else:
            seen.append(client.post(f"{url}/cancellation").json()["wish"])

    def go_on(url):
        while client.get(url).json()["state"] != "paused":
            time.sleep(0.01)
        seen.append("paused")
        client.post(f"{url}/resumption")

    with pytest.raises(Cancelled):
        Ingest(settings.data / FOLDER, collection.database, Fts5Index(), show).run([folder])
    assert seen == ["pause", "paused", "cancel"]
    assert client.get(f"{COLLECTION}/ingests").json()["ingests"][0]["state"] == "cancelled"


def test_a_run_that_a_server_left_is_gone_on_with_by_the_next(
    settings, small_engine_of, folder, client, ingested
):
    collection = client.app.state.services.collection
    left = collection.runs.begin([str(folder)])
    collection.go_on()
    assert over(client, f"{COLLECTION}/ingests/{left}")["state"] == "done"


def test_a_followed_folder_is_up_to_date_also_with_what_changed_while_no_server_ran(
    tmp_path, small_engine_of, small_models, monkeypatch
):
    monkeypatch.setattr(following, "LOOK", 100)
    samples = tmp_path / "Samples"
    samples.mkdir()
    (samples / "kick.wav").touch()
    settings = Settings(data=tmp_path / "data", models=small_models)

    def server():
        return TestClient(create_app(settings, small_engine_of()), base_url="http://127.0.0.1:8750")

    def until(client, query, name):
        deadline = time.monotonic() + 60
        while [sound["name"] for sound in search(client, query)["sounds"]] != [name]:
            assert time.monotonic() < deadline, search(client, query)
            time.sleep(0.05)

    with server() as client:
        request = {"folders": [str(samples)], "phase": "names"}
        over(client, client.post(f"{COLLECTION}/ingests", json=request).headers["location"])
        (facts,) = client.get(COLLECTION).json()["folders"]
        url = f"{COLLECTION}/folders/{facts['id']}"
        assert client.patch(url, json={"followed": True}).json() == facts | {"followed": True}
        assert_problem(client.patch(f"{url}9", json={"followed": True}), 404, "folder_not_found")
        (samples / "snare.wav").touch()
        until(client, "snare", "snare.wav")
    (samples / "clap.wav").touch()
    (samples / "kick.wav").unlink()
    with server() as client:
        until(client, "clap", "clap.wav")
        until(client, "is:missing", "kick.wav")
        assert client.patch(url, json={"followed": False}).json()["followed"] is False
        assert client.get(COLLECTION).json()["folders"][0]["followed"] is False


def named(client):
    return client.get(f"{COLLECTION}/named").json()["collections"]


def test_what_is_said_of_a_sound_is_said_of_its_copies_and_found(client, ingested):
    (copy,) = search(client, "copy")["sounds"]
    assert (copy["favourite"], copy["rating"], copy["note"]) == (False, None, "")
    url = f"{COLLECTION}/sounds/{copy['id']}"
    said = client.patch(url, json={"favourite": True, "rating": 4, "note": "for the bridge"}).json()
    assert (said["favourite"], said["rating"], said["note"]) == (True, 4, "for the bridge")
    names = {sound["name"] for sound in search(client, "is:favourite")["sounds"]}
    assert names == {"copy.wav", "Kick 07.wav"}
    assert search(client, "is:favourite copy rating:>3")["count"] == 1
    assert search(client, "-rating:4..5 is:favourite")["count"] == 0
    again = client.patch(url, json={"rating": None}).json()
    assert (again["favourite"], again["rating"], again["note"]) == (True, None, "for the bridge")
    assert_problem(client.patch(url, json={"rating": 6}), 422, "request_invalid")
    assert_problem(client.patch(f"{COLLECTION}/sounds/9999", json={}), 404, "sound_not_found")


def test_a_named_collection_has_sounds_is_removed_and_comes_back(client, ingested):
    ids = [sound["id"] for sound in search(client, '"kick 01"')["sounds"] + search(client, "pad")["sounds"]]
    reply = client.post(f"{COLLECTION}/named", json={"name": ' Dark, "Café" '})
    url = reply.headers["location"]
    assert (reply.status_code, reply.json()["name"]) == (201, "Dark Café")
    assert_problem(
        client.post(f"{COLLECTION}/named", json={"name": "dark café"}), 409, "named_collection_invalid"
    )
    assert client.post(f"{url}/sounds", json={"sounds": [*ids, ids[0]]}).json()["count"] == 2
    query = 'collection:"dark cafe"'
    assert {sound["id"] for sound in search(client, query)["sounds"]} == set(ids)
    assert client.post(f"{url}/removals", json={"sounds": ids[:1]}).json()["count"] == 1
    assert client.patch(url, json={"name": "Bright"}).json()["name"] == "Bright"
    assert [sound["id"] for sound in search(client, "collection:bright")["sounds"]] == ids[1:]
    assert client.delete(url).status_code == 204
    assert (named(client), search(client, "collection:bright")["count"]) == ([], 0)
    assert_problem(client.post(f"{url}/sounds", json={"sounds": ids}), 404, "named_collection_not_found")
    assert client.post(f"{url}/restoration").json()["count"] == 1
    assert [each["name"] for each in named(client)] == ["Bright"]
    assert_problem(client.post(f"{COLLECTION}/named", json={"name": " \n "}), 422, "request_invalid")
