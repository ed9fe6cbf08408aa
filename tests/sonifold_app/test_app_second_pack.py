"""A server with two packs: the second is loaded when it is used, and does everything that it says it can."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from app_checks import API, assert_problem
from starlette.testclient import TestClient

import sonifold
from sonifold import adapt
from sonifold_app.app import create_app
from sonifold_app.engine.local import LocalEngine
from sonifold_app.engine.packs import LazyModel, facts_of, load_packs
from sonifold_app.settings import Settings

DRUMS = f"{API}/models/drums"


@pytest.fixture(scope="module")
def two_packs(tmp_path_factory, small_models, pack_folder) -> Path:
    """The default pack with a short library, and the drums as they are."""
    folder = tmp_path_factory.mktemp("two")
    for pack in (small_models / "oneshots", pack_folder.parent / "drums"):
        shutil.copytree(pack, folder / pack.name, copy_function=os.link)
    return folder


@pytest.fixture(scope="module")
def server(two_packs, tmp_path_factory) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data")), LocalEngine(two_packs))
    with TestClient(app, base_url="http://127.0.0.1:8750", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def drums(server) -> dict[str, Any]:
    """What the second pack says of itself."""
    reply: dict[str, Any] = server.get(DRUMS).json()
    return reply


@pytest.fixture(scope="module")
def ends(server) -> list[dict[str, str]]:
    """A kick and a cymbal."""
    sounds = server.get(f"{DRUMS}/sounds").json()
    families = [sounds["family_names"][number] for number in sounds["family"]]
    return [{"sound": sounds["id"][families.index(family)]} for family in ("Kick", "Cymbal")]


def test_the_second_pack_is_loaded_when_it_is_used_and_says_the_same_of_itself_before(two_packs):
    models, unusable = load_packs(two_packs)
    assert not unusable
    assert list(models) == ["oneshots", "drums"]
    assert not isinstance(models["oneshots"], LazyModel)
    lazy = models["drums"]
    assert isinstance(lazy, LazyModel)
    before, after = (facts_of("drums", model, "code") for model in (lazy.described, lazy.load()))
    assert before.version == after.version
    assert before.metrics == after.metrics
    assert (before.library.positions == after.library.positions).all()
    assert lazy.load() is lazy.load()


def test_the_default_stays_the_default_and_has_no_learned_metric(server):
    models = server.get(f"{API}/models").json()["models"]
    assert [model["id"] for model in models] == ["oneshots", "drums"]
    assert ["learned" in model["metrics"] for model in models] == [False, True]
    url = f"{API}/models/oneshots/magnification"
    assert_problem(server.get(url, params={"metric": "learned"}), 422, "metric_unavailable")


def test_every_metric_that_it_names_makes_paths_and_is_shown_on_the_map(server, drums, ends):
    lengths = set()
    for metric in drums["metrics"]:
        path = server.post(f"{DRUMS}/paths", json={"anchors": ends, "metric": metric, "steps": 5}).json()[
            "path"
        ]
        assert path["metric"] == metric
        assert path["converged"]
        lengths.add(round(path["length"], 3))
        field = server.get(f"{DRUMS}/magnification", params={"metric": metric}).json()
        assert all(math.isfinite(value) for row in field["values"] for value in row)
    ellipses = server.get(f"{DRUMS}/indicatrices", params={"metric": "learned", "count": 30}).json()
    assert len(ellipses["ellipses"]) > 10
    assert len(lengths) == len(drums["metrics"])  # each is a way of its own


def test_every_sampler_draws_by_every_volume_that_it_names(server, drums, ends):
    for sampler in drums["samplers"]:
        asked = {"sampler": sampler["id"], "count": 2, "seed": 1, "start": ends[0]}
        draws = [
            server.post(f"{DRUMS}/samples", json={**asked, "metric": metric}).json()
            for metric in drums["volume_metrics"]
        ]
        assert all(sample["nearest"]["distance"] >= 0 for draw in draws for sample in draw["samples"])
        assert (draws[0]["samples"] != draws[1]["samples"]) is sampler["volume"]
    refused = server.post(f"{DRUMS}/samples", json={"metric": "pullback"})
    assert_problem(refused, 422, "metric_unavailable")


def test_every_kind_of_path_distance_and_a_descriptor_work_on_it(server, drums, ends):
    morphs = server.post(f"{DRUMS}/morphs", json={"anchors": ends, "kinds": drums["path_kinds"], "steps": 2})
    assert [morph["kind"] for morph in morphs.json()["morphs"]] == drums["path_kinds"]
    for distance in drums["distances"]:
        near = server.get(f"{DRUMS}/sounds/{ends[0]['sound']}/neighbours", params={"distance": distance})
        assert near.json()["distance"] == distance
    asked = {"start": ends[0], "descriptor": drums["descriptors"][0]["id"], "steps": 3, "metric": "learned"}
    assert server.post(f"{DRUMS}/traversals", json=asked).status_code == 200


def test_its_map_is_its_latent_space(server, two_packs):
    library = sonifold.load("drums", two_packs).library
    point = [0.25, -0.5]
    placed = server.post(f"{DRUMS}/atlas/positions", json={"points": [point]}).json()
    assert placed["positions"] == [point]
    assert server.post(f"{DRUMS}/atlas/points", json={"positions": [point]}).json()["points"] == [point]
    assert (library.positions == library.z).all()


def test_saved_with_a_sound_of_the_user_it_keeps_its_metric_and_its_map(two_packs, tmp_path):
    base = sonifold.load("drums", two_packs)
    click = torch.zeros(4000)
    click[50:450] = torch.linspace(1, 0, 400) * torch.randn(400, generator=torch.Generator().manual_seed(0))
    adapted = adapt.instant(base, [base.encode(click, 44_100, "Click")])
    saved = adapt.save(adapted, tmp_path / "mine")
    count = len(base.library) + 1
    assert saved.metric("learned").centroids.shape == (count, 2)
    assert saved.atlas.is_latent_space
    path = saved.geodesic(saved.sound(saved.library.ids[-1]), saved.sound(saved.library.ids[0]), "learned")
    assert path.converged
