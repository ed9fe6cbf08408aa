"""The measures of shape on shapes that are known: a circle has a loop, a cube its dimension, noise neither."""

import json

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform

from sonifold.evaluate import resume, topology
from sonifold.evaluate.topology import NEIGHBOURS

# scikit-dimension and scikit-learn are imported where they are compared with: every lane collects this file.
DRAW = np.random.default_rng(0)
GAUSS = DRAW.normal(size=(400, 5)) @ DRAW.normal(size=(5, 20))


def matrix(points):
    return squareform(pdist(points))


def nearest(points, k=NEIGHBOURS):
    return np.sort(matrix(points) + np.diag(np.full(len(points), np.inf)), 1)[:, :k]


@pytest.mark.parametrize("dimension", [1, 2, 4])
def test_a_cube_has_the_dimension_it_has(dimension):
    """Edges pull every estimator down a little, the more the higher the dimension."""
    cube = np.random.default_rng(1).uniform(size=(1000, dimension)) @ np.eye(dimension, 10)
    near = nearest(cube)
    for estimate in (topology.two_nn(near), topology.maximum_likelihood(near)):
        assert 0.8 * dimension < estimate.mean < 1.15 * dimension
        assert estimate.low < estimate.mean < estimate.high
    found = topology.correlation(matrix(cube), resamples=10)
    assert 0.75 * dimension < found.mean < 1.15 * dimension


def test_estimates_from_distances_agree_with_those_of_scikit_dimension_from_coordinates():
    import skdim

    assert topology.two_nn(nearest(GAUSS)).mean == pytest.approx(
        skdim.id.TwoNN().fit(GAUSS).dimension_, rel=0.12
    )
    ours = topology.maximum_likelihood(nearest(GAUSS)).mean
    assert ours == pytest.approx(skdim.id.MLE().fit(GAUSS).dimension_, rel=0.25)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_point_that_occurs_twice_counts_once():
    import skdim

    points = np.random.default_rng(5).normal(size=(300, 4))
    again = np.concatenate([points, points[:1], points[7:9]])
    assert skdim.id.MLE().fit(again).dimension_ == 0  # what would be reported otherwise
    once = topology.coordinate_dimensions(points)
    assert topology.coordinate_dimensions(again) == pytest.approx(once, rel=1e-6)
    assert topology.distinct(torch.from_numpy(again)).tolist() == list(range(300))


def test_a_point_is_a_repetition_in_whichever_space_it_repeats():
    z, phi = torch.tensor([[0.0], [0.0], [1.0], [2.0]]), torch.tensor([[5.0], [6.0], [7.0], [7.0]])
    assert topology.distinct(z, phi).tolist() == [0, 2]


def test_a_circle_has_one_loop_that_its_gaussian_has_not():
    angle = np.random.default_rng(2).uniform(0, 2 * np.pi, 150)
    circle = matrix(np.stack([np.cos(angle), np.sin(angle)], 1))
    clouds = [topology.homology(d) for d in topology.gaussian_clouds(circle, 20)]
    found = topology.against_null(topology.homology(circle), clouds)
    assert found["loops_beyond_null"] == 1
    assert found["rank_of_longest"] == 1.0
    assert found["longest_loop"] == pytest.approx(
        np.sqrt(3), abs=0.3
    )  # filled at the inscribed triangle's side


def test_a_gaussian_is_like_its_own_null():
    points = matrix(np.random.default_rng(3).normal(size=(150, 6)))
    clouds = [topology.homology(d) for d in topology.gaussian_clouds(points, 40)]
    found = topology.against_null(topology.homology(points), clouds)
    assert found["loops_beyond_null"] <= 1
    assert found["components"] == pytest.approx(found["null_components"]["median"], rel=0.05)


def test_clouds_have_the_covariance_of_the_points():
    clouds = topology.gaussian_clouds(matrix(GAUSS), 20)
    mean_square = np.mean([(d**2).mean() for d in clouds])
    assert mean_square == pytest.approx((matrix(GAUSS) ** 2).mean(), rel=0.03)


def test_the_same_space_is_kept_whole_and_an_unrelated_one_is_not():
    same = topology.distance_preservation(matrix(GAUSS[:150]), 3 * matrix(GAUSS[:150]))
    assert all(estimate.mean == pytest.approx(1.0) for estimate in same.values())
    other = topology.distance_preservation(
        matrix(GAUSS[:150]), matrix(np.random.default_rng(4).normal(size=(150, 5)))
    )
    assert abs(other["spearman"].mean) < 0.1
    assert other["trustworthiness"].mean < 0.6


def test_trustworthiness_is_that_of_scikit_learn():
    from sklearn.manifold import trustworthiness

    flat = GAUSS[:, :2]
    ours = topology.trustworthiness(matrix(GAUSS), matrix(flat))
    assert ours.mean == pytest.approx(trustworthiness(GAUSS, flat, n_neighbors=NEIGHBOURS))


def test_halves_of_one_space_are_the_yardstick_of_diagram_distances():
    twisted = np.stack([np.cos(GAUSS[:, 0]), np.sin(GAUSS[:, 0])], 1)
    same = topology.diagram_distances(matrix(GAUSS), matrix(GAUSS))
    other = topology.diagram_distances(matrix(GAUSS), matrix(twisted))
    assert same["spaces"]["wasserstein"] == pytest.approx(0, abs=1e-6)
    assert same["halves"]["wasserstein"] > 0.1
    assert other["spaces"]["bottleneck"] > 2 * other["halves"]["bottleneck"]


def test_purity_counts_the_nearest():
    line = matrix(np.array([[0.0], [0.1], [5.0], [5.1]]))
    assert topology.purity(line, np.array(["a", "a", "b", "b"]))["same"].mean == 1.0
    assert topology.purity(line, np.array(["a", "b", "a", "b"]))["same"].mean == 0.0


def test_an_interrupted_measurement_goes_on_where_it_stopped(tmp_path):
    seen = []

    def measure(index):
        if index == 3 and len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(index)
        return {"value": index**2}

    with pytest.raises(KeyboardInterrupt):
        resume.cases("squares", {"seed": 0}, 5, measure, tmp_path)
    with (tmp_path / "squares.jsonl").open("a") as file:
        file.write('{"val')  # cut off in the middle of a line
    seen.append(None)
    found = resume.cases("squares", {"seed": 0}, 5, measure, tmp_path)
    assert [one["value"] for one in found] == [0, 1, 4, 9, 16]
    assert seen == [0, 1, 2, None, 3, 4]
    resume.forget("squares", tmp_path)
    assert not (tmp_path / "squares.jsonl").exists()


def test_cases_of_another_pack_are_not_taken_over(tmp_path):
    (tmp_path / "x.jsonl").write_text(
        json.dumps({"weights": "old"}) + "\n" + json.dumps({"value": -1}) + "\n"
    )
    found = resume.cases("x", {"weights": "new"}, 2, lambda index: {"value": index}, tmp_path)
    assert [one["value"] for one in found] == [0, 1]
