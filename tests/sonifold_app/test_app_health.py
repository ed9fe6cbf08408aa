"""Alive at once, ready when loaded, and never a traceback on the way."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest
from app_checks import API, assert_problem
from starlette.testclient import TestClient

from sonifold.pack import read_config
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.routes import services
from sonifold_app.settings import Settings


@pytest.fixture
def gate():
    return threading.Event()


@pytest.fixture
def loading(gate, model, name, tmp_path):
    """A server whose models are loaded once the gate is opened."""

    def load():
        gate.wait(30)
        return {name: model}, {}

    app = create_app(Settings(data=tmp_path), LocalEngine(load=load))
    with TestClient(app, base_url="http://127.0.0.1:8750") as client:
        yield client
        gate.set()


def test_the_server_lives_before_its_models_are_loaded(loading):
    assert loading.get("/livez").json() == {"status": "alive"}
    assert_problem(loading.get("/readyz"), 503, "not_ready")


def test_a_request_that_comes_too_early_is_told_when_to_come_again(loading, monkeypatch):
    monkeypatch.setattr(services, "PATIENCE_SECONDS", 0.01)
    answer = loading.get(f"{API}/models")
    assert_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"] == "1"


def test_a_request_that_comes_a_little_early_waits(loading, gate, name):
    threading.Timer(0.1, gate.set).start()
    assert [model["id"] for model in loading.get(f"{API}/models").json()["models"]] == [name]


def test_readyz_names_the_models_and_where_they_compute(client, name):
    client.get(f"{API}/models")
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "models": [name], "device": "cpu"}


def test_packs_are_loaded_once_what_the_machine_was_short_of_is_there_again(model, name, tmp_path):
    shortages = [
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ]

    def load():
        if shortages:
            raise shortages.pop()
        return {name: model}, {}

    app = create_app(Settings(data=tmp_path), LocalEngine(load=load))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert [model["id"] for model in client.get(f"{API}/models").json()["models"]] == [name]
        assert client.get("/readyz").status_code == 200


def test_a_pack_that_no_file_can_be_opened_for_is_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        read_config(tmp_path)


def test_packs_that_cannot_even_be_looked_for_make_the_server_unready(tmp_path):
    def load():
        raise PermissionError("models: no")

    app = create_app(Settings(data=tmp_path), LocalEngine(load=load))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        assert client.get("/livez").status_code == 200
        problem = assert_problem(client.get(f"{API}/models"), 500, "internal_error")
        assert "models: no" not in str(problem)
        assert_problem(client.get("/readyz"), 500, "internal_error")
