"""The library over the wire."""

from __future__ import annotations

import pytest
from app_checks import API, assert_problem


@pytest.fixture(scope="module")
def table(client, name):
    return client.get(f"{API}/models/{name}/sounds").json()


def test_the_library_comes_as_columns_of_equal_length(table, model):
    columns = {name: column for name, column in table.items() if isinstance(column, list)}
    del columns["family_names"]
    assert table["provisional"] == 0
    assert {len(column) for column in columns.values()} == {table["count"]} == {len(model.library.ids)}
    assert table["id"] == model.library.ids
    families = [table["family_names"][index] for index in table["family"]]
    assert families == model.library.families
    assert table["x"] == pytest.approx(model.library.positions[:, 0].tolist())
    assert table["pitch"] == pytest.approx([label.pitch_hz for label in model.library.labels], abs=0.01)


def test_the_library_is_sent_once(client, name):
    first = client.get(f"{API}/models/{name}/sounds")
    assert first.headers["content-encoding"] == "gzip"
    again = client.get(f"{API}/models/{name}/sounds", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_a_sound_agrees_with_its_row(client, table, model, name):
    row = 3
    sound = client.get(f"{API}/models/{name}/sounds/{table['id'][row]}").json()
    same = ("id", "name", "x", "y", "seconds", "pitch", "source", "licence", "credit", "group")
    assert {key: sound[key] for key in same} == {key: table[key][row] for key in same}
    assert sound["family"] == table["family_names"][table["family"][row]]
    assert sound["z"] == pytest.approx(model.library.z[row].tolist())
    for link in ("audio_url", "decoded_url"):
        assert client.get(sound[link]).headers["content-type"] == "audio/wav"


@pytest.mark.parametrize("part", ["", "/audio", "/decoded", "/neighbours", "/distances"])
def test_an_unknown_sound_is_not_found(client, name, part):
    for sound in ("000000000000", "x" * 64, "..", "%22%27"):
        if sound == ".." and not part:
            continue  # clients resolve it themselves
        answer = client.get(f"{API}/models/{name}/sounds/{sound}{part}")
        assert answer.json()["code"] in ("sound_not_found", "not_found")
        assert answer.status_code == 404


def test_neighbours_are_the_nearest_of_the_distances(client, table, name):
    sound = table["id"][5]
    url = f"{API}/models/{name}/sounds/{sound}"
    reply = client.get(f"{url}/distances").json()
    distances = reply["distances"]
    assert len(distances) == table["count"]
    assert distances[5] == 0
    nearest = sorted((d, id) for d, id in zip(distances, table["id"], strict=True) if id != sound)[:4]
    choices = client.get(f"{API}/models").json()["choices"]["distances"]
    assert reply["distance"] == choices[0]["id"] == "perceptual"
    reply = client.get(f"{url}/neighbours", params={"count": 4}).json()
    assert reply["distance"] == "perceptual"
    assert [one["id"] for one in reply["neighbours"]] == [id for _, id in nearest]
    assert [one["distance"] for one in reply["neighbours"]] == pytest.approx(
        [d for d, _ in nearest], rel=1e-4
    )


@pytest.mark.parametrize("count", ["0", "65", "-1", "many", "1e9", ""])
def test_a_count_of_neighbours_out_of_bounds_is_refused(client, ids, name, count):
    answer = client.get(f"{API}/models/{name}/sounds/{ids[0]}/neighbours?count={count}")
    problem = assert_problem(answer, 422, "request_invalid")
    assert problem["errors"][0]["where"] == "query.count"
