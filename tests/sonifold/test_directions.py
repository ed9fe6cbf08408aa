"""Named directions: they go where the word says, leave the other words alone, and stay among known sounds."""

import pytest
import torch

from sonifold.audio.descriptors import DESCRIPTORS
from sonifold.audio.levels import log_mel_error
from sonifold.model.traversal import End, _even, _Flow

SOUNDS = (40, 333, 700, 1100)


@pytest.fixture(scope="module")
def traversals(model):
    sounds = [model.sound(model.library.ids[i]) for i in SOUNDS]
    return [model.traversal(sound, "brightness") for sound in sounds]


def test_a_traversal_rises_evenly_in_what_it_is_named_for_through_the_sound_itself(model, traversals):
    for traversal in traversals:
        assert traversal.steps == 9
        assert torch.equal(traversal.points[traversal.origin], traversal.sound.z)
        rise = traversal.values.diff()
        assert float(rise.sum()) > 0.5 * model.traversals.spread["brightness"]
        assert (rise > 0).all()
        assert float(rise.std() / rise.mean()) < 0.25


def test_a_traversal_stays_where_sounds_are_known_and_says_why_it_stops(traversals):
    for traversal in traversals:
        assert traversal.in_distribution.all()
        assert set(traversal.stopped) == {"less", "more"}
        assert set(traversal.stopped.values()) <= {str(end) for end in End}


def test_a_resting_value_is_the_one_the_traversal_starts_from(model, traversals):
    described = model.traversals.describe([traversal.sound for traversal in traversals])
    for nth, traversal in enumerate(traversals):
        for name, values in traversal.descriptors.items():
            assert float(described[name][nth]) == pytest.approx(values[traversal.origin], rel=1e-3, abs=1e-4)


def test_a_traversal_is_slight_when_its_values_span_less_than_a_tenth_of_what_was_asked(model):
    deviation = model.traversals.spread["decay"]
    for span, slight in [(0.0, True), (0.29, True), (0.31, False), (3.0, False)]:
        values = torch.linspace(0, span * deviation, 9)
        assert model.traversals.slight(values, "decay", reach=1.5) is slight


def test_the_other_words_stay_nearer_to_where_they_were_when_they_are_held(model, traversals):
    spread = model.traversals.spread

    def moved(traversal):
        others = [name for name in DESCRIPTORS if name != traversal.descriptor]
        return sum(
            abs(traversal.descriptors[n][-1] - traversal.descriptors[n][0]) / spread[n] for n in others
        )

    loose = [model.traversal(traversal.sound, "brightness", hold=False) for traversal in traversals]
    assert sum(map(moved, traversals)) < 0.5 * sum(map(moved, loose))


def test_the_words_of_a_traversal_are_those_of_its_sounds(model, traversals):
    """Brightness measured on the rendered audio rises as much as the features said, within a third."""
    for traversal in traversals:
        measured = model.describe_audio(model.render_traversal(traversal).audio)["brightness"]
        rise = float(traversal.values[-1] - traversal.values[0])
        assert float(measured[-1] - measured[0]) == pytest.approx(rise, rel=0.33)


def test_the_sound_itself_is_heard_at_its_own_step(model, traversals):
    traversal = traversals[0]
    audio = model.render_traversal(traversal).audio
    assert audio.shape == (9, model.sound_samples)
    error = log_mel_error(traversal.sound.audio[None], audio[traversal.origin][None], model.sample_rate)
    assert float(error) < 1.6


def test_a_bare_point_can_be_traversed_too(model):
    traversal = model.traversal(model.point(model.library.z[5]), "decay", steps=5, reach=0.5)
    assert traversal.steps == 5
    assert float(traversal.values[-1]) > float(traversal.values[0])


def test_the_natural_gradient_is_the_shortest_way_to_the_change(model):
    """Of two moves foretold to change brightness equally, that of G^-1 grad is shorter under G than grad's."""
    directions, metric = model.traversals, model.metric()
    z = model.library.z[333]
    residual = torch.zeros_like(model.coefficients.mean)
    natural, plain = (
        _Flow(directions, each, z, residual, "brightness", False, 1e9)._moves([0], torch.tensor([0.3]))
        for each in (metric, model.metric("flat"))
    )
    _, slopes = directions.gradients(z[None], residual)
    slope = slopes[0, 0] / directions.spread["brightness"]
    assert float(natural[0] @ slope) == pytest.approx(0.3, rel=1e-3)
    assert float(plain[0] @ slope) == pytest.approx(0.3, rel=1e-3)
    assert float(metric.norm(z[None], natural)) < 0.9 * float(metric.norm(z[None], plain))


def test_even_steps_keep_the_origin_and_stay_inside():
    nodes = torch.tensor([[-1.0], [0.0], [3.0]])
    points, origin = _even(nodes, torch.tensor([-1.0, 0.0, 3.0]), nodes[1], 9)
    assert origin == 2
    assert points[origin] == 0
    torch.testing.assert_close(points[:, 0], torch.arange(-2.0, 7.0) / 2)


def test_a_traversal_that_cannot_move_stands_still():
    points, origin = _even(torch.ones(1, 2), torch.tensor([0.5]), torch.ones(2), 5)
    assert (origin, points.tolist()) == (0, [[1.0, 1.0]] * 5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"descriptor": "warmth"}, "brightness, attack"),
        ({"steps": 2}, "3 to 65"),
        ({"reach": 0.0}, "greater than 0"),
        ({"reach": float("nan")}, "greater than 0"),
    ],
)
def test_impossible_traversals_are_refused(model, options, says):
    with pytest.raises(ValueError, match=says):
        model.traversal(model.sound(model.library.ids[0]), **({"descriptor": "brightness"} | options))
