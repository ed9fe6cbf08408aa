"""Averages, analogies and what lies beyond: where they must lie, what they say of themselves, what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from app_checks import API, assert_problem, samples_of

WARNINGS = {"off_the_data", "left_the_data", "not_converged", "stopped_early", "uneven"}


@pytest.fixture
def ask(client, name):
    return lambda resource, **asked: client.post(f"{API}/models/{name}/{resource}", json=asked)


@pytest.fixture
def anchors(ids):
    return [{"sound": id} for id in ids[:4]]


def check_place(client, model, place):
    """What every new place has to tell."""
    assert place["unit"] == model.unit
    assert len(place["point"]) == model.latent_dim
    assert place["decoded_distance"] == place["nearest"][0]["distance"]
    distances = [one["distance"] for one in place["nearest"]]
    assert distances == sorted(distances)
    codes = {one["code"] for one in place["warnings"]}
    assert codes <= WARNINGS
    assert ("off_the_data" in codes) is not place["in_distribution"]
    assert all(one["text"] for one in place["warnings"])
    (z,) = client.post(
        f"{API}/models/{model.name}/atlas/positions", json={"points": [place["point"]]}
    ).json()["positions"]
    assert z == pytest.approx([place["x"], place["y"]], abs=1e-4)
    audio, rate = samples_of(client.get(place["audio"]["url"]).content)
    assert (len(audio), rate) == (model.sound_samples, model.sample_rate)
    assert np.abs(audio).max() > 1e-3


def test_the_flat_mean_is_the_arithmetic_one(client, ask, anchors, model):
    mean = ask("means", anchors=anchors, metric="flat", weights=[3.0, 1.0, 0.0, 2.0]).json()
    check_place(client, model, mean)
    z = model.library.z[:4].numpy()
    centre = np.average(z, axis=0, weights=[3, 1, 0, 2])
    assert mean["point"] == pytest.approx(centre.tolist(), abs=1e-3)
    away = np.linalg.norm(z - centre, axis=1)
    assert mean["distances"] == pytest.approx(away.tolist(), rel=1e-3)
    assert mean["variance"] == pytest.approx(float(np.average(away**2, weights=[3, 1, 0, 2])), rel=1e-3)


def test_a_mean_lies_where_its_spokes_begin_and_they_end_at_the_sounds(client, ask, anchors, model):
    mean = ask("means", anchors=anchors).json()
    check_place(client, model, mean)
    assert len(mean["spokes"]) == len(mean["distances"]) == 4
    for row, spoke in enumerate(mean["spokes"]):
        assert spoke[0] == pytest.approx([mean["x"], mean["y"]], abs=1e-3)
        assert spoke[-1] == pytest.approx(model.library.positions[row].tolist(), abs=1e-3)


def test_the_flat_analogy_is_a_parallelogram(client, ask, anchors, model):
    a, b, c, _ = model.library.z[:4].numpy()
    reply = ask("analogies", a=anchors[0], b=anchors[1], c=anchors[2], metric="flat").json()
    codes = {one["code"] for one in reply["warnings"]}
    if "stopped_early" not in codes:
        assert reply["point"] == pytest.approx((c + b - a).tolist(), abs=1e-3)
    check_place(client, model, reply)
    assert reply["course"][0] == pytest.approx(model.library.positions[2].tolist(), abs=1e-3)
    assert reply["course"][-1] == pytest.approx([reply["x"], reply["y"]], abs=1e-3)


def test_a_is_to_a_as_c_is_to_c(ask, anchors, model):
    reply = ask("analogies", a=anchors[0], b=anchors[0], c=anchors[2]).json()
    assert reply["point"] == pytest.approx(model.library.z[2].tolist(), abs=1e-2)


def test_straight_on_is_straight_on(client, ask, anchors, model):
    a, b = model.library.z[:2].numpy()
    reply = ask("extrapolations", anchors=anchors[:2], to=1.25, metric="flat").json()
    check_place(client, model, reply)
    assert reply["point"] == pytest.approx((a + 1.25 * (b - a)).tolist(), abs=1e-3)
    assert reply["times"][0] == 0
    assert reply["times"][-1] == pytest.approx(1.25)
    at_b = reply["times"].index(1)
    assert reply["course"][at_b] == pytest.approx(model.library.positions[1].tolist(), abs=0.2)
    assert len(reply["course"]) == len(reply["times"])


def test_leaving_the_data_is_said_and_when(client, ask, anchors, model):
    """Four times the way between two sounds of different families ends outside of everything."""
    reply = ask("extrapolations", anchors=anchors[:2], to=4.0, metric="flat").json()
    check_place(client, model, reply)
    assert not reply["in_distribution"]
    assert 0 <= reply["left"] <= 4
    texts = {one["code"]: one["text"] for one in reply["warnings"]}
    assert f"t = {reply['left']:.2f}" in texts["left_the_data"]


def test_what_was_found_can_be_an_anchor(ask, anchors):
    mean = ask("means", anchors=anchors[:2], metric="flat").json()
    path = ask("paths", anchors=[{"point": mean["point"]}, anchors[2]], kind="linear").json()["path"]
    assert path["nodes"][0] == pytest.approx(mean["point"], abs=1e-5)


A = {"sound": "a"}
BAD = {
    "a mean of one": ("means", {"anchors": [A]}, "request_invalid"),
    "a mean of none": ("means", {}, "request_invalid"),
    "a mean of 17": ("means", {"anchors": [A] * 17}, "request_invalid"),
    "too few weights": ("means", {"anchors": [A] * 3, "weights": [1.0]}, "request_invalid"),
    "a negative weight": ("means", {"anchors": [A] * 2, "weights": [1.0, -1.0]}, "request_invalid"),
    "weights that are all 0": ("means", {"anchors": [A] * 2, "weights": [0.0, 0.0]}, "request_invalid"),
    "an infinite weight": ("means", {"anchors": [A] * 2, "weights": [1e308, 1e308]}, "request_invalid"),
    "a weight as text": ("means", {"anchors": [A] * 2, "weights": ["1", "1"]}, "request_invalid"),
    "points of one number": ("means", {"anchors": [{"point": [0.0]}] * 2}, "point_invalid"),
    "an unknown metric": ("means", {"anchors": [A] * 2, "metric": "dB"}, "request_invalid"),
    "a position off the map": ("means", {"anchors": [{"position": [1e30, 0.0]}] * 2}, "position_invalid"),
    "an analogy without c": ("analogies", {"a": A, "b": A}, "request_invalid"),
    "an analogy of text": ("analogies", {"a": "a", "b": "b", "c": "c"}, "request_invalid"),
    "an analogy of short points": (
        "analogies",
        {"a": {"point": [0.0]}, "b": {"point": [0.0]}, "c": {"point": [0.0]}},
        "point_invalid",
    ),
    "an unknown field": ("analogies", {"a": A, "b": A, "c": A, "d": A}, "request_invalid"),
    "no further than B": ("extrapolations", {"anchors": [A, A], "to": 1.0}, "request_invalid"),
    "backwards": ("extrapolations", {"anchors": [A, A], "to": -1.5}, "request_invalid"),
    "much too far": ("extrapolations", {"anchors": [A, A], "to": 1e9}, "request_invalid"),
    "three anchors": ("extrapolations", {"anchors": [A, A, A]}, "request_invalid"),
    "a list": ("extrapolations", [], "request_invalid"),
    "null": ("means", None, "request_invalid"),
}


@pytest.mark.parametrize(("resource", "body", "code"), BAD.values(), ids=BAD)
def test_bad_questions_are_answered_with_what_is_wrong(client, name, resource, body, code):
    assert_problem(client.post(f"{API}/models/{name}/{resource}", json=body), 422, code)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("resource", "text", "codes"),
    [
        ("means", '{"anchors": [{"sound": "a"}, {"sound": "b"}], "weights": [1, %s]}', {"request_invalid"}),
        ("extrapolations", '{"anchors": [{"sound": "a"}, {"sound": "b"}], "to": %s}', {"request_invalid"}),
        ("means", '{"anchors": [{"point": [%s]}, {"point": [0]}]}', {"request_invalid", "point_invalid"}),
        ("analogies", '{"a": {"sound": "a"}, "b": {"sound": "a"}, "c": {"position": [%s, 0]}}', {"position_invalid"}),
        ("samples", '{"temperature": %s}', {"request_invalid"}),
    ],
)  # fmt: skip
def test_numbers_that_are_none_are_refused(client, name, resource, text, codes, number):
    answer = client.post(
        f"{API}/models/{name}/{resource}",
        content=text % number,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in codes


@pytest.mark.parametrize("resource", ["means", "extrapolations"])
def test_an_unknown_sound_is_not_found(client, ids, name, resource):
    body = {"anchors": [{"sound": ids[0]}, {"sound": "000000000000"}]}
    assert_problem(client.post(f"{API}/models/{name}/{resource}", json=body), 404, "sound_not_found")


def test_points_far_out_make_clear_answers(ask, model):
    """The furthest points that are taken at all: whatever becomes of them, no number in the reply is none."""
    far = [{"point": [sign * 999.0] * model.latent_dim} for sign in (1, -1)]
    for answer in (
        ask("means", anchors=far),
        ask("extrapolations", anchors=far, to=4.0, metric="flat"),
        ask("analogies", a=far[0], b=far[1], c=far[0], metric="flat"),
    ):
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 200:
            assert all(math.isfinite(value) for value in answer.json()["point"])
