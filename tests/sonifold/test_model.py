"""The shipped pack, whole: sounds, paths, morphs, map, distances - what a user relies on."""

import math
import shutil

import numpy as np
import pytest
import soundfile
import torch

import sonifold
from sonifold import geodesic
from sonifold.audio import timbre_features
from sonifold.audio.levels import log_mel_error
from sonifold.choices import DistanceName
from sonifold.errors import (
    ArtifactCorrupt,
    AudioUnreadable,
    PackInvalid,
    PackNotFound,
    PointInvalid,
    PositionInvalid,
    SoundNotFound,
)
from sonifold.model.metrics import Metrics
from sonifold.representation.spectral import ONSET


@pytest.fixture(scope="module")
def ends(model):
    """Two sounds of different families."""
    families = model.library.families
    return model.sound(model.library.ids[families.index("Kick")]), model.sound(
        model.library.ids[families.index("Bell")]
    )


@pytest.fixture(scope="module")
def path(model, ends):
    return model.geodesic(*ends)


@pytest.fixture(scope="module")
def morph(model, path):
    """The path as rendered and its sound."""
    return model.morph(path)


@pytest.fixture(scope="module")
def clip(morph):
    return morph[1]


# -- the pack -------------------------------------------------------------------------------------


def test_the_pack_ships_at_least_a_thousand_different_sounds_with_licence_and_credit(model):
    library = model.library
    assert len(set(library.ids)) == len(library) >= 1000
    assert all(label.licence and label.credit and label.source for label in library.labels)
    assert all(label.licence.startswith(("MIT", "CC0", "CC-BY-3.0")) for label in library.labels)


def test_every_family_is_one_of_the_named(model):
    assert set(model.library.families) == set(model.library.family_names)


def test_every_sound_is_sound(model):
    for sound_id in model.library.ids[::100]:
        audio = model.library.audio(sound_id, model.sound_samples)
        assert 0.3 < audio.abs().max() <= 1.0


@pytest.fixture
def copy(pack_folder, tmp_path):
    """The pack in a folder of its own, to be damaged."""
    return shutil.copytree(pack_folder, tmp_path / "oneshots")


def test_a_whole_pack_has_no_problem(copy):
    assert [(status.name, status.problem) for status in sonifold.packs(copy.parent)] == [("oneshots", None)]


def test_a_flipped_bit_is_found(copy):
    weights = copy / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ArtifactCorrupt, match=r"weights\.safetensors differs"):
        sonifold.load(copy)


def test_a_half_copied_pack_is_refused_with_a_sentence(copy):
    next((copy / "audio").iterdir()).unlink()
    [status] = sonifold.packs(copy.parent)
    assert "missing" in status.problem
    assert "copy it again" in status.problem


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "name": 3}'])
def test_a_damaged_config_is_refused(copy, text):
    (copy / "pack.json").write_text(text)
    with pytest.raises(PackInvalid, match="oneshots"):
        sonifold.load(copy)


def test_a_config_that_points_outside_the_pack_is_refused(copy):
    config = (copy / "pack.json").read_text()
    (copy / "pack.json").write_text(config.replace('"CARD.md":', '"../secret":', 1))
    with pytest.raises(ArtifactCorrupt, match="outside"):
        sonifold.load(copy)


@pytest.mark.usefixtures("pack_folder")
def test_an_unknown_pack_is_named_beside_those_there_are():
    with pytest.raises(PackNotFound, match=r"'nonesuch'.*oneshots"):
        sonifold.load("nonesuch")


# -- sounds ---------------------------------------------------------------------------------------


def test_a_library_sound_encoded_from_its_file_lands_where_it_lies(model):
    sound_id = model.library.ids[5]
    again = model.encode(model.library.audio_path(sound_id))
    known = model.sound(sound_id)
    assert model.distance(known, again, "geodesic") < 0.1 * float(
        model.nearby.perceptual(model.timbre(known)).median()
    )


def test_an_unknown_sound_is_refused(model):
    with pytest.raises(SoundNotFound, match="ffffffffffff"):
        model.sound("ffffffffffff")


@pytest.mark.parametrize("bad", [[1.0], [math.nan] * 32, [math.inf] * 32, [1e9] * 32, ["a"] * 32], ids=str)
def test_bad_points_are_refused(model, bad):
    with pytest.raises(PointInvalid):
        model.point(bad)


