"""The figures of sonifold.plot show the numbers of the model, the path and the clip that they were given."""

import numpy as np
import pytest
import torch

from sonifold import plot
from sonifold.audio.clip import Clip


@pytest.fixture(scope="module")
def path(model):
    families = model.library.families
    kick, bell = (model.sound(model.library.ids[families.index(name)]) for name in ("Kick", "Bell"))
    return model.geodesic(kick, bell, steps=5)


def traces(figure, kind):
    return [trace for trace in figure.data if trace.type == kind]


def test_the_map_shows_every_sound_where_it_lies(model):
    dots = traces(plot.map(model), "scatter")
    assert [trace.name for trace in dots] == list(dict.fromkeys(model.library.families))
    shown = {(name, x, y) for trace in dots for name, x, y in zip(trace.text, trace.x, trace.y, strict=True)}
    positions = model.library.positions.numpy()
    assert shown == {(name, x, y) for name, (x, y) in zip(model.library.names, positions, strict=True)}


def test_the_coast_of_the_map_is_where_land_ends(model):
    (coast,) = traces(plot.map(model), "contour")
    assert coast.contours.start == coast.contours.end == model.atlas.field.coast


def test_paths_on_the_map_begin_and_end_at_their_sounds(model, path):
    lines = [trace for trace in traces(plot.map(model, [path, path]), "scatter") if trace.mode == "lines"]
    assert len(lines) == 2
    for end, sound in ((0, path.start), (-1, path.end)):
        row = model.library.index(sound.id)
        np.testing.assert_allclose(
            [lines[0].x[end], lines[0].y[end]], model.library.positions[row], atol=1e-4
        )


def test_the_bars_of_a_path_are_the_distances_between_its_steps(path):
    (bars,) = traces(plot.path(path), "bar")
    assert list(bars.x) == [2, 3, 4, 5]
    assert list(bars.y) == path.speed.tolist()


def test_steps_at_sea_are_open(path):
    (steps,) = [trace for trace in traces(plot.path(path), "scatter") if trace.mode == "markers"]
    assert [symbol == "circle" for symbol in steps.marker.symbol] == path.on_land.tolist()


@pytest.mark.parametrize("hertz", [220.0, 3520.0])
def test_a_sine_is_brightest_at_its_frequency(hertz):
    rate = 44_100
    sine = torch.sin(2 * torch.pi * hertz * torch.arange(rate // 2) / rate)
    (picture,) = traces(plot.spectrograms(Clip(sine, rate)), "heatmap")
    loudest = picture.y[np.asarray(picture.z)[:, len(picture.x) // 2].argmax()]
    assert abs(np.log2(loudest / hertz)) < 1 / 6
    assert picture.x[-1] == pytest.approx(0.5, abs=0.02)


def test_a_clip_of_several_sounds_has_a_row_for_each():
    clip = Clip(torch.randn(3, 8000), 44_100)
    assert len(traces(plot.spectrograms(clip), "heatmap")) == 3
    with pytest.raises(ValueError, match="expected at most 33 sounds, got 40"):
        plot.spectrograms(Clip(torch.randn(40, 2000), 44_100))


def test_figures_become_a_page(path, tmp_path):
    plot.path(path).write_html(tmp_path / "path.html", include_plotlyjs="cdn")
    assert "guesswork" in (tmp_path / "path.html").read_text(encoding="utf-8")
