"""A model that is flat, or overflows, is answered with an outcome or a sentence, never with an error of ours."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from app_checks import API, file_of, tone
from starlette.testclient import TestClient

from sonifold.model import Model
from sonifold_app.app import create_app
from sonifold_app.engine.finite import is_finite
from sonifold_app.engine.local import LocalEngine
from sonifold_app.settings import Settings


def with_head(model: Model, change) -> Model:
    """A model with another last layer of its decoder."""
    vae = copy.deepcopy(model.vae)
    with torch.no_grad():
        for part in (vae.decoder[-1].weight, vae.decoder[-1].bias):
            part.copy_(change(part))
    return Model(replace(model.parts, vae=vae))


@pytest.fixture(scope="module")
def app(tmp_path_factory, model):
    models = {
        "flat": with_head(model, torch.zeros_like),
        "steep": with_head(model, lambda part: part * 1e15),
    }
    app = create_app(Settings(data=tmp_path_factory.mktemp("data")), LocalEngine(load=lambda: (models, {})))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def questions(ids, metric):
    a, b, c = ({"sound": id} for id in ids[:3])
    yield "paths", {"anchors": [a, b], "metric": metric, "steps": 3}
    yield "means", {"anchors": [a, b, c], "metric": metric}
    yield "means", {"anchors": [a, b], "metric": metric}
    yield "analogies", {"a": a, "b": b, "c": c, "metric": metric}
    yield "extrapolations", {"anchors": [a, b], "to": 2.0, "metric": metric}
    yield "traversals", {"start": a, "descriptor": "brightness", "steps": 3, "metric": metric}


def assert_said(reply, path):
    assert reply.status_code in (200, 201, 422), (path, reply.status_code, reply.text[:300])
    if reply.status_code == 422:
        assert reply.json()["code"] in ("not_computable", "audio_unreadable"), reply.text
        assert reply.json()["detail"].endswith(".")
    else:
        assert is_finite(json.loads(reply.text)), path


@pytest.mark.parametrize(
    ("kind", "metric"),
    [("flat", "blend"), ("flat", "pullback"), ("steep", "pullback"), ("steep", "blend")],
)
def test_every_question_about_such_a_model_has_an_answer_in_words_or_numbers(app, kind, metric, ids):
    url = f"{API}/models/{kind}"
    for path, asked in questions(ids, metric):
        assert_said(app.post(f"{url}/{path}", json=asked), path)
    near = {"distance": "geodesic", "metric": metric, "count": 2}
    assert_said(app.get(f"{url}/sounds/{ids[5]}/neighbours", params=near), "neighbours")
    assert_said(app.get(f"{url}/indicatrices", params={"count": 4, "metric": metric}), "indicatrices")


def test_a_way_that_cannot_be_followed_further_is_a_point_with_a_caveat(app, ids):
    asked = {"anchors": [{"sound": ids[0]}, {"sound": ids[1]}], "to": 3.0, "metric": "pullback"}
    reply = app.post(f"{API}/models/flat/extrapolations", json=asked)
    assert reply.status_code == 200, reply.text
    texts = {caveat["code"]: caveat["text"] for caveat in reply.json()["warnings"]}
    assert "the decoder is flat there" in texts["stopped_early"]
    assert is_finite(reply.json())


@pytest.mark.parametrize("kind", ["flat", "steep"])
def test_drawing_hearing_and_placing_have_one_too(app, kind, ids):
    url = f"{API}/models/{kind}"
    for sampler in ("importance", "hmc", "mixture", "aggregated", "prior", "walk"):
        asked = {"sampler": sampler, "count": 2, "seed": 1}
        if sampler == "walk":
            asked["start"] = {"sound": ids[0]}
        assert_said(app.post(f"{url}/samples", json=asked), sampler)
    anchors = [{"sound": ids[0]}, {"point": [0.1] * 32}]
    assert_said(app.post(f"{url}/decodings", json={"points": [[0.1] * 32]}), "decodings")
    assert_said(app.post(f"{url}/descriptions", json={"anchors": anchors}), "descriptions")
    assert_said(app.post(f"{url}/atlas/positions", json={"points": [[0.1] * 32]}), "positions")
    morph = {"anchors": anchors, "kinds": ["geodesic", "linear"], "steps": 2}
    assert_said(app.post(f"{url}/morphs", json=morph), "morphs")
    assert_said(app.post(f"{url}/sounds", json={"point": [0.1] * 32, "name": "kept"}), "sounds")


@pytest.mark.parametrize("size", [1e300, -1e39, 1e30, 1e19, 1e-30])
@pytest.mark.parametrize("path", ["uploads", "sounds", "embeddings"])
def test_a_file_of_enormous_or_tiny_floats_is_drawn_with_numbers_or_refused_in_words(
    client, name, path, size
):
    data = file_of(tone().astype(np.float64) * size, subtype="DOUBLE")
    reply = client.post(f"{API}/models/{name}/{path}", files=[("files", ("odd.wav", data))])
    assert reply.status_code in (200, 201, 422), reply.text
    if reply.status_code == 422:
        assert reply.json()["code"] in ("audio_unreadable", "audio_silent"), reply.text
    elif path == "uploads":
        (file,) = reply.json()["files"]
        assert np.isfinite(np.array(file["overview"], float)).all()
        assert np.abs(file["overview"]).max() <= 1
    elif path == "sounds":
        (sound,) = reply.json()["sounds"]
        assert np.isfinite([sound["x"], sound["y"], *sound["z"]]).all()
        assert client.delete(f"{API}/models/{name}/sounds/{sound['id']}").status_code == 204
    else:
        assert is_finite(reply.json())