@pytest.mark.parametrize("bad", [(math.nan, 0.0), (math.inf, 0.0), (1e9, 0.0)])
def test_bad_map_positions_are_refused(model, bad):
    with pytest.raises(PositionInvalid):
        model.at(*bad)


def test_text_is_not_a_sound(model):
    with pytest.raises(AudioUnreadable):
        model.encode(b"not a sound at all")


# -- paths ----------------------------------------------------------------------------------------


def test_a_path_begins_and_ends_at_its_sounds(path, ends):
    torch.testing.assert_close(path.nodes[0], ends[0].z)
    torch.testing.assert_close(path.nodes[-1], ends[1].z)


def test_a_geodesic_has_no_more_energy_than_the_line(path):
    assert path.energy <= path.line_energy
    assert path.converged, path.outcome


def test_a_re_timed_path_is_even_and_the_line_is_less_so(model, path, ends):
    assert path.speed_variation < 0.06
    assert model.linear(*ends, retimed=True).speed_variation < 0.06
    assert model.linear(*ends).speed_variation > path.speed_variation


def test_more_weight_on_the_data_term_bends_the_path_further_from_the_line(model, ends):
    line = torch.lerp(ends[0].z, ends[1].z, torch.linspace(0, 1, 65)[:, None])
    bend = [float((model.geodesic(*ends, weight=w).curve - line).norm(dim=1).max()) for w in (0.0, 1.0, 10.0)]
    assert bend[0] < bend[1] < bend[2]


def test_guesswork_is_what_the_blend_keeps_low_and_a_way_through_known_sounds_has_next_to_none(model):
    picked = torch.randperm(len(model.library), generator=torch.Generator().manual_seed(2))[:16].view(8, 2)
    pairs = [tuple(model.sound(model.library.ids[k]) for k in pair) for pair in picked.tolist()]
    graph, geodesic, line = (
        [path.guesswork for path in model.paths(pairs, kind)] for kind in ("graph", "geodesic", "linear")
    )
    assert max(graph) < 0.08
    assert all(ours <= straight + 1e-3 for ours, straight in zip(geodesic, line, strict=True))
    assert sum(geodesic) < 0.8 * sum(line)
    nowhere = [model.point(scale * torch.ones(model.latent_dim)) for scale in (8.0, 9.0)]
    assert model.linear(*nowhere).guesswork == pytest.approx(1, abs=1e-3)
    assert model.linear(nowhere[0], nowhere[0]).guesswork == pytest.approx(1, abs=1e-3)


def test_infinite_weight_is_the_path_through_real_neighbours(model, ends):
    graph = model.paths([ends], weight=math.inf)[0]
    assert graph.kind == "graph"
    inner = graph.curve[8:-8]
    away = torch.cdist(inner, model.library.z).amin(1)
    straight = torch.cdist(model.linear(*ends).curve[8:-8], model.library.z).amin(1)
    assert away.mean() < straight.mean()


def test_a_batch_of_paths_is_its_paths_one_by_one(model, path, ends):
    other = model.sound(model.library.ids[-1])
    together = model.paths([ends, (ends[1], other)])
    assert together[0].length == pytest.approx(path.length, rel=0.02)


def test_the_way_back_is_as_long(model, path, ends):
    assert model.geodesic(*reversed(ends)).length == pytest.approx(path.length, rel=0.05)


@pytest.mark.parametrize(
    "wrong", [{"kind": "bent"}, {"metric": "round"}, {"weight": -1.0}, {"steps": 1}, {"weight": math.nan}]
)
def test_choices_that_do_not_exist_are_refused(model, ends, wrong):
    with pytest.raises(ValueError, match=r"choose|must be|steps"):
        model.paths([ends], **wrong)


def test_a_path_from_a_sound_to_itself_stands_still(model, ends):
    still = model.geodesic(ends[0], ends[0])
    assert still.length == pytest.approx(0, abs=1e-3)
    assert model.render_steps([still])[0].audio.isfinite().all()


# -- sound of a path ------------------------------------------------------------------------------


