"""New sounds by every sampler, replayed by their seed, and neighbours by every distance."""

from __future__ import annotations

import numpy as np
import pytest
from app_checks import API, assert_problem

SAMPLERS = ["importance", "hmc", "mixture", "aggregated", "prior", "walk"]


@pytest.fixture
def ask(client, name):
    return lambda **asked: client.post(f"{API}/models/{name}/samples", json=asked)


def test_a_model_names_its_samplers(client, name):
    samplers = {one["id"]: one for one in client.get(f"{API}/models/{name}").json()["samplers"]}
    assert set(samplers) == set(SAMPLERS)
    assert samplers["walk"]["start"]
    assert not samplers["prior"]["start"]
    assert all(one["title"] for one in samplers.values())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_and_the_seed_repeats_the_draw(ask, ids, model, sampler):
    asked = {"sampler": sampler, "count": 3, "seed": 11, "start": {"sound": ids[5]}}
    reply = ask(**asked).json()
    assert reply["sampler"] == sampler
    assert reply["unit"] == model.unit
    assert len(reply["samples"]) == 3
    for one in reply["samples"]:
        assert len(one["point"]) == model.latent_dim
        assert one["nearest"]["id"] in ids
        assert one["nearest"]["distance"] >= 0
    assert ask(**asked).json() == reply
    assert ask(**{**asked, "seed": 12}).json()["samples"] != reply["samples"]
    assert reply["diagnostics"]["escapes"] in (None, 0)
    assert (reply["diagnostics"]["acceptance"] is None) is (sampler not in ("hmc", "walk"))
    assert (reply["diagnostics"]["effective"] is None) is (sampler != "importance")


def test_without_a_seed_there_is_a_new_one_that_can_be_replayed(ask):
    first, second = (ask(sampler="prior", count=2).json() for _ in range(2))
    assert first["seed"] != second["seed"]
    assert ask(sampler="prior", count=2, seed=first["seed"]).json() == first


def test_temperature_widens_the_prior(ask):
    cold, hot = (
        np.array([one["point"] for one in ask(sampler="prior", count=64, seed=3, temperature=t).json()["samples"]])
        for t in (0.5, 2.0)
    )  # fmt: skip
    assert hot == pytest.approx(4 * cold, rel=1e-4)


def test_samples_can_be_heard(client, ask, name, model):
    points = [one["point"] for one in ask(count=2, seed=1).json()["samples"]]
    sounds = client.post(f"{API}/models/{name}/decodings", json={"points": points}).json()["sounds"]
    assert [one["audio"]["frames"] for one in sounds] == [model.sound_samples] * 2


BAD = {
    "an unknown sampler": ({"sampler": "dice"}, "request_invalid"),
    "none": ({"count": 0}, "request_invalid"),
    "65": ({"count": 65}, "request_invalid"),
    "a billion": ({"count": 10**9}, "request_invalid"),
    "half a sound": ({"count": 1.5}, "request_invalid"),
    "a negative seed": ({"seed": -1}, "request_invalid"),
    "a seed no page can hold": ({"seed": 2**63}, "request_invalid"),
    "no warmth": ({"temperature": 0}, "request_invalid"),
    "too hot": ({"temperature": 1e6}, "request_invalid"),
    "a walk from nowhere": ({"sampler": "walk"}, "start_missing"),
    "a walk from a short point": ({"sampler": "walk", "start": {"point": [0.0]}}, "point_invalid"),
    "an unknown field": ({"sampler": "prior", "steps": 3}, "request_invalid"),
    "text": ("prior", "request_invalid"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD)
def test_bad_questions_are_answered_with_what_is_wrong(client, name, body, code):
    assert_problem(client.post(f"{API}/models/{name}/samples", json=body), 422, code)


def test_a_walk_from_an_unknown_sound_is_not_found(ask):
    assert_problem(ask(sampler="walk", start={"sound": "none"}), 404, "sound_not_found")


# -- neighbours ----------------------------------------------------------------------------------


@pytest.fixture
def neighbours(client, ids, name):
    def ask(row: int, **query):
        return client.get(f"{API}/models/{name}/sounds/{ids[row]}/neighbours", params=query)

    return ask


def test_euclidean_neighbours_are_the_nearest_latent_points(neighbours, ids, model):
    away = (model.library.z - model.library.z[7]).norm(dim=1)
    away[7] = np.inf
    reply = neighbours(7, count=5, distance="euclidean").json()
    assert reply["unit"] is None
    assert [one["id"] for one in reply["neighbours"]] == [ids[i] for i in away.argsort()[:5]]
    assert reply["neighbours"][0]["distance"] == pytest.approx(float(away.min()), rel=1e-4)


def test_by_the_flat_metric_geodesic_neighbours_are_the_euclidean_ones(neighbours):
    flat = neighbours(7, count=5, distance="geodesic", metric="flat").json()["neighbours"]
    straight = neighbours(7, count=5, distance="euclidean").json()["neighbours"]
    assert [one["id"] for one in flat] == [one["id"] for one in straight]
    assert [one["distance"] for one in flat] == pytest.approx([one["distance"] for one in straight], rel=1e-3)


def test_geodesic_neighbours_come_nearest_first_without_the_sound_itself(neighbours, ids):
    found = neighbours(3, count=6, metric="pullback").json()
    assert found == neighbours(3, count=6, distance="geodesic").json()
    assert found["distance"] == "geodesic"
    assert found["unit"] == "tdB"
    distances = [one["distance"] for one in found["neighbours"]]
    assert distances == sorted(distances)
    assert len({one["id"] for one in found["neighbours"]} - {ids[3]}) == 6


@pytest.mark.parametrize(
    "query",
    [{"distance": "miles"}, {"metric": "dB"}, {"weight": "-1"}, {"weight": "nan"}, {"weight": "inf"}],
)
def test_an_unknown_distance_is_refused(neighbours, query):
    assert_problem(neighbours(0, **{"distance": "geodesic", **query}), 422, "request_invalid")


# -- indicatrices --------------------------------------------------------------------------------


def test_indicatrices_lie_on_land_and_each_point_of_them_is_equally_far(client, name, model):
    import torch

    reply = client.get(f"{API}/models/{name}/indicatrices", params={"count": 40, "metric": "pullback"}).json()
    ellipses = reply["ellipses"]
    assert 25 <= len(ellipses) <= 60
    positions = torch.tensor([[one["x"], one["y"]] for one in ellipses])
    assert model.atlas.on_land(positions).all()
    slopes = model.atlas.slopes(positions)
    tensors = slopes @ model.metric("pullback").tensor(model.atlas.lift(positions)) @ slopes.mT
    whole = [i for i, one in enumerate(ellipses) if not one["cut"]]
    assert len(whole) > len(ellipses) / 2
    for i in whole:
        outline = torch.tensor(ellipses[i]["outline"])
        lengths = torch.einsum("ci,ij,cj->c", outline, tensors[i], outline).sqrt()
        assert lengths.tolist() == pytest.approx([reply["radius"]] * len(outline), rel=2e-2)


@pytest.mark.parametrize("query", [{"count": 0}, {"count": 10**9}, {"metric": "x"}, {"weight": "nan"}])
def test_indicatrices_out_of_bounds_are_refused(client, name, query):
    assert_problem(client.get(f"{API}/models/{name}/indicatrices", params=query), 422, "request_invalid")
