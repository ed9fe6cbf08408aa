"""Ways made audible, rendered once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from app_checks import API, assert_problem, samples_of


@pytest.fixture
def ask(client, name):
    return lambda **asked: client.post(f"{API}/models/{name}/morphs", json=asked)


def test_a_morph_in_steps_lays_its_sounds_end_to_end(client, ask, ids, model):
    reply = ask(anchors=[{"sound": ids[0]}, {"sound": ids[1]}], kinds=["geodesic", "linear"], steps=5).json()
    assert [morph["kind"] for morph in reply["morphs"]] == ["geodesic", "linear"]
    assert (reply["steps"], reply["step_samples"], reply["sample_rate"]) == (5, model.sound_samples, 44_100)
    for morph in reply["morphs"]:
        assert morph["audio"]["mode"] == "steps"
        samples, rate = samples_of(client.get(morph["audio"]["url"]).content)
        assert len(samples) == morph["audio"]["frames"] == 5 * model.sound_samples
        assert morph["audio"]["seconds"] == pytest.approx(len(samples) / rate, abs=1e-4)
        assert "nodes" not in morph
        steps = samples.reshape(5, -1)
        assert np.abs(steps).max(axis=1).min() > 0.01  # every step sounds
        assert np.abs(steps[0] - steps[-1]).max() > 0.01  # and the last is another sound than the first


def test_a_glide_is_as_long_as_asked(client, ask, ids):
    reply = ask(
        anchors=[{"sound": ids[0]}, {"sound": ids[1]}], kinds=["linear"], mode="glide", seconds=1.5
    ).json()
    audio = reply["morphs"][0]["audio"]
    samples, rate = samples_of(client.get(audio["url"]).content)
    assert audio["mode"] == "glide"
    assert audio["frames"] == len(samples) == pytest.approx(1.5 * rate, abs=rate / 100)


def test_the_same_morph_again_costs_nothing(ask, ids, counted):
    asked = {"anchors": [{"sound": ids[4]}, {"sound": ids[5]}], "kinds": ["geodesic"], "steps": 3}
    with counted() as calls:
        first = ask(**asked)
        assert calls["paths"]
        calls.clear()
        again = ask(**asked)
    assert again.json() == first.json()
    assert not calls


def test_another_weight_is_another_morph(ask, ids, counted):
    asked = {"anchors": [{"sound": ids[4]}, {"sound": ids[5]}], "kinds": ["geodesic"], "steps": 3}
    ask(**asked, weight=0.5)
    with counted() as calls:
        ask(**asked, weight=2.0)
    assert calls["paths"]


def test_a_morph_whose_sound_was_lost_is_rendered_again_at_the_same_address(client, ask, ids, counted):
    asked = {"anchors": [{"sound": ids[6]}, {"sound": ids[7]}], "kinds": ["linear"], "steps": 3}
    url = ask(**asked).json()["morphs"][0]["audio"]["url"]
    before = client.get(url).content
    client.app.state.services.recordings._blobs._folder.drop(url.rsplit("/", 1)[1])
    assert_problem(client.get(url), 404, "audio_not_found")
    with counted() as calls:
        assert ask(**asked).json()["morphs"][0]["audio"]["url"] == url
    assert calls["morphs"]
    assert client.get(url).content == before


def test_equal_questions_at_the_same_time_are_computed_once(ask, ids, counted):
    asked = {"anchors": [{"sound": ids[8]}, {"sound": ids[9]}], "kinds": ["linear"], "steps": 3}
    with counted() as calls, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(**asked), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert calls["paths"] == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": []},
        {"kinds": ["linear", "linear"]},
        {"kinds": "linear"},
        {"mode": "loop"},
        {"mode": "glide", "seconds": 0},
        {"mode": "glide", "seconds": 3600},
        {"steps": 34},
    ],
)
def test_a_morph_out_of_bounds_is_refused(ask, ids, wrong):
    anchors = [{"sound": ids[0]}, {"sound": ids[1]}]
    assert_problem(ask(anchors=anchors, **wrong), 422, "request_invalid")


def test_a_morph_has_two_ends(ask, ids):
    assert_problem(ask(anchors=[{"sound": id} for id in ids[:3]]), 422, "request_invalid")
