"""Ways between anchors, without their sound."""

from __future__ import annotations

import json
import math

import pytest
from app_checks import API, assert_problem

FINITE = ("length", "line_length", "energy", "line_energy", "speed_variation")


@pytest.fixture
def ask(client, name):
    return lambda **asked: client.post(f"{API}/models/{name}/paths", json=asked)


@pytest.mark.parametrize("kind", ["geodesic", "linear", "retimed", "graph"])
def test_a_path_is_told_in_full(ask, ids, model, kind):
    reply = ask(anchors=[{"sound": ids[0]}, {"sound": ids[1]}], kind=kind, steps=9).json()
    path = reply["path"]
    assert reply["unit"] == model.unit
    assert reply["legs"] == [path]
    assert path["kind"] == kind
    assert path["weight"] == model.config.metric.weight
    assert all(math.isfinite(path[number]) for number in FINITE)
    assert len(path["speed"]) == 8
    assert len(path["on_land"]) == len(path["step_positions"]) == len(path["nodes"]) == 9
    assert {len(node) for node in path["nodes"]} == {model.latent_dim}
    assert all(len(place) == 2 for place in path["map"])
    assert path["outcome"]
    assert 0 <= path["guesswork"] <= (0.08 if kind == "graph" else 1)


def test_a_path_begins_and_ends_at_its_anchors(ask, ids, model):
    path = ask(anchors=[{"sound": ids[0]}, {"sound": ids[1]}], metric="flat").json()["path"]
    assert path["nodes"][0] == pytest.approx(model.library.z[0].tolist(), abs=1e-5)
    assert path["nodes"][-1] == pytest.approx(model.library.z[1].tolist(), abs=1e-5)


def test_an_anchor_may_be_a_point_or_a_position(ask, model):
    z = model.library.z[2].tolist()
    x, y = model.library.positions[3].tolist()
    path = ask(anchors=[{"point": z}, {"position": [x, y]}], kind="linear").json()["path"]
    assert path["nodes"][0] == pytest.approx(z, abs=1e-5)
    assert path["step_positions"][-1] == pytest.approx([x, y], abs=0.5)


def test_a_way_through_several_anchors_has_a_leg_between_each_two(ask, ids):
    reply = ask(anchors=[{"sound": id} for id in ids[:4]], kind="linear", steps=5).json()
    assert len(reply["legs"]) == 3
    for one, next_ in zip(reply["legs"][:-1], reply["legs"][1:], strict=True):
        assert one["nodes"][-1] == pytest.approx(next_["nodes"][0], abs=1e-5)
    assert reply["path"] == reply["legs"][0]


def test_a_way_from_a_sound_to_itself_has_no_length(ask, ids):
    path = ask(anchors=[{"sound": ids[0]}, {"sound": ids[0]}]).json()["path"]
    assert path["length"] == pytest.approx(0, abs=1e-2)
    assert all(math.isfinite(path[number]) for number in FINITE)
    assert all(math.isfinite(v) for v in path["speed"])


BAD = {
    "one anchor": ({"anchors": [{"sound": "a"}]}, "request_invalid"),
    "no anchors": ({}, "request_invalid"),
    "too many anchors": ({"anchors": [{"sound": "a"}] * 10}, "request_invalid"),
    "an anchor of two kinds": (
        {"anchors": [{"sound": "a", "point": [0]}, {"sound": "a"}]},
        "request_invalid",
    ),
    "an anchor of no kind": ({"anchors": [{}, {"sound": "a"}]}, "request_invalid"),
    "an anchor that is text": ({"anchors": ["a", "b"]}, "request_invalid"),
    "an unknown kind": ({"anchors": [{"sound": "a"}] * 2, "kind": "shortest"}, "request_invalid"),
    "an unknown metric": ({"anchors": [{"sound": "a"}] * 2, "metric": "dB"}, "request_invalid"),
    "an unknown field": ({"anchors": [{"sound": "a"}] * 2, "speed": 1}, "request_invalid"),
    "a negative weight": ({"anchors": [{"sound": "a"}] * 2, "weight": -1}, "request_invalid"),
    "too much weight": ({"anchors": [{"sound": "a"}] * 2, "weight": 11}, "request_invalid"),
    "a weight as text": ({"anchors": [{"sound": "a"}] * 2, "weight": "1"}, "request_invalid"),
    "one step": ({"anchors": [{"sound": "a"}] * 2, "steps": 1}, "request_invalid"),
    "a million steps": ({"anchors": [{"sound": "a"}] * 2, "steps": 1_000_000}, "request_invalid"),
    "half a step": ({"anchors": [{"sound": "a"}] * 2, "steps": 2.5}, "request_invalid"),
    "a point of one number": ({"anchors": [{"point": [0.0]}] * 2}, "point_invalid"),
    "a point of 10,000 numbers": ({"anchors": [{"point": [0.0] * 10_000}] * 2}, "request_invalid"),
    "a point far out": ({"anchors": [{"point": "far"}] * 2}, "point_invalid"),
    "a position off the map": ({"anchors": [{"position": [1e30, 0.0]}] * 2}, "position_invalid"),
    "a position of three": ({"anchors": [{"position": [0.0, 0.0, 0.0]}] * 2}, "request_invalid"),
    "a list": ([], "request_invalid"),
    "a number": (7, "request_invalid"),
    "null": (None, "request_invalid"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("resource", ["paths", "morphs"])
def test_bad_questions_are_answered_with_what_is_wrong(client, model, name, resource, body, code):
    if isinstance(body, dict) and body.get("anchors") == [{"point": "far"}] * 2:
        body = {"anchors": [{"point": [1e30] * model.latent_dim}] * 2}
    if resource == "morphs" and isinstance(body, dict) and "kind" in body:
        body = {**body, "kinds": [body["kind"]]}
        del body["kind"]
    assert_problem(client.post(f"{API}/models/{name}/{resource}", json=body), 422, code)


@pytest.mark.parametrize("resource", ["paths", "morphs"])
def test_an_unknown_sound_is_not_found(client, ids, name, resource):
    for sound in ("000000000000", "", "x" * 64, "'; drop table"):
        body = {"anchors": [{"sound": ids[0]}, {"sound": sound}]}
        answer = client.post(
            f"{API}/models/{name}/{resource}",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert_problem(answer, 404, "sound_not_found")


def test_a_problem_says_where_it_is(ask, ids):
    problem = ask(anchors=[{"sound": ids[0]}, {"point": [1.0, "x"]}]).json()
    assert problem["errors"][0]["where"] == "body.anchors[1].point[1]"
    assert "body.anchors[1]" in problem["detail"]
