"""Words for timbre: what a model has, what they say of places and along paths."""

from __future__ import annotations

from dataclasses import replace

import pytest
from app_checks import API, assert_problem, samples_of

from sonifold.audio.descriptors import DESCRIPTORS


@pytest.fixture
def ask(client, name):
    return lambda resource, **asked: client.post(f"{API}/models/{name}/{resource}", json=asked)


def test_a_model_names_its_descriptors_and_how_to_speak_of_them(client, name):
    told = {one["id"]: one for one in client.get(f"{API}/models/{name}").json()["descriptors"]}
    assert list(told) == list(DESCRIPTORS)
    assert (told["brightness"]["more"], told["brightness"]["less"]) == ("brighter", "darker")
    assert all(all(one.values()) for one in told.values())


@pytest.mark.parametrize("descriptor", DESCRIPTORS)
def test_a_description_is_the_value_a_traversal_starts_from(ask, ids, model, descriptor):
    x, y = model.library.positions[5].tolist()
    anchors = [{"sound": ids[3]}, {"point": model.library.z[4].tolist()}, {"position": [x, y]}]
    described = ask("descriptions", anchors=anchors).json()["descriptors"]
    assert list(described) == list(DESCRIPTORS)
    for anchor, value in zip(anchors, described[descriptor], strict=True):
        traversal = ask("traversals", start=anchor, descriptor=descriptor, steps=3).json()
        assert traversal["values"][traversal["origin"]] == pytest.approx(value, rel=1e-3, abs=1e-4)


def test_every_path_tells_them_at_each_step(ask, ids):
    for kind in ("geodesic", "linear"):
        path = ask("paths", anchors=[{"sound": ids[0]}, {"sound": ids[9]}], kind=kind, steps=7).json()["path"]
        assert set(path["descriptors"]) == set(DESCRIPTORS)
        assert {len(values) for values in path["descriptors"].values()} == {7}


def test_a_traversal_says_what_to_know_before_trusting_its_word(ask, ids, monkeypatch):
    text = "hard to hear in short sounds"
    monkeypatch.setitem(DESCRIPTORS, "roughness", replace(DESCRIPTORS["roughness"], caveat=text))
    monkeypatch.setitem(DESCRIPTORS, "brightness", replace(DESCRIPTORS["brightness"], caveat=""))
    start = {"start": {"sound": ids[3]}, "steps": 3}
    told = ask("traversals", **start, descriptor="roughness").json()["warnings"]
    assert told == [{"code": "descriptor_uncertain", "text": text}]
    assert ask("traversals", **start, descriptor="brightness").json()["warnings"] == []


def test_a_traversal_that_hardly_changes_the_sound_says_so(ask, ids, monkeypatch):
    start = {"start": {"sound": ids[3]}, "steps": 3, "descriptor": "brightness"}
    codes = lambda: [one["code"] for one in ask("traversals", **start).json()["warnings"]]  # noqa: E731
    assert codes() == []
    monkeypatch.setattr("sonifold.model.traversal.SLIGHT", 1.5)  # then every traversal is slight
    start["steps"] = 5  # not the answer that is remembered
    assert codes() == ["descriptor_hardly_moves"]


A = {"sound": "a"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"anchors": []}, "request_invalid"),
        ({"anchors": [A] * 65}, "request_invalid"),
        ({"anchors": [{"point": [0.0]}]}, "point_invalid"),
        ({"anchors": "all"}, "request_invalid"),
        ({}, "request_invalid"),
    ],
)
def test_bad_questions_are_answered_with_what_is_wrong(ask, body, code):
    assert_problem(ask("descriptions", **body), 422, code)


def test_an_unknown_sound_is_not_found(ask, ids):
    body = {"anchors": [{"sound": ids[0]}, {"sound": "none"}]}
    assert_problem(ask("descriptions", **body), 404, "sound_not_found")


# -- traversals -------------------------------------------------------------------------------------


def test_a_traversal_has_less_before_its_origin_and_more_after(client, ask, ids, model):
    reply = ask("traversals", start={"sound": ids[9]}, descriptor="brightness", steps=5).json()
    assert (reply["descriptor"], reply["unit"]) == ("brightness", DESCRIPTORS["brightness"].unit)
    assert reply["values"] == sorted(reply["values"])
    assert reply["points"][reply["origin"]] == pytest.approx(model.library.z[9].tolist(), abs=1e-5)
    for column in ("values", "points", "positions", "in_distribution", "distances"):
        assert len(reply[column]) == 5, column
    assert reply["descriptors"]["brightness"] == pytest.approx(reply["values"], rel=1e-5)
    assert set(reply["stopped"]) == {"less", "more"}
    assert all(reply["stopped"].values())
    audio, _ = samples_of(client.get(reply["audio"]["url"]).content)
    assert len(audio) == 5 * reply["step_samples"] == reply["audio"]["frames"]


def test_a_traversal_may_begin_at_a_point_and_let_the_other_descriptors_go(ask, model):
    asked = {"start": {"point": model.library.z[9].tolist()}, "descriptor": "decay", "steps": 3, "reach": 0.5}
    held, free = (ask("traversals", **asked, hold=hold).json() for hold in (True, False))
    assert held["points"] != free["points"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"descriptor": "warmth"}, "request_invalid"),
        ({"descriptor": "brightness", "steps": 2}, "request_invalid"),
        ({"descriptor": "brightness", "steps": 10**6}, "request_invalid"),
        ({"descriptor": "brightness", "reach": 0}, "request_invalid"),
        ({"descriptor": "brightness", "reach": 1e9}, "request_invalid"),
        ({"descriptor": "brightness", "hold": "yes"}, "request_invalid"),
        ({"descriptor": "brightness", "start": {"point": [0.0]}}, "point_invalid"),
        ({}, "request_invalid"),
    ],
)
def test_a_bad_traversal_is_refused(ask, ids, asked, code):
    assert_problem(ask("traversals", **{"start": {"sound": ids[0]}, **asked}), 422, code)