def test_the_ends_of_a_morph_are_the_sounds_that_were_clicked(model, clip, ends):
    recorded = torch.stack([end.audio for end in ends])
    assert log_mel_error(recorded, clip.audio[[0, -1]], model.sample_rate).max() < 0.3


def test_a_morph_moves_evenly_in_what_is_heard(model, clip):
    phi = timbre_features(clip.audio, model.sample_rate, ONSET / model.sample_rate)
    steps = phi.diff(dim=0).norm(dim=1)
    assert float(steps.std() / steps.mean()) < 0.08


def test_the_speed_of_a_morph_is_that_of_its_sound(model, morph):
    path, clip = morph
    phi = timbre_features(clip.audio, model.sample_rate, ONSET / model.sample_rate)
    exact = phi.diff(dim=0).norm(dim=1) * model.config.unit_per_phi
    # measured at half the resolution of frequency
    torch.testing.assert_close(path.speed, exact, rtol=0.05, atol=0)


def test_rendering_never_re_times_the_bare_line(model, ends):
    line = model.linear(*ends)
    torch.testing.assert_close(model.morph(line)[0].times, line.times, rtol=0, atol=0)


def test_nothing_clips_and_nothing_is_silent(clip):
    peaks = clip.audio.abs().amax(1)
    assert (peaks <= 1.0).all()
    assert (peaks > 0.05).all()


def test_the_same_path_sounds_the_same_again(model, path, clip):
    torch.testing.assert_close(model.morph(path)[1].audio, clip.audio, rtol=0, atol=0)


