"""What places sound like."""

from __future__ import annotations

import pytest
from app_checks import API, assert_problem, format_of, samples_of


@pytest.fixture
def ask(client, name):
    return lambda headers=None, **asked: client.post(
        f"{API}/models/{name}/decodings", json=asked, headers=headers or {}
    )


def test_points_and_positions_can_be_heard(client, ask, model):
    points = model.library.z[:2].tolist()
    positions = model.library.positions[2:3].tolist()
    sounds = ask(points=points, positions=positions).json()["sounds"]
    assert len(sounds) == 3
    for sound, place in zip(sounds, model.library.positions[:3].tolist(), strict=True):
        assert [sound["x"], sound["y"]] == pytest.approx(place, abs=0.5)
        samples, _ = samples_of(client.get(sound["audio"]["url"]).content)
        assert len(samples) == sound["audio"]["frames"] == model.sound_samples
        assert abs(samples).max() > 0.01


def test_one_place_can_be_had_as_sound_at_once(client, ask, model):
    points = model.library.z[:1].tolist()
    link = ask(points=points).json()["sounds"][0]["audio"]["url"]
    for media_type in ("audio/wav", "audio/flac", "audio/ogg"):
        answer = ask({"Accept": media_type}, points=points)
        assert answer.headers["content-type"] == media_type
        assert format_of(answer.content) == media_type.removeprefix("audio/").upper()
    assert ask({"Accept": "audio/wav"}, points=points).content == client.get(link).content


def test_several_places_come_as_links_only(ask, model):
    points = model.library.z[:2].tolist()
    assert_problem(ask({"Accept": "audio/wav"}, points=points), 406, "not_acceptable")
    assert ask({"Accept": "audio/wav, */*;q=0.1"}, points=points).json()["sounds"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "request_invalid"),
        ({"points": []}, "request_invalid"),
        ({"points": [[0.0]]}, "point_invalid"),
        ({"points": [[0.0]] * 65}, "request_invalid"),
        ({"positions": [[1e30, 0.0]]}, "position_invalid"),
        ({"points": [["a"]]}, "request_invalid"),
    ],
)
def test_bad_places_are_refused(ask, asked, code):
    assert_problem(ask(**asked), 422, code)
