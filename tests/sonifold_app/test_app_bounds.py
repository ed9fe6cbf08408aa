"""What is bounded says so over HTTP: whoever comes past the bound is told when to come again, or what to delete."""

from __future__ import annotations

import dataclasses
import logging
import time
from contextlib import contextmanager

import pytest
from app_checks import API, assert_problem, file_of, tone
from starlette.testclient import TestClient

from sonifold_app.app import create_app
from sonifold_app.http import logs
from sonifold_app.http.sessions import Guesses
from sonifold_app.http.waiting import Line
from sonifold_app.settings import Settings
from sonifold_app.store import listening
from sonifold_app.user import models

TOKEN = "a token long enough to be one"


@pytest.fixture
def full(client):
    """``with full("uploads"): ...``: somebody is inside of that line, and nobody may wait."""
    state = client.app.state

    @contextmanager
    def filled(name):
        services, line = state.services, Line(at_once=1, waiting=0, seconds=8.0)
        state.services = dataclasses.replace(services, **{name: line})
        client.portal.call(line.__aenter__)
        try:
            yield
        finally:
            client.portal.call(line.__aexit__, None, None, None)
            state.services = services

    return filled


@pytest.fixture(scope="module")
def sound():
    return {"files": ("kick.wav", file_of(tone()), "audio/wav")}


@pytest.fixture(scope="module")
def mine(client, name, sound):
    """The ids of three sounds of the user's."""
    notes = [
        ("files", (f"{hertz}.wav", file_of(tone(hertz=hertz)), "audio/wav")) for hertz in (110, 220, 330)
    ]
    reply = client.post(f"{API}/models/{name}/sounds", files=notes)
    assert reply.status_code == 201, reply.text
    ids = [sound["id"] for sound in reply.json()["sounds"]]
    yield ids
    for id in ids:
        client.delete(f"{API}/models/{name}/sounds/{id}")


def assert_busy(reply):
    problem = assert_problem(reply, 503, "server_busy")
    assert int(reply.headers["retry-after"]) >= 1
    assert problem["expected_wait"] > 0


@pytest.mark.parametrize("path", ["uploads", "embeddings", "sounds"])
def test_files_past_the_line_of_uploads_are_refused_for_the_moment(client, name, sound, full, path):
    with full("uploads"):
        assert_busy(client.post(f"{API}/models/{name}/{path}", files=sound))
    reply = client.post(f"{API}/models/{name}/{path}", files=sound)
    assert reply.status_code in (200, 201)
    if path == "sounds":
        for each in reply.json()["sounds"]:
            client.delete(f"{API}/models/{name}/sounds/{each['id']}")


def test_adapting_past_its_line_is_refused_for_the_moment(client, name, mine, full):
    with full("adapting"):
        assert_busy(client.post(f"{API}/models/{name}/adaptations", json={"sounds": mine}))
    reply = client.post(f"{API}/models/{name}/adaptations", json={"sounds": mine})
    assert reply.status_code == 201
    client.delete(f"{API}/models/{reply.json()['result']}")


def test_models_past_the_line_of_imports_are_refused_for_the_moment(client, full):
    file = {"file": ("kit.sonifold.zip", b"no archive", "application/zip")}
    with full("imports"):
        assert_busy(client.post(f"{API}/models", files=file))
    assert_problem(client.post(f"{API}/models", files=file), 422, "pack_invalid")


def test_files_of_models_past_their_line_are_refused_for_the_moment(client, name, full):
    file = f"{API}/models/{name}/file"
    with full("exports"):
        assert_busy(client.get(file))
    with client.stream("GET", file) as reply:
        assert reply.status_code == 200
        assert next(reply.iter_bytes(1 << 16))[:2] == b"PK"
    assert client.portal.call(client.app.state.services.exports.enter)  # its place is free again
    client.app.state.services.exports.leave(time.monotonic())


def test_what_earlier_versions_left_of_exports_is_swept_at_the_start(tmp_path, engine_of):
    left = tmp_path / "cache" / "files" / "oneshots.sonifold.zip"
    left.parent.mkdir(parents=True)
    left.write_bytes(bytes(1000))
    with TestClient(create_app(Settings(data=tmp_path), engine_of()), base_url="http://localhost"):
        assert not left.parent.exists()


def test_a_model_past_the_last_is_refused_until_one_is_deleted(client, monkeypatch):
    file = {"file": ("kit.sonifold.zip", b"no archive", "application/zip")}
    monkeypatch.setattr(models, "MOST_IMPORTED", 0)
    assert (
        "Delete one" in assert_problem(client.post(f"{API}/models", files=file), 409, "models_full")["detail"]
    )
    monkeypatch.undo()
    assert_problem(client.post(f"{API}/models", files=file), 422, "pack_invalid")


def test_listening_tests_and_their_listeners_are_bounded(client, ids, monkeypatch):
    tests = f"{API}/listening-tests"
    request = {
        "conditions": [{"kind": "linear"}, {"kind": "crossfade"}],
        "pairs": [{"start": ids[0], "end": ids[40]}],
        "trials": 8,
        "steps": 3,
    }
    kept = len(client.get(tests).json()["tests"])
    monkeypatch.setattr(listening, "MOST_TESTS", kept + 1)
    first = client.post(tests, json=request)
    assert first.status_code == 202
    assert_problem(client.post(tests, json=request), 409, "listening_tests_full")
    monkeypatch.setattr(listening, "MOST_LISTENERS", 0)
    address = first.headers["location"]
    for _ in range(600):
        if client.get(address).json()["state"] != "preparing":
            break
        time.sleep(0.1)
    assert_problem(client.post(f"{address}/listeners", json={}), 409, "listening_tests_full")
    assert client.delete(address).status_code == 204
    again = client.post(tests, json=request)  # there is room again
    assert again.status_code == 202
    client.delete(again.headers["location"])


def test_wrong_tokens_past_the_line_are_told_when_to_come_again(tmp_path, engine_of, monkeypatch):
    monkeypatch.setattr(Guesses, "FREE", 2)
    monkeypatch.setattr(Guesses, "MOST_WAITING", 0)
    settings = Settings(data=tmp_path / "data", token=TOKEN, host="0.0.0.0")
    with TestClient(create_app(settings, engine_of()), base_url="http://studio.example:8750") as client:
        for n in range(2):
            reply = client.get(f"{API}/models", headers={"Authorization": f"Bearer wrong {n}"})
            assert reply.status_code == 401
        reply = client.get(f"{API}/models", headers={"Authorization": "Bearer wrong again"})
        assert_problem(reply, 429, "too_many_guesses")
        assert int(reply.headers["retry-after"]) >= 1


def test_loggers_that_clients_can_fill_are_bounded_once(monkeypatch, caplog):
    monkeypatch.setattr(logs, "NOISY", ("a noisy one", "another noisy one"))
    logs.bound()
    logs.bound()
    for name in logs.NOISY:
        for _ in range(50):
            logging.getLogger(name).warning("Invalid HTTP request received.")
    assert len(caplog.records) == len(logs.NOISY) * logs.Sparse.MOST
