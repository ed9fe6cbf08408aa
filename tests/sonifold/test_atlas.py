"""The map on constructed libraries: exact where sounds lie, affine between them, sea away from them."""

import pytest
import torch

from sonifold.atlas import Atlas, Field, layout, smooth_course
from sonifold.atlas.atlas import lift, project
from sonifold.atlas.indicatrices import indicatrices_on_land
from sonifold.atlas.magnification import magnification_field
from sonifold.errors import PositionInvalid
from sonifold.metric import Flat, KernelMetric


@pytest.fixture(scope="module")
def sheet():
    """Sounds on a flat sheet in five dimensions, laid out as what it is: positions (n, 2), z (n, 5)."""
    positions = torch.rand(400, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    basis = torch.linalg.qr(torch.randn(5, 2, generator=torch.Generator().manual_seed(1)))[0]
    return positions, 3 * positions @ basis.T


@pytest.fixture(scope="module")
def atlas(sheet):
    positions, z = sheet
    return Atlas(z, z, positions, layout.field(positions, z, z, lambda points: points), {})


def test_known_sounds_are_placed_exactly(sheet):
    positions, z = sheet
    torch.testing.assert_close(project(z, z, positions), positions, atol=1e-4, rtol=0)


def test_known_positions_are_lifted_exactly(sheet):
    positions, z = sheet
    torch.testing.assert_close(lift(positions, positions, z), z, atol=5e-3, rtol=0)


def test_between_sounds_an_affine_map_is_recovered(sheet):
    positions, z = sheet
    inside = (torch.rand(50, 2, generator=torch.Generator().manual_seed(2)) * 2 - 1) * 0.8
    basis = torch.linalg.lstsq(positions, z).solution
    assert (lift(inside, positions, z) - inside @ basis).norm(dim=1).median() < 0.05


def test_there_and_back_stays_near(atlas):
    inside = (torch.rand(50, 2, generator=torch.Generator().manual_seed(3)) * 2 - 1) * 0.8
    assert (atlas.project(atlas.lift(inside)) - inside).norm(dim=1).median() < 0.08


def test_land_is_where_sounds_are_and_all_around_is_sea(atlas, sheet):
    positions, _ = sheet
    assert atlas.on_land(positions).float().mean() > 0.9
    x0, x1, y0, y1 = atlas.extent
    assert not atlas.on_land(torch.tensor([[x0, y0], [x1, y0], [x0, y1], [x1, y1]])).any()


def test_a_hole_in_the_data_is_water():
    ring = torch.rand(600, generator=torch.Generator().manual_seed(4)) * 6.2832
    positions = torch.stack([ring.cos(), ring.sin()], 1) * (0.8 + 0.1 * torch.randn(600, 1).clamp(-1, 1))
    field = layout.field(positions, positions * 3, positions * 3, lambda points: points)
    assert field.at(torch.zeros(1, 2)) > field.coast


def test_a_field_is_interpolated_between_its_nodes():
    x, y = torch.linspace(-1, 1, 5), torch.linspace(0, 2, 9)
    field = Field(x, y, y[:, None] + 2 * x, coast=0.0)
    at = torch.tensor([[0.3, 0.7], [-0.9, 1.9]])
    torch.testing.assert_close(field.at(at), at[:, 1] + 2 * at[:, 0])


@pytest.mark.parametrize("bad", [[[float("nan"), 0.0]], [[0.0, float("inf")]]])
def test_positions_that_are_no_numbers_are_refused(atlas, bad):
    with pytest.raises(PositionInvalid):
        atlas.lift(torch.tensor(bad))


def test_a_smoothed_course_keeps_its_ends_and_straight_lines():
    line = torch.stack([torch.linspace(0, 1, 65), torch.linspace(1, -1, 65)], 1)
    torch.testing.assert_close(smooth_course(line), line, atol=1e-5, rtol=0)
    kinked = line + 0.1 * torch.randn(65, 2, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(smooth_course(kinked)[[0, -1]], kinked[[0, -1]])
    assert smooth_course(kinked).diff(dim=0).norm(dim=1).sum() < kinked.diff(dim=0).norm(dim=1).sum()


def test_placing_by_the_others_is_near_on_a_smooth_sheet(sheet):
    positions, z = sheet
    error = layout.placement_error(z, positions)
    assert error["median"] < 0.03 < 0.2 < error["chance"]


@pytest.mark.long  # numba compiles UMAP first
def test_the_layout_is_the_same_for_the_same_seed_and_keeps_clusters_apart():
    draw = torch.Generator().manual_seed(6)
    clusters = torch.cat([torch.randn(60, 8, generator=draw) + 12 * k for k in range(3)])
    positions = layout.layout(clusters)
    torch.testing.assert_close(layout.layout(clusters), positions, rtol=0, atol=0)
    centres = positions.reshape(3, 60, 2).mean(1)
    spread = (positions.reshape(3, 60, 2) - centres[:, None]).norm(dim=2).median()
    assert torch.pdist(centres).min() > 2 * spread


def test_water_is_the_share_of_a_course_off_land():
    """Land left of x = 0, sea right of it."""
    x, y = torch.linspace(-1, 1, 201), torch.linspace(-1, 1, 3)
    atlas = Atlas(
        torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 2), Field(x, y, x.expand(3, 201), 0.0), {}
    )
    course = torch.stack([torch.linspace(-1, 1, 65), torch.zeros(65)], 1)
    assert atlas.water(course) == pytest.approx(0.5, abs=0.02)
    assert atlas.water(course[:30]) == 0
    assert atlas.water(torch.tensor([[-0.9, 0.0], [0.9, 0.0]])) == pytest.approx(0.5, abs=0.02)


def test_on_a_flat_sheet_the_slopes_are_its_basis_and_every_indicatrix_a_circle(atlas, sheet):
    positions, z = sheet
    basis = torch.linalg.lstsq(positions, z).solution
    inside = (torch.rand(50, 2, generator=torch.Generator().manual_seed(5)) * 2 - 1) * 0.7
    assert (atlas.slopes(inside) - basis).abs().quantile(0.9) < 0.1
    found = indicatrices_on_land(atlas, Flat(), 30)
    radii = found.outlines.norm(dim=2)
    assert 20 <= len(found.positions) <= 45
    # the sheet is three times as large as the map: what is r long there is r / 3 long on paper
    assert (radii * 3 / found.radius - 1).abs().quantile(0.8) < 0.1
    assert not found.cut.all()


@pytest.fixture(scope="module")
def plane():
    """A latent space of two dimensions that is its own map."""
    z = 3 * torch.randn(60, 2, generator=torch.Generator().manual_seed(5))
    return Atlas(z, z, z, layout.field(z, z, z, lambda points: points), {})


def test_a_latent_space_that_is_its_own_map_needs_no_fit(plane):
    points = torch.tensor([[0.25, -1.5], [7.0, 2.0]])
    assert plane.is_latent_space
    assert torch.equal(plane.lift(points), points)
    assert torch.equal(plane.slopes(points), torch.eye(2).expand(2, 2, 2))
    assert plane.on_land(plane.z).float().mean() > 0.9


def test_the_field_of_a_metric_over_its_own_space_is_its_magnification(plane):
    metric = KernelMetric.isotropic(plane.z)
    field = magnification_field(plane, metric, 7, 5)
    grid = torch.cartesian_prod(field.y, field.x).flip(1)
    torch.testing.assert_close(field.values.flatten(), metric.magnification(grid), atol=1e-4, rtol=1e-4)
    assert (field.at(plane.z) <= field.coast).float().mean() > 0.9


def test_a_flat_metric_has_no_sea_on_a_map_of_its_own_space(plane):
    field = magnification_field(plane, Flat(), 6, 6)
    assert (field.values <= field.coast).all()
    assert field.levels == sorted(set(field.levels))


def test_the_field_of_a_metric_on_a_sheet_stretches_with_the_sheet(atlas):
    field = magnification_field(atlas, Flat(), 32, 24)
    # the sheet is three times as large as its picture: log sqrt det of 9 I is log 9
    assert field.at(atlas.positions[::10]).median() == pytest.approx(2.197, abs=0.15)


def test_a_field_needs_a_grid(plane):
    with pytest.raises(ValueError, match="2 columns"):
        magnification_field(plane, Flat(), 1, 5)
