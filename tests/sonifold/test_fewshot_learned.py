"""Metrics and bases learned from episodes: the field is the true one, and learning learns what is there to learn."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from sonifold.adapt import residual_field
from sonifold.adapt.ridge import Evidence
from sonifold_research.fewshot import learned
from sonifold_research.fewshot.learned import Episode


def _episode(seed: int, telling: int) -> Episode:
    """Residuals that depend on one latent coordinate alone; the decoder below says nothing."""
    draw = torch.Generator().manual_seed(seed)
    z = torch.randn(30, 4, generator=draw)
    values = torch.stack([(2 * z[:, telling]).sin(), (2 * z[:, telling]).cos()], 1)
    return Episode(values[:20], z[:20], values[20:], z[20:], uploads=10)


@pytest.fixture
def silent() -> SimpleNamespace:
    """A bench whose decoder says nothing, so that residuals are the sounds."""
    decoder = nn.Linear(4, 2)
    nn.init.zeros_(decoder.weight)
    nn.init.zeros_(decoder.bias)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.decoder = decoder

        def decode(self, z):
            return self.decoder(z)

    return SimpleNamespace(model=SimpleNamespace(vae=Net(), latent_dim=4), timbre_weight=torch.eye(2))


def test_the_field_that_is_learned_through_is_the_field_that_is_used():
    episode = _episode(0, 0)
    unit = float(torch.pdist(episode.z[:10]).median())
    said = learned.predicted(episode.z, episode.values, episode, episode.others_z, 0.4, 0.2)
    evidence = Evidence(episode.values, episode.values, 10)
    field = residual_field.fit(episode.z, evidence, residual_field.Choice(0.4 * unit, 0.2, None))
    torch.testing.assert_close(said, field(episode.others_z), atol=1e-3, rtol=1e-3)


@pytest.mark.long
def test_the_metric_finds_the_coordinate_that_tells(silent):
    """Of four coordinates one says where residuals are alike: the metric stretches it most, and the loss falls."""
    metric, (first, last) = learned.learn_metric(silent, [_episode(seed, 2) for seed in range(12)], steps=120)
    reach = metric.norm(dim=1)
    assert last < 0.97 * first
    assert reach.argmax() == 2
    assert reach[2] > 1.1 * reach[[0, 1, 3]].max()


def test_a_learned_field_says_nothing_where_nothing_is_carried():
    field = learned.MetricField(torch.eye(3), None, 5)
    assert field(torch.randn(2, 3)).equal(torch.zeros(2, 5))