def test_a_glide_has_its_length_starts_like_a_and_has_no_clicks(model, path, ends):
    glide = model.render(path, seconds=3.0).audio
    assert len(glide) == pytest.approx(3.0 * model.sample_rate, abs=512)
    assert glide.isfinite().all()
    assert glide.abs().max() <= 1.0
    second = glide.diff(n=2).abs()
    body = second[int(0.2 * model.sample_rate) :]
    assert body.max() < 40 * body.square().mean().sqrt()
    loudness = glide[: 3 * 44_100 // 3 * 3].reshape(6, -1).square().mean(1).sqrt()
    assert (loudness[:-1] > 0.02 * loudness.max()).all()


def test_a_clip_survives_its_file(model, clip, tmp_path):
    for suffix in ("wav", "flac"):
        samples, rate = soundfile.read(clip.write(tmp_path / f"morph.{suffix}"), dtype="float32")
        assert rate == model.sample_rate
        assert np.abs(samples - clip.samples).max() < 1e-4
    with pytest.raises(ValueError, match="mp4"):
        clip.write(tmp_path / "morph.mp4")


def test_bare_points_sound_too(model):
    audio = model.decode(model.library.z[:3]).audio
    assert audio.shape == (3, model.sound_samples)
    assert (audio.abs().amax(1) > 0.05).all()


# -- distances and the map ------------------------------------------------------------------------


def test_distances_are_symmetric_zero_on_the_diagonal_and_keep_the_triangle(model):
    sounds = [model.sound(i) for i in model.library.ids[:600:100]]
    for distance in DistanceName:
        d = model.distances(sounds, distance)
        torch.testing.assert_close(d, d.T)
        assert d.diagonal().abs().max() < 1e-3
        # lengths of geodesics are upper bounds, good to half a percent
        assert (d[:, :, None] <= 1.01 * (d[:, None, :] + d[None].mT) + 1e-3).all()


def test_a_geodesic_distance_is_the_length_of_the_shortest_way_and_no_path_heard_is_shorter(model):
    sounds = [model.sound(i) for i in model.library.ids[7:1200:300]]
    pairs = [(a, b) for i, a in enumerate(sounds) for b in sounds[:i]]
    shortest = model.paths(pairs, metric="pullback")
    apart = [model.distance(a, b, "geodesic") for a, b in pairs]
    for pair, path, distance in zip(pairs, shortest, apart, strict=True):
        if (
            model.renderer.crossing(*pair).interval == 0
        ):  # otherwise the energy is that of ends moved in pitch
            assert distance == pytest.approx(path.energy**0.5 * model.config.unit_per_phi, rel=0.01)
    for distance, path in zip(apart, shortest, strict=True):
        assert distance < min(path.length, path.line_length)
        assert distance <= 1.01 * float(model.pullback.length(path.curve[None])) * model.config.unit_per_phi


def test_geodesics_are_the_same_whatever_was_used_before(model):
    """To the last bit: distances and paths under the pull-back, before and after other metrics."""
    sounds = [model.sound(i) for i in model.library.ids[5:1200:300]]
    z, fresh = torch.stack([sound.z for sound in sounds]), Metrics.of(model.parts, model.device)
    distances, nodes = geodesic.distances(fresh.pullback, z), _solved(fresh, z)
    used = Metrics.of(model.parts, model.device)
    for name, weight in (("blend", None), ("blend", 5.0), ("kernel", None), ("flat", None)):
        for metrics in (fresh, used):
            geodesic.solve(metrics.named(name, weight), z[:1], z[1:2])
        assert torch.equal(_solved(fresh, z), nodes)
    assert torch.equal(_solved(used, z), nodes)
    assert torch.equal(geodesic.distances(used.pullback, z), distances)
    assert torch.equal(model.distances(sounds, "geodesic"), distances * model.config.unit_per_phi)


def _solved(metrics, z):
    return geodesic.solve(metrics.named("pullback"), z[:-1], z[1:]).nodes


def test_distances_are_measured_without_rendering_a_sound(model, monkeypatch):
    monkeypatch.setattr(type(model.renderer), "along", None)
    sounds = [model.sound(i) for i in model.library.ids[:3]]
    assert all(float(model.distances(sounds, distance).max()) > 0 for distance in DistanceName)


def test_the_unit_is_the_decibel_of_the_median_pair(model):
    draw = torch.randint(len(model.library), (2, 2000), generator=torch.Generator().manual_seed(5))
    phi = (model.library.timbre[draw[0]] - model.library.timbre[draw[1]]).norm(dim=1)
    assert 10 < float(phi.median()) * model.config.unit_per_phi < 40


def test_neighbours_come_nearest_first_without_the_sound_itself(model, ends):
    for distance in DistanceName:
        near = model.neighbours(ends[0], 5, distance)
        assert ends[0].id not in [sound_id for sound_id, _ in near]
        assert [d for _, d in near] == sorted(d for _, d in near)


@pytest.mark.parametrize("distance", DistanceName)
def test_neighbours_are_as_far_as_their_distance_says(model, ends, distance):
    nearest, away = model.neighbours(ends[0], 1, distance)[0]
    assert away == pytest.approx(model.distance(ends[0], model.sound(nearest), distance), rel=0.01)


def test_the_distance_and_the_neighbours_of_no_name_are_perceptual_and_a_metric_means_geodesics(model, ends):
    assert model.distance(*ends) == model.distance(*ends, "perceptual")
    assert model.neighbours(ends[0]) == model.neighbours(ends[0], distance="perceptual")
    geodesics = model.neighbours(ends[0], distance="geodesic")
    assert model.neighbours(ends[0], metric="pullback") == geodesics != model.neighbours(ends[0])
    with pytest.raises(
        ValueError, match="no distance 'miles'; choose one of perceptual, geodesic, euclidean"
    ):
        model.distance(*ends, "miles")


def test_library_sounds_are_placed_where_the_map_shows_them(model):
    placed = model.project(model.library.z[::50])
    assert (placed - model.library.positions[::50]).norm(dim=1).max() < 0.02


def test_there_and_back_on_the_map(model):
    positions = model.library.positions[::40]
    back = model.project(model.atlas.lift(positions))
    error = (back - positions).norm(dim=1) / (model.atlas.extent[1] - model.atlas.extent[0])
    assert error.median() < 0.02


def test_held_out_placement_beats_chance_by_far(model):
    error = model.atlas.placement_error
    assert error["median"] < 0.1 * error["chance"]


def test_library_sounds_stand_on_land_and_the_border_is_sea(model):
    assert model.atlas.on_land(model.library.positions).float().mean() > 0.9
    x0, x1, y0, y1 = model.atlas.extent
    border = torch.tensor([[x0, y0], [x0, y1], [x1, y0], [x1, y1], [(x0 + x1) / 2, y1], [(x0 + x1) / 2, y0]])
    assert not model.atlas.on_land(border).any()
