"""The map over the wire, and the ways between it and latent space."""

from __future__ import annotations

import math

import pytest
from app_checks import API, assert_problem


def test_the_field_has_a_value_for_each_crossing_of_its_grid(client, model, name):
    atlas = client.get(f"{API}/models/{name}/atlas").json()
    field = atlas["field"]
    assert len(field["values"]) == len(field["y"])
    assert {len(row) for row in field["values"]} == {len(field["x"])}
    assert all(v is None or math.isfinite(v) for row in field["values"] for v in row)
    assert field["coast"] == pytest.approx(model.atlas.field.coast)
    assert atlas["extent"] == pytest.approx(list(model.atlas.extent))
    assert field["levels"] == sorted(field["levels"])


def test_the_map_is_sent_once(client, name):
    first = client.get(f"{API}/models/{name}/atlas")
    again = client.get(f"{API}/models/{name}/atlas", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_library_points_are_placed_where_the_library_says(client, model, name):
    points = model.library.z[:5].tolist()
    placed = client.post(f"{API}/models/{name}/atlas/positions", json={"points": points}).json()["positions"]
    for found, known in zip(placed, model.library.positions[:5].tolist(), strict=True):
        assert found == pytest.approx(known, abs=1e-3)


def test_positions_lead_to_latent_points_of_the_models_dimension(client, model, name):
    positions = model.library.positions[:3].tolist()
    lifted = client.post(f"{API}/models/{name}/atlas/points", json={"positions": positions}).json()["points"]
    assert [len(point) for point in lifted] == [model.latent_dim] * 3
    assert all(math.isfinite(x) for point in lifted for x in point)


def test_points_of_another_dimension_are_refused_by_name(client, model, name):
    points = [[0.0] * model.latent_dim, [0.0] * (model.latent_dim + 1)]
    answer = client.post(f"{API}/models/{name}/atlas/positions", json={"points": points})
    problem = assert_problem(answer, 422, "point_invalid")
    assert str(model.latent_dim) in problem["detail"]
    assert "points[1]" in problem["detail"]


@pytest.mark.parametrize(
    ("field", "way", "code"),
    [("points", "positions", "point_invalid"), ("positions", "points", "position_invalid")],
)
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(client, model, name, field, way, code, number):
    count = model.latent_dim if field == "points" else 2
    body = f'{{"{field}": [[{", ".join([number] * count)}]]}}'
    answer = client.post(
        f"{API}/models/{name}/atlas/{way}", content=body, headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(answer, 422, code)
    assert problem["errors"][0]["where"] == f"body.{field}[0][0]"


@pytest.mark.parametrize("position", [[1e30, 0.0], [3e38, -3e38], [1e300, 1.0]])
def test_positions_off_the_map_are_refused(client, name, position):
    answer = client.post(f"{API}/models/{name}/atlas/points", json={"positions": [position]})
    assert_problem(answer, 422, "position_invalid")


@pytest.mark.parametrize(
    "body", [{"positions": []}, {"positions": [[0.0, 0.0]] * 1025}, {"positions": [[0.0]]}, {}]
)
def test_as_many_positions_as_are_allowed(client, name, body):
    assert_problem(client.post(f"{API}/models/{name}/atlas/points", json=body), 422, "request_invalid")
